//! The envelope of a task message.

use serde_json::Value;

use crate::document::{Check, FieldInfo, Need, Slot, json_of};
use crate::field::Field;
use crate::free::{Extra, FreeObject, FreeValue, Unknown};
use crate::id::{MessageId, RequestId, TraceId};
use crate::json::{Cursor, Fields, Key, Kind, Out, Reader, Walk};
use crate::name::{AgentType, MessageType};
use crate::number::Priority;
use crate::payload::Payload;
use crate::rule::Rule;
use crate::schema::Form;
use crate::time::Timestamp;
use crate::version::Version;
use crate::violation::{Path, Report, Violations};

/// A task message between an orchestrator and its agents.
///
/// ```
/// use workwire::{AgentType, MessageEnvelope, Payload, WorkRequest, WorkResult, TaskId, AgentId, Outcome};
/// let request = WorkRequest::builder().task_id(TaskId::new()).work_type("echo".parse::<workwire::WorkType>()?).build()?;
/// let envelope = MessageEnvelope::new(AgentType::Orchestrator, AgentType::Infra, request);
/// let same = MessageEnvelope::from_json(&envelope.to_json())?;
/// assert_eq!(same, envelope);
/// let Payload::WorkRequest(request) = same.payload() else { unreachable!() };
/// let result = WorkResult::builder()
///     .task_id(*request.task_id()).status(Outcome::Completed).agent_id(AgentId::new())
///     .exit_code(workwire::ExitCode::default()).duration_ms(std::time::Duration::from_millis(5))
///     .build()?;
/// let reply = same.reply(result);
/// assert_eq!(reply.to_agent(), AgentType::Orchestrator);
/// assert_eq!(reply.trace_id(), envelope.trace_id());
/// # Ok::<(), workwire::ProtocolError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MessageEnvelope {
    protocol_version: Version,
    message_id: MessageId,
    from_agent: AgentType,
    to_agent: AgentType,
    timestamp: Timestamp,
    trace_id: TraceId,
    request_id: RequestId,
    priority: Priority,
    payload: Payload,
    x_custom_fields: FreeObject,
    extra: Extra,
}

/// A [`MessageEnvelope`] by its short name.
pub type Envelope = MessageEnvelope;

impl MessageEnvelope {
    /// Makes a message of a new flow: ids and time of its own, priority 3. It is of the version that
    /// this library speaks: fields of a later one that the payload was read with are left out.
    #[must_use]
    pub fn new(from_agent: AgentType, to_agent: AgentType, payload: impl Into<Payload>) -> Self {
        MessageEnvelope {
            protocol_version: Version::CURRENT,
            message_id: MessageId::new(),
            from_agent,
            to_agent,
            timestamp: Timestamp::now(),
            trace_id: TraceId::new(),
            request_id: RequestId::new(),
            priority: Priority::default(),
            payload: payload.into().without_extra(),
            x_custom_fields: FreeObject::new(),
            extra: Extra::default(),
        }
    }

    /// Makes the answering message: sender and receiver swapped, the same trace, request and
    /// priority, an id and a time of its own.
    #[must_use]
    pub fn reply(&self, payload: impl Into<Payload>) -> Self {
        MessageEnvelope {
            trace_id: self.trace_id,
            request_id: self.request_id,
            priority: self.priority,
            ..MessageEnvelope::new(self.to_agent, self.from_agent, payload)
        }
    }

    pub(crate) fn with_payload(self, payload: impl Into<Payload>) -> Self {
        MessageEnvelope { payload: payload.into(), ..self }
    }

    /// The same message with another id.
    #[must_use]
    pub fn with_message_id(self, message_id: MessageId) -> Self {
        MessageEnvelope { message_id, ..self }
    }

    /// The same message as a part of a flow.
    #[must_use]
    pub fn with_trace_id(self, trace_id: TraceId) -> Self {
        MessageEnvelope { trace_id, ..self }
    }

    /// The same message for a request.
    #[must_use]
    pub fn with_request_id(self, request_id: RequestId) -> Self {
        MessageEnvelope { request_id, ..self }
    }

    /// The same message, made at another time.
    #[must_use]
    pub fn with_timestamp(self, timestamp: Timestamp) -> Self {
        MessageEnvelope { timestamp, ..self }
    }

    /// The same message, more or less urgent.
    #[must_use]
    pub fn with_priority(self, priority: Priority) -> Self {
        MessageEnvelope { priority, ..self }
    }

    /// The same message with extensions of the sender's own.
    #[must_use]
    pub fn with_custom_fields(self, x_custom_fields: FreeObject) -> Self {
        MessageEnvelope { x_custom_fields, ..self }
    }

    /// The version of the protocol.
    #[must_use]
    pub fn protocol_version(&self) -> Version {
        self.protocol_version
    }

    /// Unique to this message.
    #[must_use]
    pub fn message_id(&self) -> MessageId {
        self.message_id
    }

    /// Who sends it.
    #[must_use]
    pub fn from_agent(&self) -> AgentType {
        self.from_agent
    }

    /// Who is to receive it.
    #[must_use]
    pub fn to_agent(&self) -> AgentType {
        self.to_agent
    }

    /// When it was made.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The flow that it belongs to.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The request that it is, or answers.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        self.request_id
    }

    /// What kind of message it is.
    #[must_use]
    pub fn message_type(&self) -> MessageType {
        self.payload.message_type()
    }

    /// How urgent it is.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// What it says.
    #[must_use]
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// What it says, taken out of it.
    #[must_use]
    pub fn into_payload(self) -> Payload {
        self.payload
    }

    /// The sender's own extensions.
    #[must_use]
    pub fn x_custom_fields(&self) -> &FreeObject {
        &self.x_custom_fields
    }

    /// A field of a later minor version that this library does not know.
    #[must_use]
    pub fn extra(&self, key: &str) -> Option<FreeValue<'_>> {
        self.extra.get(key)
    }

    /// What it should not do, though it may.
    #[must_use]
    pub fn warnings(&self) -> Violations {
        let mut report = Report::default();
        let place = Path::Root.key("to_agent");
        let found = Some(self.to_agent.as_str());
        match self.payload {
            Payload::WorkRequest(_) if self.from_agent == self.to_agent => {
                report.add(0, &place, Rule::Env6, "another agent type than the sender's", found);
            }
            Payload::StatusUpdate(_) if self.to_agent != AgentType::Orchestrator => {
                report.add(0, &place, Rule::Env7, "orchestrator", found);
            }
            _ => {}
        }
        report.finish()
    }

    pub(crate) const DOCS: &'static [&'static str] = &[" A task message between an orchestrator and its agents."];

    /// The fields around the payload, which depends on the type.
    pub(crate) fn table(form: Form) -> Vec<FieldInfo> {
        fn info<T: Field>(name: &'static str, doc: &'static [&'static str], need: Need, form: Form) -> FieldInfo {
            FieldInfo { name, docs: doc, need, example: None, schema: T::schema(form) }
        }
        let default = |json: String| Need::Default(json);
        let mut rows = vec![
            info::<Version>(
                "protocol_version",
                &[" The version of the protocol, MAJOR.MINOR."],
                default(json_of(&Version::CURRENT)),
                form,
            ),
            info::<MessageId>("message_id", &[" Unique to this message."], Need::Required, form),
            info::<AgentType>("from_agent", &[" Who sends it."], Need::Required, form),
            info::<AgentType>("to_agent", &[" Who is to receive it."], Need::Required, form),
            info::<Timestamp>("timestamp", &[" When it was made."], Need::Required, form),
            info::<TraceId>("trace_id", &[" The flow that it belongs to, from end to end."], Need::Required, form),
            info::<RequestId>("request_id", &[" The request that it is, or answers."], Need::Required, form),
            info::<MessageType>("type", &[" What kind of message it is."], Need::Required, form),
            info::<Priority>(
                "priority",
                &[" How urgent it is: 1 to 5, 5 the most urgent."],
                default(json_of(&Priority::default())),
                form,
            ),
            info::<FreeObject>("payload", &[" What it says: the message of its type."], Need::Required, form),
            info::<FreeObject>(
                "x_custom_fields",
                &[" The sender's own extensions; any keys."],
                default("{}".to_owned()),
                form,
            ),
        ];
        for row in &mut rows {
            row.example = match row.name {
                "from_agent" => Some(r#""orchestrator""#),
                "to_agent" => Some(r#""infra""#),
                "type" => Some(r#""work_request""#),
                "payload" => {
                    Some(r#"{"task_id": "01890a5d-ac96-774b-bcce-b302099a8057", "work_type": "deploy_service"}"#)
                }
                "x_custom_fields" => Some(r#"{"team": "web"}"#),
                _ => None,
            };
        }
        rows
    }
}

macro_rules! fields {
    ($($name:literal)+) => { Fields { names: &[$($name),+], quoted: &[$(concat!("\"", $name, "\":")),+] } };
}

const FIELDS: Fields = fields! {
    "protocol_version" "message_id" "from_agent" "to_agent" "timestamp" "trace_id" "request_id" "type" "priority"
    "payload" "x_custom_fields"
};

#[derive(Default)]
struct Parts {
    protocol_version: Slot<Version>,
    message_id: Slot<MessageId>,
    from_agent: Slot<AgentType>,
    to_agent: Slot<AgentType>,
    timestamp: Slot<Timestamp>,
    trace_id: Slot<TraceId>,
    request_id: Slot<RequestId>,
    message_type: Slot<MessageType>,
    priority: Slot<Priority>,
    payload: Slot<Payload>,
    x_custom_fields: Slot<FreeObject>,
}

impl Parts {
    /// Reads the field of that index in [`FIELDS`].
    fn read(&mut self, index: usize, reader: &mut Reader<'_>, root: &Path<'_>) -> Walk<()> {
        let at = &root.key(FIELDS.names[index]);
        match index {
            0 => self.protocol_version.optional(reader, at),
            1 => self.message_id.required(reader, at),
            2 => self.from_agent.required(reader, at),
            3 => self.to_agent.required(reader, at),
            4 => self.timestamp.required(reader, at),
            5 => self.trace_id.required(reader, at),
            6 => self.request_id.required(reader, at),
            7 => self.message_type.required(reader, at),
            8 => self.priority.optional(reader, at),
            9 => self.read_payload(reader, at),
            10 => self.x_custom_fields.optional(reader, at),
            _ => Ok(()),
        }
    }

    /// The payload is read once, by its type. Where the type comes later, it is looked for first.
    fn read_payload(&mut self, reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<()> {
        if !self.payload.begin(reader, at)? {
            return Ok(());
        }
        if reader.kind()? != Kind::Object {
            return reader.mismatch(at, "an object");
        }
        if reader.is_empty_object() {
            let start = reader.offset();
            reader.pass(at)?;
            reader.refuse(start, at, Rule::Env5, "a message of its type, never empty");
            return Ok(());
        }
        let message_type = if self.message_type.is_absent() {
            reader.look_ahead("type").and_then(|word| MessageType::from_word(&word))
        } else {
            self.message_type.value
        };
        match message_type {
            Some(message_type) => self.payload.value = Payload::read(message_type, reader, at)?,
            None => reader.pass(at)?,
        }
        Ok(())
    }

    fn finish(self, extra: Extra, check: &mut Check<'_>) -> Option<MessageEnvelope> {
        self.message_id.demand(check, "message_id", Rule::Env1);
        self.from_agent.demand(check, "from_agent", Rule::Env1);
        self.to_agent.demand(check, "to_agent", Rule::Env1);
        self.timestamp.demand(check, "timestamp", Rule::Env1);
        self.trace_id.demand(check, "trace_id", Rule::Env1);
        self.request_id.demand(check, "request_id", Rule::Env1);
        self.message_type.demand(check, "type", Rule::Env1);
        self.payload.demand(check, "payload", Rule::Env1);
        Some(MessageEnvelope {
            protocol_version: self.protocol_version.value.unwrap_or_default(),
            message_id: self.message_id.value?,
            from_agent: self.from_agent.value?,
            to_agent: self.to_agent.value?,
            timestamp: self.timestamp.value?,
            trace_id: self.trace_id.value?,
            request_id: self.request_id.value?,
            priority: self.priority.value.unwrap_or_default(),
            payload: self.payload.value?,
            x_custom_fields: self.x_custom_fields.value.unwrap_or_default(),
            extra,
        })
    }
}

impl Field for MessageEnvelope {
    fn read(reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<Option<Self>> {
        reader.open_object()?;
        let mut parts = Parts::default();
        let mut unknown = Unknown::default();
        let mut cursor = Cursor::START;
        while let Some(key) = reader.next_field(&FIELDS, &mut cursor)? {
            match key {
                Key::Field(index) => parts.read(index, reader, at)?,
                Key::Other(key) => unknown.take(reader, at, key)?,
            }
        }
        let extra = unknown.finish(reader);
        let end = reader.offset() - 1;
        let source = reader.source();
        Ok(parts.finish(extra, &mut Check { report: &mut reader.report, at, end, fields: FIELDS.names, source }))
    }

    fn write(&self, out: &mut Out) {
        out.raw("{\"protocol_version\":");
        self.protocol_version.write(out);
        out.raw(",\"message_id\":");
        self.message_id.write(out);
        out.raw(",\"from_agent\":");
        self.from_agent.write(out);
        out.raw(",\"to_agent\":");
        self.to_agent.write(out);
        out.raw(",\"timestamp\":");
        self.timestamp.write(out);
        out.raw(",\"trace_id\":");
        self.trace_id.write(out);
        out.raw(",\"request_id\":");
        self.request_id.write(out);
        out.raw(",\"type\":");
        self.message_type().write(out);
        out.raw(",\"priority\":");
        self.priority.write(out);
        out.raw(",\"payload\":");
        self.payload.write(out);
        out.raw(",\"x_custom_fields\":");
        self.x_custom_fields.write(out);
        self.extra.write(out);
        out.raw("}");
    }

    fn room(&self) -> usize {
        // Nine fields of a known length, and three that are free.
        512 + self.payload.room() + self.x_custom_fields.room()
    }

    fn schema(form: Form) -> Value {
        crate::schema::envelope(form)
    }
}
