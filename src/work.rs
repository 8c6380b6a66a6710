//! Work: what is asked for, how it goes on, how it ends.

use crate::document::{Check, Whole, document};
use crate::field::{Refusal, refusal, text_value, word_field, word_value};
use crate::free::FreeObject;
use crate::id::{AgentId, TaskId};
use crate::measures::{Hints, ResourcesUsed};
use crate::name::{StepName, WorkType};
use crate::number::{DurationMs, ExitCode, Percent, StepNumber};
use crate::rule::Rule;

document! {
    /// Somebody asks for work to be done.
    WorkRequest, builder: WorkRequestBuilder, parts: WorkRequestParts, missing: Wrq1,
    {
        /// The task that this work is.
        task_id "task_id": TaskId = required;
        /// What is to be done; `cancel` is the protocol's own.
        work_type "work_type": WorkType = required;
        /// What the work needs to know; free.
        parameters "parameters": FreeObject = default(FreeObject::new()), example r#"{"service": "web", "replicas": 3}"#;
        /// What the sender knows of the work.
        hints "hints": Hints = default(Hints::default()), example r#"{"deadline_seconds": 30}"#;
    }
}

impl WorkRequest {
    /// The request that cancels a task. It is a task of its own, and gets no result.
    #[must_use]
    pub fn cancel(task: TaskId) -> Self {
        let parameters = format!("{{\"task_id\":\"{task}\"}}");
        WorkRequest {
            task_id: TaskId::new(),
            work_type: WorkType::cancel(),
            parameters: FreeObject::from_canonical(parameters),
            hints: Hints::default(),
            extra: crate::free::Extra::default(),
        }
    }

    /// The task that this request cancels, if it is a cancel.
    #[must_use]
    pub fn cancels(&self) -> Option<TaskId> {
        if self.work_type.is_cancel() { cancelled_task(&self.parameters) } else { None }
    }
}

fn cancelled_task(parameters: &FreeObject) -> Option<TaskId> {
    parameters.get("task_id")?.as_text()?.parse().ok()
}

impl Whole for WorkRequest {
    type Parts = WorkRequestParts;

    const LEVEL: u32 = 2;

    fn check(parts: &mut Self::Parts, check: &mut Check<'_>) {
        let is_cancel = parts.work_type.value.as_ref().is_some_and(WorkType::is_cancel);
        let slot = &parts.parameters;
        if !is_cancel || (slot.value.is_none() && !slot.is_absent()) {
            return;
        }
        let object = slot.value.as_ref();
        if object.and_then(cancelled_task).is_some() {
            return;
        }
        let parameters = check.at.key("parameters");
        let task_id = &parameters.key("task_id");
        let missing = "required when work_type is \"cancel\"";
        let Some(object) = object else {
            let place = check.end_of("parameters");
            return check.report.add(place, task_id, Rule::Wrq3, missing, None);
        };
        let place = check.place_of(slot.place().unwrap_or_default(), "task_id");
        match object.get("task_id") {
            None => check.report.add(place, task_id, Rule::Wrq3, missing, None),
            Some(found) => {
                let expected = "the task to cancel, a UUID";
                check.report.add(place, task_id, Rule::Wrq3, expected, Some(found.as_str()));
            }
        }
    }
}

word_value! {
    /// Where a running task stands.
    Progress, rule: Wst2, expected: "one of running, step_completed, paused",
    {
        /// It is being worked on.
        Running = "running",
        /// A step is done.
        StepCompleted = "step_completed",
        /// It waits.
        Paused = "paused",
    }
}

word_value! {
    /// How a task ended.
    Outcome, rule: Wrs2, expected: "one of completed, failed, cancelled",
    {
        /// It was done.
        Completed = "completed",
        /// It could not be done; `error_message` says why.
        Failed = "failed",
        /// It was stopped on request.
        Cancelled = "cancelled",
    }
}

word_field!(Progress Outcome);

/// The three numbers of a text of the right form; each without its bound.
fn chunk_numbers(text: &str) -> Option<[&str; 3]> {
    let (from, rest) = text.strip_prefix("bytes ")?.split_once('-')?;
    let (to, total) = rest.split_once(" of ")?;
    let numbers = [from, to, total];
    let decimal = |number: &&str| {
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && (*number == "0" || !number.starts_with('0'))
    };
    numbers.iter().all(decimal).then_some(numbers)
}

fn chunk_ranges(text: &str) -> Result<[u64; 3], Refusal> {
    const FORM: Refusal = refusal(Rule::Wst6, "the form: bytes FROM-TO of TOTAL");
    const ORDER: Refusal = refusal(Rule::Wst7, "FROM <= TO <= TOTAL <= 9007199254740991");
    let numbers = chunk_numbers(text).ok_or(FORM)?;
    let mut values = [0; 3];
    for (value, number) in values.iter_mut().zip(numbers) {
        *value = number.parse().map_err(|_| ORDER)?;
    }
    let [from, to, total] = values;
    if from <= to && to <= total && total <= DurationMs::MAX.get() { Ok(values) } else { Err(ORDER) }
}

fn check_chunk(text: &str) -> Result<(), Refusal> {
    chunk_ranges(text).map(|_| ())
}

text_value! {
    /// Which bytes of a longer output these are: `bytes FROM-TO of TOTAL`.
    OutputChunk, check: check_chunk,
    schema: serde_json::json!({
        "type": "string",
        "pattern": "^bytes (?:0|[1-9][0-9]*)-(?:0|[1-9][0-9]*) of (?:0|[1-9][0-9]*)$",
        "examples": ["bytes 0-1023 of 4096"]
    }),
}

impl OutputChunk {
    /// FROM, TO and TOTAL.
    #[must_use]
    pub fn range(&self) -> (u64, u64, u64) {
        // It was found right when it was made.
        let [from, to, total] = chunk_ranges(self.as_str()).unwrap_or_default();
        (from, to, total)
    }
}

document! {
    /// One step of a task.
    Step, builder: StepBuilder, parts: StepParts, missing: Wst1,
    {
        /// Its number, counted by the agent.
        number "number": StepNumber = required;
        /// What it is called.
        name "name": StepName = required;
        /// What it printed.
        output "output": String = default(String::new()), example r#""3 packages installed""#;
        /// Which bytes of a longer output these are.
        output_chunk "output_chunk": OutputChunk = optional;
    }
}

impl Whole for Step {
    type Parts = StepParts;

    const LEVEL: u32 = 3;
}

document! {
    /// How a running task goes on.
    WorkStatus, builder: WorkStatusBuilder, parts: WorkStatusParts, missing: Wst1,
    {
        /// The task.
        task_id "task_id": TaskId = required;
        /// Where it stands.
        status "status": Progress = required, example r#""running""#;
        /// How much of it is done.
        progress_percent "progress_percent": Percent = required;
        /// The step it is at.
        step "step": Step = required, example r#"{"number": 2, "name": "install packages", "output": ""}"#;
    }
}

impl WorkStatus {
    pub(crate) fn with_known_step(self) -> Self {
        WorkStatus { step: self.step.without_extra(), ..self }
    }
}

impl Whole for WorkStatus {
    type Parts = WorkStatusParts;

    const LEVEL: u32 = 2;
}

document! {
    /// The end of a task.
    WorkResult, builder: WorkResultBuilder, parts: WorkResultParts, missing: Wrs1,
    {
        /// The task.
        task_id "task_id": TaskId = required;
        /// How it ended.
        status "status": Outcome = required, example r#""completed""#;
        /// What its program ended with; 0 means success.
        exit_code "exit_code": ExitCode = required;
        /// What it printed.
        output "output": String = lent(String::new()), example r#""deployed\n""#;
        /// Why it failed; required when it did.
        error_message "error_message": String = optional, example r#""no such playbook""#;
        /// How long it took.
        duration_ms "duration_ms": DurationMs = required;
        /// Who did it.
        agent_id "agent_id": AgentId = required;
        /// What it took.
        resources_used "resources_used": ResourcesUsed = default(ResourcesUsed::default()), example r#"{"cpu_time_ms": 840}"#;
    }
}

impl WorkResult {
    pub(crate) fn with_output(self, output: String) -> Self {
        WorkResult { output, ..self }
    }
}

impl Whole for WorkResult {
    type Parts = WorkResultParts;

    const LEVEL: u32 = 2;

    fn check(parts: &mut Self::Parts, check: &mut Check<'_>) {
        let reason = &parts.error_message;
        let lacks_reason = reason.is_absent() || reason.value.as_deref() == Some("");
        if parts.status.value == Some(Outcome::Failed) && lacks_reason {
            let expected = "required when status is \"failed\"";
            match reason.place() {
                None => check.missing("error_message", Rule::Wrs4, expected),
                Some(place) => {
                    let found = reason.value.as_ref().map(|_| "\"\"");
                    let expected = if found.is_some() { "a text when status is \"failed\"" } else { expected };
                    check.report.add(place, &check.at.key("error_message"), Rule::Wrs4, expected, found);
                }
            }
        }
    }
}
