//! A valid envelope around something that is made to be large.

const HEAD: &str = r#""message_id":"01890a5d-ac96-774b-bcce-b302099a8057","from_agent":"orchestrator","to_agent":"infra","timestamp":"2026-03-01T09:30:00Z","trace_id":"4bf92f35-77b3-4da6-a3ce-929d0e0e4736","request_id":"01890a5d-ac96-774b-bcce-b302099a8058","type":"work_request""#;
const WORK: &str = r#""task_id":"01890a5d-ac96-774b-bcce-b302099a8059","work_type":"echo""#;
const EVENT: &str = r#"{"event_id":"01890a5d-ac96-774b-bcce-b302099a8057","event_type":"task_failed","timestamp":"2026-03-01T09:30:00Z","tenant_id":"acme","source_agent_id":"a""#;

/// A request with more fields, each behind a comma.
pub(crate) fn with_fields(fields: &str) -> String {
    format!(r#"{{{HEAD},"payload":{{{WORK}}}{fields}}}"#)
}

/// A request with this value in its free content.
pub(crate) fn with_content(value: &str) -> String {
    format!(r#"{{{HEAD},"payload":{{{WORK},"parameters":{{"a":{value}}}}}}}"#)
}

/// A request with these hints.
pub(crate) fn with_hints(members: &str) -> String {
    format!(r#"{{{HEAD},"payload":{{{WORK},"hints":{{{members}}}}}}}"#)
}

/// An event with more fields, each behind a comma.
pub(crate) fn event_with(fields: &str) -> String {
    format!("{EVENT}{fields}}}")
}

/// Texts made of a counter, one after the other.
pub(crate) fn counted(times: usize, mut write: impl FnMut(&mut String, usize)) -> String {
    let mut out = String::with_capacity(times * 24);
    for index in 0..times {
        write(&mut out, index);
    }
    out
}
