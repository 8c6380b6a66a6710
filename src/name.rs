//! Texts with a form: names, types of messages, tenants, references.

use serde_json::{Value, json};

use crate::field::{Refusal, refusal, text_value, word_field, word_value};
use crate::id::NO_CONTROL;
use crate::rule::Rule;

/// What the schemas say of a text without control characters. Lengths are counted in code points,
/// there as here.
fn no_control(min: usize, max: usize, also_without: &str, example: &str) -> Value {
    json!({
        "type": "string", "minLength": min, "maxLength": max,
        "pattern": format!(r"^[^\x00-\x1f\x7f-\x9f{also_without}]*$"),
        "examples": [example]
    })
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn length_within(text: &str, min: usize, max: usize) -> bool {
    // A code point has at most four bytes, so most texts need no counting.
    let bytes = text.len();
    if bytes < min || bytes > max * 4 {
        return false;
    }
    let chars = if bytes <= max { bytes } else { text.chars().count() };
    chars <= max
}

fn check_text(text: &str, max: usize, length: Refusal) -> Result<(), Refusal> {
    if has_control(text) {
        Err(NO_CONTROL)
    } else if length_within(text, 1, max) {
        Ok(())
    } else {
        Err(length)
    }
}

fn check_form(text: &str, broken: Refusal, right: impl FnOnce(&[u8]) -> bool) -> Result<(), Refusal> {
    if right(text.as_bytes()) {
        Ok(())
    } else if has_control(text) {
        Err(NO_CONTROL)
    } else {
        Err(broken)
    }
}

fn check_name(text: &str) -> Result<(), Refusal> {
    const BROKEN: Refusal =
        refusal(Rule::Nam1, "a name of 1 to 128 of A-Z a-z 0-9 . _ - that begins with a letter or digit");
    check_form(text, BROKEN, |bytes| {
        (1..=128).contains(&bytes.len())
            && bytes[0].is_ascii_alphanumeric()
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    })
}

text_value! {
    /// The name of an agent or a channel.
    Name, check: check_name,
    schema: json!({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", "examples": ["planner-1"]}),
}

impl Name {
    /// The channel that a message is on when it names none.
    pub(crate) fn general() -> Self {
        Name("general".to_owned())
    }
}

fn check_tenant(text: &str) -> Result<(), Refusal> {
    const BROKEN: Refusal = refusal(Rule::Evt3, "a tenant of 1 to 64 of a-z 0-9 - that begins with a letter or digit");
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    check_form(text, BROKEN, |bytes| {
        (1..=64).contains(&bytes.len()) && plain(&bytes[0]) && bytes.iter().all(|b| plain(b) || *b == b'-')
    })
}

text_value! {
    /// Whose event it is.
    TenantId, check: check_tenant,
    schema: json!({"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,63}$", "examples": ["acme"]}),
}

fn check_channel_type(text: &str) -> Result<(), Refusal> {
    const BROKEN: Refusal = refusal(Rule::Chn2, "1 to 128 characters, parts of a-z 0-9 _ joined by single dots");
    check_form(text, BROKEN, |bytes| {
        (1..=128).contains(&bytes.len())
            && bytes.split(|b| *b == b'.').all(|part| {
                !part.is_empty() && part.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_')
            })
    })
}

text_value! {
    /// What a channel message is: a dotted name such as `context.query`.
    ChannelType, check: check_channel_type,
    schema: json!({
        "type": "string", "maxLength": 128, "pattern": "^[a-z0-9_]+(?:\\.[a-z0-9_]+)*$", "examples": ["context.query"]
    }),
}

impl ChannelType {
    /// Whether it is the type of an answer.
    #[must_use]
    pub fn is_response(&self) -> bool {
        is_response(self.as_str())
    }

    /// The type of the answer to a message of this type.
    ///
    /// # Errors
    /// A type so long that its answer's would have more than 128 characters has none.
    pub fn response(&self) -> Result<ChannelType, crate::ProtocolError> {
        ChannelType::new(format!("{self}.response"))
    }
}

pub(crate) fn is_response(channel_type: &str) -> bool {
    channel_type.ends_with(".response")
}

fn check_correlation(text: &str) -> Result<(), Refusal> {
    check_text(text, 128, refusal(Rule::Txt2, "1 to 128 characters"))
}

text_value! {
    /// What ties an answer to its question, and events to each other.
    CorrelationId, check: check_correlation,
    schema: no_control(1, 128, "", "order-4711"),
}

impl CorrelationId {
    pub(crate) fn of_id(id: &crate::id::MessageId) -> Self {
        CorrelationId(id.to_string())
    }
}

fn check_work_type(text: &str) -> Result<(), Refusal> {
    check_text(text, 128, refusal(Rule::Wrq2, "1 to 128 characters"))
}

text_value! {
    /// What is to be done. `cancel` is the protocol's own.
    WorkType, check: check_work_type,
    schema: no_control(1, 128, "", "deploy_service"),
}

impl WorkType {
    /// The work type that cancels the task in `parameters.task_id`.
    pub const CANCEL: &'static str = "cancel";

    pub(crate) fn cancel() -> Self {
        WorkType(Self::CANCEL.to_owned())
    }

    /// Whether it is [`CANCEL`](Self::CANCEL).
    #[must_use]
    pub fn is_cancel(&self) -> bool {
        self.as_str() == Self::CANCEL
    }
}

fn check_step_name(text: &str) -> Result<(), Refusal> {
    check_text(text, 256, refusal(Rule::Wst5, "1 to 256 characters"))
}

text_value! {
    /// What a step is called.
    StepName, check: check_step_name,
    schema: no_control(1, 256, "", "install packages"),
}

fn check_reference(text: &str) -> Result<(), Refusal> {
    const BROKEN: Refusal = refusal(Rule::Evt7, "1 to 256 characters without a comma");
    check_text(text, 256, BROKEN)?;
    if text.contains(',') { Err(BROKEN) } else { Ok(()) }
}

text_value! {
    /// Points to large data that is kept elsewhere.
    Reference, check: check_reference,
    schema: no_control(1, 256, ",", "s3://results/4711.json"),
}

fn check_reason(text: &str) -> Result<(), Refusal> {
    if text.is_empty() { Err(refusal(Rule::Err3, "a text that is not empty")) } else { Ok(()) }
}

text_value! {
    /// What went wrong, in words; never empty.
    Reason, check: check_reason,
    schema: json!({"type": "string", "minLength": 1, "examples": ["no such playbook"]}),
}

impl Reason {
    /// Takes words of our own; of none it makes some.
    pub(crate) fn of_words(words: String) -> Self {
        Reason(if words.is_empty() { "unspecified".to_owned() } else { words })
    }
}

pub(crate) const ARTIFACT_PATH: Refusal = refusal(
    Rule::Chn4,
    "a relative path of 1 to 1024 characters, its parts joined by /, none of them empty, . or .., without \\ and : and control characters",
);

fn check_artifact_path(text: &str) -> Result<(), Refusal> {
    let parts_right = text.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if length_within(text, 1, 1024) && parts_right && !text.contains(['\\', ':']) && !has_control(text) {
        Ok(())
    } else {
        Err(ARTIFACT_PATH)
    }
}

text_value! {
    /// Where an artifact lies, below the store's own folder; it cannot lead out of it.
    ArtifactPath, check: check_artifact_path,
    schema: json!({
        "type": "string", "minLength": 1, "maxLength": 1024, "pattern": artifact_pattern(),
        "examples": ["4711/summary.json"]
    }),
}

/// No part `.` or `..`, said without looking ahead.
fn artifact_pattern() -> String {
    let any = r"[^/\\:\x00-\x1f\x7f-\x9f]";
    let no_dot = r"[^./\\:\x00-\x1f\x7f-\x9f]";
    let part = format!(r"(?:{no_dot}{any}*|\.{no_dot}{any}*|\.\.{any}+)");
    format!("^{part}(?:/{part})*$")
}

word_value! {
    /// What kind of agent sends or receives.
    AgentType, rule: Env2, expected: "one of orchestrator, infra, desktop, code, research",
    {
        /// Hands out the work.
        Orchestrator = "orchestrator",
        /// Servers and deployments.
        Infra = "infra",
        /// A person's machine.
        Desktop = "desktop",
        /// Programs.
        Code = "code",
        /// Sources and answers.
        Research = "research",
    }
}

word_value! {
    /// What a task message is.
    MessageType, rule: Env3, expected: "one of work_request, work_status, work_result, status_update, error",
    {
        /// Work to be done.
        WorkRequest = "work_request",
        /// Progress of a running task.
        WorkStatus = "work_status",
        /// The end of a task.
        WorkResult = "work_result",
        /// An agent's heartbeat.
        StatusUpdate = "status_update",
        /// Something went wrong outside of a task's own work.
        Error = "error",
    }
}

word_field!(AgentType MessageType);
