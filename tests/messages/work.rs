//! Work requests, their progress and their results.

use serde_json::json;
use std::time::Duration;
use workwire::{
    AgentId, DurationMs, ExitCode, FreeObject, Hints, Outcome, OutputChunk, Percent, Progress, Step, StepNumber,
    TaskId, WorkRequest, WorkResult, WorkStatus, WorkType,
};

use crate::bodies::{TASK, places, requires, work_request, work_result, work_status};

#[test]
fn work_request_requires_task_id() {
    requires(work_request, "/task_id", "WRQ-1");
}

#[test]
fn work_request_requires_work_type() {
    requires(work_request, "/work_type", "WRQ-1");
}

#[test]
fn work_request_parameters_optional() {
    assert!(work_request().read().parameters().is_empty());
    assert!(work_request().with("/parameters", ()).read().parameters().is_empty());
    let given = work_request().with("/parameters", json!({"replicas": 3})).read();
    assert_eq!(given.parameters().as_str(), r#"{"replicas":3}"#);
    work_request().with("/parameters", json!([])).breaks(&[("/parameters", "FLD-1")]);
}

#[test]
fn work_request_hints_optional() {
    assert!(work_request().read().hints().is_empty());
    assert!(work_request().with("/hints", ()).read().hints().is_empty());
    let given = work_request().with("/hints", json!({"deadline_seconds": 30, "region": "eu"})).read();
    assert_eq!(given.hints().deadline_seconds(), Some(30.0));
    work_request().with("/hints", "soon").breaks(&[("/hints", "FLD-1")]);
}

#[test]
fn work_request_serializes() {
    let hints = Hints::default().with("max_memory_mb", 512.0).unwrap();
    let parameters = FreeObject::new().with("service", "web").unwrap();
    let task: TaskId = TASK.parse().unwrap();
    let work_type: WorkType = "deploy_service".parse().unwrap();
    let request = WorkRequest::builder().task_id(task).work_type(work_type).parameters(parameters).hints(hints);
    let text = request.build().unwrap().to_json();
    let expected = r#"{"task_id":"01890a5d-ac96-774b-bcce-b302099a8059","work_type":"deploy_service","parameters":{"service":"web"},"hints":{"max_memory_mb":512.0}}"#;
    assert_eq!(text, expected);
    assert_eq!(WorkRequest::from_json(&text).unwrap().to_json(), expected);
}

#[test]
fn work_request_builder_says_all_that_is_missing() {
    let error = WorkRequest::builder().build().unwrap_err();
    assert_eq!(places(&error), [("/task_id", "WRQ-1"), ("/work_type", "WRQ-1")]);
}

#[test]
fn work_request_type_has_1_to_128_characters() {
    work_request().with("/work_type", "é".repeat(128)).read();
    work_request().with("/work_type", "é".repeat(129)).breaks(&[("/work_type", "WRQ-2")]);
    work_request().with("/work_type", "").breaks(&[("/work_type", "WRQ-2")]);
    work_request().with("/work_type", "a\tb").breaks(&[("/work_type", "TXT-1")]);
}

#[test]
fn cancel_names_the_task_that_it_cancels() {
    let task = TaskId::new();
    let cancel = WorkRequest::cancel(task);
    assert_eq!(cancel.cancels(), Some(task));
    assert_ne!(*cancel.task_id(), task);
    assert!(cancel.work_type().is_cancel());
    assert_eq!(WorkRequest::from_json(&cancel.to_json()).unwrap(), cancel);
    assert_eq!(work_request().read().cancels(), None);
}

#[test]
fn cancel_needs_the_task_in_its_parameters() {
    let cancel = || work_request().with("/work_type", WorkType::CANCEL);
    cancel().breaks(&[("/parameters/task_id", "WRQ-3")]);
    cancel().with("/parameters", json!({"task": TASK})).breaks(&[("/parameters/task_id", "WRQ-3")]);
    cancel().with("/parameters", json!({"task_id": "all"})).breaks(&[("/parameters/task_id", "WRQ-3")]);
    cancel().with("/parameters", json!({"task_id": 7})).breaks(&[("/parameters/task_id", "WRQ-3")]);
    cancel().with("/parameters", json!({"task_id": TASK})).read();
    work_request().with("/parameters", json!({"task_id": 7})).read();
}

#[test]
fn cancel_without_its_task_is_not_built() {
    let builder = WorkRequest::builder().task_id(TaskId::new()).work_type(WorkType::new("cancel").unwrap());
    assert_eq!(places(&builder.clone().build().unwrap_err()), [("/parameters/task_id", "WRQ-3")]);
    let parameters = FreeObject::new().with("task_id", TASK).unwrap();
    assert_eq!(builder.parameters(parameters).build().unwrap().cancels(), Some(TASK.parse().unwrap()));
}

#[test]
fn work_status_requires_its_fields() {
    for field in ["/task_id", "/status", "/progress_percent", "/step"] {
        requires(work_status, field, "WST-1");
    }
    requires(work_status, "/step/number", "WST-1");
    requires(work_status, "/step/name", "WST-1");
}

#[test]
fn work_status_takes_only_the_known_words_and_0_to_100_percent() {
    for word in ["running", "step_completed", "paused"] {
        assert_eq!(work_status().with("/status", word).read().status().as_str(), word);
    }
    work_status().with("/status", "completed").breaks(&[("/status", "WST-2")]);
    for percent in [0, 100] {
        work_status().with("/progress_percent", percent).read();
    }
    for percent in [-1, 101] {
        work_status().with("/progress_percent", percent).breaks(&[("/progress_percent", "WST-3")]);
    }
}

#[test]
fn work_status_step_holds_output_and_its_place() {
    let chunk: OutputChunk = "bytes 0-1023 of 4096".parse().unwrap();
    assert_eq!(chunk.range(), (0, 1023, 4096));
    let step = Step::builder()
        .number(StepNumber::new(2).unwrap())
        .name(workwire::StepName::new("install").unwrap())
        .output("3 packages")
        .output_chunk(chunk)
        .build()
        .unwrap();
    let status = WorkStatus::builder()
        .task_id(TaskId::new())
        .status(Progress::StepCompleted)
        .progress_percent(Percent::MAX)
        .step(step)
        .build()
        .unwrap();
    let same = WorkStatus::from_json(&status.to_json()).unwrap();
    assert_eq!(same.step().output(), "3 packages");
    assert_eq!(same.step().output_chunk().unwrap().to_string(), "bytes 0-1023 of 4096");
    work_status().with("/step/output_chunk", "0-1023").breaks(&[("/step/output_chunk", "WST-6")]);
    work_status().with("/step/output_chunk", "bytes 2-1 of 4").breaks(&[("/step/output_chunk", "WST-7")]);
}

#[test]
fn work_result_requires_task_id() {
    requires(work_result, "/task_id", "WRS-1");
}

#[test]
fn work_result_requires_status() {
    requires(work_result, "/status", "WRS-1");
}

#[test]
fn work_result_requires_exit_code() {
    requires(work_result, "/exit_code", "WRS-1");
}

#[test]
fn work_result_requires_duration_ms() {
    requires(work_result, "/duration_ms", "WRS-1");
}

#[test]
fn work_result_requires_agent_id() {
    requires(work_result, "/agent_id", "WRS-1");
}

#[test]
fn work_result_takes_only_the_known_words() {
    for word in ["completed", "cancelled"] {
        assert_eq!(work_result().with("/status", word).read().status().as_str(), word);
    }
    work_result().with("/status", "done").breaks(&[("/status", "WRS-2")]);
}

#[test]
fn failed_must_have_error_message() {
    let failed = || work_result().with("/status", "failed");
    failed().breaks(&[("/error_message", "WRS-4")]);
    failed().with("/error_message", ()).breaks(&[("/error_message", "WRS-4")]);
    failed().with("/error_message", "").breaks(&[("/error_message", "WRS-4")]);
    let result = failed().with("/error_message", "no such playbook").read();
    assert_eq!(result.error_message().map(String::as_str), Some("no such playbook"));
}

#[test]
fn failed_without_error_message_is_not_built() {
    let failed = WorkResult::builder()
        .task_id(TaskId::new())
        .status(Outcome::Failed)
        .exit_code(ExitCode::MAX)
        .duration_ms(Duration::from_millis(5))
        .agent_id(AgentId::new());
    assert_eq!(places(&failed.clone().build().unwrap_err()), [("/error_message", "WRS-4")]);
    assert_eq!(places(&failed.clone().error_message("").build().unwrap_err()), [("/error_message", "WRS-4")]);
    assert!(failed.error_message("no such playbook").build().is_ok());
}

#[test]
fn completed_can_leave_out_error_message() {
    assert_eq!(work_result().read().error_message(), None);
    assert_eq!(work_result().with("/error_message", "").read().error_message().map(String::as_str), Some(""));
}

#[test]
fn work_result_exit_code_is_not_held_against_its_status() {
    assert_eq!(work_result().with("/exit_code", 1).read().exit_code().get(), 1);
    work_result().with("/exit_code", i64::from(i32::MIN)).read();
    work_result().with("/exit_code", i64::from(i32::MAX) + 1).breaks(&[("/exit_code", "WRS-3")]);
}

#[test]
fn work_result_duration_is_at_least_0_and_held_at_the_greatest() {
    work_result().with("/duration_ms", -1).breaks(&[("/duration_ms", "WRS-5")]);
    work_result().with("/duration_ms", 9_007_199_254_740_992_i64).breaks(&[("/duration_ms", "NUM-3")]);
    assert_eq!(DurationMs::from(Duration::from_micros(2999)).get(), 2);
    assert_eq!(DurationMs::from(Duration::MAX), DurationMs::MAX);
}

#[test]
fn work_result_leaves_out_what_is_absent_and_writes_its_defaults() {
    let text = work_result().read().to_json();
    assert!(text.contains(r#""output":"","#) && text.ends_with(r#""resources_used":{}}"#), "{text}");
    assert!(!text.contains("error_message"), "{text}");
}
