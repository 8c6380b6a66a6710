//! Events of a tenant.

mod stream;

use serde_json::{Value, json};

use crate::document::{Check, Whole, document};
use crate::error::ProtocolError;
use crate::field::{Field, read_list, read_text, refusal, word_field, word_value, write_list};
use crate::free::FreeObject;
use crate::id::EventId;
use crate::json::{Out, Reader, Walk};
use crate::name::{CorrelationId, Name, Reference, TenantId};
use crate::rule::Rule;
use crate::schema::Form;
use crate::time::Timestamp;
use crate::version::Version;
use crate::violation::Path;

word_value! {
    /// What happened.
    EventType, rule: Evt2, expected: "one of task_assigned, task_completed, task_failed, handoff_request, handoff_validated, handoff_rejected, context_updated, agent_registered, agent_health",
    {
        /// A task was given to an agent.
        TaskAssigned = "task_assigned",
        /// A task was done.
        TaskCompleted = "task_completed",
        /// A task could not be done.
        TaskFailed = "task_failed",
        /// An agent wants to hand work on.
        HandoffRequest = "handoff_request",
        /// The hand-off is right.
        HandoffValidated = "handoff_validated",
        /// The hand-off is refused.
        HandoffRejected = "handoff_rejected",
        /// Shared context changed.
        ContextUpdated = "context_updated",
        /// An agent is new.
        AgentRegistered = "agent_registered",
        /// How an agent is.
        AgentHealth = "agent_health",
    }
}

word_value! {
    /// How much an event matters.
    EventPriority, rule: Evt4, expected: "one of low, normal, high, critical",
    {
        /// When there is time.
        Low = "low",
        /// As usual.
        Normal = "normal",
        /// Before the others.
        High = "high",
        /// At once.
        Critical = "critical",
    }
}

word_field!(EventPriority);

#[allow(clippy::derivable_impls, reason = "the words come from a macro that knows no default")]
impl Default for EventPriority {
    fn default() -> Self {
        EventPriority::Normal
    }
}

impl Field for EventType {
    fn read(reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<Option<Self>> {
        let lenient = reader.mode.lenient;
        read_text(reader, at, |text| {
            let word =
                if lenient { EventType::from_word(&text.to_ascii_lowercase()) } else { EventType::from_word(&text) };
            word.ok_or(EventType::REFUSAL)
        })
    }

    fn write(&self, out: &mut Out) {
        out.plain(self.as_str());
    }

    fn schema(form: Form) -> Value {
        if form == Form::Open {
            // A lenient reader takes any case, which an enumeration cannot say.
            let any_case = EventType::ALL.iter().map(|word| any_case(word.as_str())).collect::<Vec<_>>().join("|");
            let mut schema = EventType::words_schema();
            if let Some(members) = schema.as_object_mut() {
                members.remove("enum");
                members.insert("pattern".into(), json!(format!("^(?:{any_case})$")));
            }
            return schema;
        }
        EventType::words_schema()
    }
}

fn any_case(word: &str) -> String {
    word.chars().map(|c| if c == '_' { "_".to_owned() } else { format!("[{c}{}]", c.to_ascii_uppercase()) }).collect()
}

/// Who an event went through, the first one first; never empty, and a name may stand twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallChain(Vec<Name>);

impl CallChain {
    /// Takes the names.
    ///
    /// # Errors
    /// Refuses an empty list.
    pub fn new(names: Vec<Name>) -> Result<Self, ProtocolError> {
        if names.is_empty() {
            return Err(ProtocolError::value(Rule::Evt5, NOT_EMPTY, "[]"));
        }
        Ok(CallChain(names))
    }

    /// The names.
    #[must_use]
    pub fn names(&self) -> &[Name] {
        &self.0
    }
}

const NOT_EMPTY: &str = "at least one name";

impl From<Name> for CallChain {
    fn from(name: Name) -> Self {
        CallChain(vec![name])
    }
}

impl Field for CallChain {
    fn read(reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<Option<Self>> {
        reader.kind()?;
        let start = reader.offset();
        let names = read_list::<Name>(reader, at)?;
        if names.as_ref().is_some_and(Vec::is_empty) {
            let broken = refusal(Rule::Evt5, NOT_EMPTY);
            reader.refuse(start, at, broken.rule, broken.expected);
            return Ok(None);
        }
        Ok(names.map(CallChain))
    }

    fn write(&self, out: &mut Out) {
        write_list(&self.0, out);
    }

    fn schema(form: Form) -> Value {
        json!({"type": "array", "minItems": 1, "items": Name::schema(form), "examples": [["planner-1", "coder-2"]]})
    }
}

impl Field for Vec<Reference> {
    fn read(reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<Option<Self>> {
        read_list(reader, at)
    }

    fn write(&self, out: &mut Out) {
        write_list(self, out);
    }

    fn schema(form: Form) -> Value {
        json!({"type": "array", "items": Reference::schema(form), "examples": [["s3://results/4711.json"]]})
    }
}

document! {
    /// Something happened in a tenant.
    AgentEvent, builder: AgentEventBuilder, parts: AgentEventParts, missing: Evt1,
    {
        /// Unique to this event.
        event_id "event_id": EventId = required;
        /// The version of the protocol.
        version "version": Version = default(Version::CURRENT);
        /// What happened.
        event_type "event_type": EventType = required, example r#""task_completed""#;
        /// When.
        timestamp "timestamp": Timestamp = required;
        /// Whose event it is.
        tenant_id "tenant_id": TenantId = required;
        /// How much it matters.
        priority "priority": EventPriority = default(EventPriority::Normal), example r#""normal""#;
        /// Who made it.
        source_agent_id "source_agent_id": Name = required;
        /// Who it went through; the source among them.
        call_chain "call_chain": CallChain = required;
        /// Small data; free.
        data "data": FreeObject = default(FreeObject::new()), example r#"{"task_id": "4711"}"#;
        /// Where large data lies.
        context_refs "context_refs": Vec<Reference> = default(Vec::new());
        /// What ties events to each other.
        correlation_id "correlation_id": CorrelationId = optional;
        /// The event that caused this one.
        parent_event_id "parent_event_id": EventId = optional;
    }
}

impl Whole for AgentEvent {
    type Parts = AgentEventParts;

    fn check(parts: &mut Self::Parts, check: &mut Check<'_>) {
        let (Some(source), Some(chain)) = (&parts.source_agent_id.value, &parts.call_chain.value) else { return };
        if !chain.0.contains(source) {
            let names: Vec<&str> = chain.0.iter().map(Name::as_str).collect();
            let place = parts.call_chain.place().unwrap_or_default();
            let expected = format!("a chain that holds the source, {source}");
            check.report.add(place, &check.at.key("call_chain"), Rule::Evt6, expected, Some(&names.join(", ")));
        }
    }
}

impl AgentEvent {
    /// Begins an event with an id and a time of its own; its chain is its source.
    pub fn compose(event_type: EventType, tenant: TenantId, source: Name) -> AgentEventBuilder {
        AgentEvent::builder()
            .event_id(EventId::new())
            .event_type(event_type)
            .timestamp(Timestamp::now())
            .tenant_id(tenant)
            .call_chain(source.clone())
            .source_agent_id(source)
    }

    /// Begins the event that an agent makes because of this one: the chain goes on, tenant and
    /// correlation stay, this event is its parent.
    pub fn caused(&self, agent: Name, event_type: EventType) -> AgentEventBuilder {
        let mut chain = self.call_chain.clone();
        chain.0.push(agent.clone());
        let next = AgentEvent::compose(event_type, self.tenant_id.clone(), agent)
            .call_chain(chain)
            .parent_event_id(self.event_id);
        match &self.correlation_id {
            Some(id) => next.correlation_id(id.clone()),
            None => next,
        }
    }
}
