//! A valid message of each kind as JSON, to be changed one place at a time.

use std::marker::PhantomData;

use serde_json::{Value, json};
use workwire::{
    AgentEvent, ChannelMessage, Decoder, Document, ErrorMessage, MessageEnvelope, ProtocolError, StatusUpdate,
    WorkRequest, WorkResult, WorkStatus,
};

pub(crate) const MESSAGE: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
pub(crate) const TRACE: &str = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";
pub(crate) const REQUEST: &str = "01890a5d-ac96-774b-bcce-b302099a8058";
pub(crate) const TASK: &str = "01890a5d-ac96-774b-bcce-b302099a8059";
pub(crate) const AGENT: &str = "01890a5d-ac96-774b-bcce-b302099a805a";
pub(crate) const MOMENT: &str = "2026-03-01T09:30:00Z";

/// The JSON of a document of type `D`.
pub(crate) struct Body<D> {
    value: Value,
    document: PhantomData<D>,
}

impl<D: Document> Body<D> {
    fn new(value: Value) -> Self {
        Body { value, document: PhantomData }
    }

    /// The same with another value at a pointer, whose parent is there.
    pub(crate) fn with(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        self.value.pointer_mut(parent).unwrap()[key] = value.into();
        self
    }

    /// The same without the member at a pointer.
    pub(crate) fn without(mut self, pointer: &str) -> Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let removed = self.value.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
        assert!(removed.is_some(), "{pointer} was not there");
        self
    }

    pub(crate) fn text(&self) -> String {
        self.value.to_string()
    }

    pub(crate) fn decode(&self) -> Result<D, ProtocolError> {
        D::from_json(&self.text())
    }

    /// The document, which is valid.
    pub(crate) fn read(&self) -> D {
        self.decode().unwrap_or_else(|error| panic!("{}\nis refused:\n{error}", self.value))
    }

    pub(crate) fn read_leniently(&self) -> D {
        Decoder::lenient().decode(self.text().as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", self.value))
    }

    /// Why the document, which is not valid, is refused.
    pub(crate) fn error(&self) -> ProtocolError {
        match self.decode() {
            Ok(document) => panic!("{} is accepted", document.to_json()),
            Err(error) => error,
        }
    }

    /// Requires that these places break these rules and nothing else is wrong.
    #[track_caller]
    pub(crate) fn breaks(&self, expected: &[(&str, &str)]) {
        let error = self.error();
        assert_eq!(places(&error), expected, "{error}");
        assert_eq!(error.total(), expected.len());
    }
}

/// Pointer and rule of each violation.
pub(crate) fn places(error: &ProtocolError) -> Vec<(&str, &'static str)> {
    error.violations().iter().map(|violation| (violation.pointer(), violation.rule().id())).collect()
}

/// Requires a field: without it, the rule is broken there; `null` does not stand for it.
#[track_caller]
pub(crate) fn requires<D: Document>(make: fn() -> Body<D>, pointer: &str, rule: &str) {
    let missing = make().without(pointer);
    missing.breaks(&[(pointer, rule)]);
    assert_eq!(missing.error().violations()[0].found(), None);
    make().with(pointer, Value::Null).breaks(&[(pointer, "FLD-1")]);
}

fn envelope(message_type: &str, payload: &Value) -> Body<MessageEnvelope> {
    let (from, to) = match message_type {
        "work_request" => ("orchestrator", "infra"),
        _ => ("infra", "orchestrator"),
    };
    let value = json!({
        "message_id": MESSAGE, "from_agent": from, "to_agent": to, "timestamp": MOMENT, "trace_id": TRACE,
        "request_id": REQUEST, "type": message_type, "payload": payload
    });
    Body::new(value)
}

pub(crate) fn request() -> Body<MessageEnvelope> {
    envelope("work_request", &work_request().value)
}

pub(crate) fn result() -> Body<MessageEnvelope> {
    envelope("work_result", &work_result().value)
}

pub(crate) fn heartbeat() -> Body<MessageEnvelope> {
    envelope("status_update", &status_update().value)
}

/// An envelope of each message type.
pub(crate) fn envelopes() -> Vec<Body<MessageEnvelope>> {
    let status = envelope("work_status", &work_status().value);
    vec![request(), status, result(), heartbeat(), envelope("error", &error_message().value)]
}

pub(crate) fn work_request() -> Body<WorkRequest> {
    Body::new(json!({"task_id": TASK, "work_type": "deploy_service"}))
}

pub(crate) fn work_status() -> Body<WorkStatus> {
    let step = json!({"number": 2, "name": "install packages"});
    Body::new(json!({"task_id": TASK, "status": "running", "progress_percent": 40, "step": step}))
}

pub(crate) fn work_result() -> Body<WorkResult> {
    Body::new(json!({
        "task_id": TASK, "status": "completed", "exit_code": 0, "duration_ms": 1250, "agent_id": AGENT
    }))
}

pub(crate) fn status_update() -> Body<StatusUpdate> {
    Body::new(json!({"agent_id": AGENT, "agent_type": "infra", "status": "online", "timestamp": MOMENT}))
}

pub(crate) fn error_message() -> Body<ErrorMessage> {
    Body::new(json!({"error_code": 2004, "error_message": "no agent of type infra is online"}))
}

pub(crate) fn channel_message() -> Body<ChannelMessage> {
    Body::new(json!({
        "id": MESSAGE, "type": "context.query", "timestamp": MOMENT, "from_agent": "planner-1",
        "payload": {"query": "who owns the web service?"}
    }))
}

pub(crate) fn event() -> Body<AgentEvent> {
    Body::new(json!({
        "event_id": MESSAGE, "event_type": "task_completed", "timestamp": MOMENT, "tenant_id": "acme",
        "source_agent_id": "coder-2", "call_chain": ["planner-1", "coder-2"]
    }))
}
