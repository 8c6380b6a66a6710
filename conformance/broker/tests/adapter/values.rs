//! Any value of each type on the wire.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::Value;
use uuid::Uuid;
use workwire::{AgentId, AgentStatus, AgentType, MessageId, Name, Resources, StatusUpdate, TaskId, Timestamp};
use workwire_broker::adapter::wire::{
    Encoding, Id, Item, Kind, Limits, Outcome, QueueName, Refused, RpcError, Runner, Seen, Taken, Violation, Word,
};
use workwire_broker::clock::timestamp;
use workwire_broker::{
    AgentState, Batch, Capability, Choices, CloseMode, Depth, Health, HealthStatus, NewGroup, Overflow, Policy,
    RestartMode, RetryPlace, SameId, Stored, Update,
};

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z0-9._-]{1,12}", any::<String>()]
}

pub(crate) fn message_id() -> impl Strategy<Value = MessageId> {
    any::<u128>().prop_map(|number| Uuid::from_u128(number).into())
}

pub(crate) fn queue() -> impl Strategy<Value = QueueName> {
    (of(text()), text()).prop_map(|(tenant, name)| QueueName { tenant, name })
}

pub(crate) fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![Just(Encoding::Utf8), Just(Encoding::Base64)]
}

pub(crate) fn item() -> impl Strategy<Value = Item> {
    (message_id(), text(), encoding(), of(any::<i64>()), of(any::<i64>()), of(any::<i64>()), of(text())).prop_map(
        |(id, body, encoding, priority, ttl_ms, delay_ms, to)| Item {
            id,
            body,
            encoding,
            priority,
            ttl_ms,
            delay_ms,
            to,
        },
    )
}

pub(crate) fn seen() -> impl Strategy<Value = Seen> {
    (message_id(), text(), encoding(), any::<i64>(), any::<u32>())
        .prop_map(|(id, body, encoding, priority, attempt)| Seen { id, body, encoding, priority, attempt })
}

pub(crate) fn taken() -> impl Strategy<Value = Taken> {
    (text(), seen()).prop_map(|(tag, Seen { id, body, encoding, priority, attempt })| Taken {
        tag,
        id,
        body,
        encoding,
        priority,
        attempt,
    })
}

pub(crate) fn stored() -> impl Strategy<Value = Stored> {
    prop_oneof![Just(Stored::Stored), Just(Stored::Duplicate)]
}

pub(crate) fn outcome() -> impl Strategy<Value = Outcome> {
    let refused = (any::<i64>(), text()).prop_map(|(code, message)| Refused { code, message });
    prop_oneof![stored().prop_map(Outcome::Stored), refused.prop_map(Outcome::Refused)]
}

pub(crate) fn word() -> impl Strategy<Value = Word> {
    prop_oneof![Just(Word::Done), Just(Word::Retry), Just(Word::Dead)]
}

pub(crate) fn policy() -> impl Strategy<Value = Policy> {
    let overflow = prop_oneof![Just(Overflow::Reject), Just(Overflow::DropOldest)];
    let numbers = (any::<i64>(), any::<i64>(), any::<i64>(), any::<i64>());
    (numbers, vec(any::<i64>(), 0..4), of(any::<i64>()), of(any::<i64>()), overflow).prop_map(
        |((max_priority, max_attempts, lease_ms, dedupe_ms), backoff_ms, ttl_ms, max_length, overflow)| Policy {
            max_priority,
            max_attempts,
            lease_ms,
            backoff_ms,
            ttl_ms,
            max_length,
            overflow,
            dedupe_ms,
        },
    )
}

pub(crate) fn depth() -> impl Strategy<Value = Depth> {
    (any::<u64>(), of(any::<u64>()), of(any::<u64>()), of(any::<u64>()))
        .prop_map(|(ready, leased, delayed, dead)| Depth { ready, leased, delayed, dead })
}

pub(crate) fn close_mode() -> impl Strategy<Value = CloseMode> {
    prop_oneof![Just(CloseMode::Graceful), Just(CloseMode::Abort)]
}

pub(crate) fn restart_mode() -> impl Strategy<Value = RestartMode> {
    prop_oneof![Just(RestartMode::Graceful), Just(RestartMode::Kill)]
}

pub(crate) fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Envelope), Just(Kind::Channel), Just(Kind::Event)]
}

pub(crate) fn violation() -> impl Strategy<Value = Violation> {
    (text(), text(), text()).prop_map(|(pointer, rule, message)| Violation { pointer, rule, message })
}

pub(crate) fn runner() -> impl Strategy<Value = Runner> {
    (text(), text()).prop_map(|(name, version)| Runner { name, version })
}

pub(crate) fn capabilities() -> impl Strategy<Value = Vec<Capability>> {
    proptest::sample::subsequence(Capability::ALL.to_vec(), 0..=Capability::ALL.len())
}

pub(crate) fn limits() -> impl Strategy<Value = Limits> {
    (any::<i64>(), any::<u64>())
        .prop_map(|(max_priority, max_message_bytes)| Limits { max_priority, max_message_bytes })
}

pub(crate) fn choices() -> impl Strategy<Value = Choices> {
    any::<[bool; 4]>().prop_map(|[conflict, new, back, all_or_none]| Choices {
        same_id_other_body: if conflict { SameId::Conflict } else { SameId::Duplicate },
        new_group: if new { NewGroup::New } else { NewGroup::All },
        retry_place: if back { RetryPlace::Back } else { RetryPlace::Keeps },
        batch: if all_or_none { Batch::AllOrNone } else { Batch::Each },
    })
}

pub(crate) fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(timestamp)
}

pub(crate) fn update() -> impl Strategy<Value = Update> {
    let agent = (any::<u128>(), of(any::<u128>()), any::<bool>(), time()).prop_map(|(agent, task, is_idle, at)| {
        let update = StatusUpdate::builder()
            .agent_id(AgentId::from_uuid(Uuid::from_u128(agent)))
            .agent_type(AgentType::Code)
            .status(if is_idle { AgentStatus::Online } else { AgentStatus::Busy })
            .timestamp(at);
        let update = match task {
            Some(task) => update.current_task_id(TaskId::from_uuid(Uuid::from_u128(task))),
            None => update.resources(Resources::new(0.5, 100.0, 1e-3, 8.0).unwrap()),
        };
        Update::Agent(update.build().unwrap())
    });
    let counts = (of(any::<u64>()), of(any::<u64>()), of(any::<u64>()));
    let health = ("[A-Za-z0-9][A-Za-z0-9._-]{0,9}", of(text()), counts, of(time())).prop_map(
        |(agent, current_task, (messages_pending, messages_processed, error_count), timestamp)| {
            Update::Channel(Health {
                current_task,
                messages_pending,
                messages_processed,
                error_count,
                timestamp,
                ..Health::new(Name::new(&agent).unwrap(), HealthStatus::Idle)
            })
        },
    );
    prop_oneof![agent, health]
}

pub(crate) fn agent_state() -> impl Strategy<Value = AgentState> {
    (update(), time(), any::<bool>()).prop_map(|(update, at, offline)| AgentState::of(&update, at, offline))
}

pub(crate) fn id() -> impl Strategy<Value = Id> {
    prop_oneof![any::<i64>().prop_map(Id::Number), text().prop_map(Id::Text)]
}

pub(crate) fn rpc_error() -> impl Strategy<Value = RpcError> {
    (any::<i64>(), text(), of(json_value())).prop_map(|(code, message, data)| RpcError {
        code,
        message,
        // `null` is absence.
        data: data.filter(|data| !data.is_null()),
    })
}

pub(crate) fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((text(), inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An object with one member more, which nobody has named.
pub(crate) fn with_more(text: &str) -> String {
    let start = text.strip_suffix('}').unwrap();
    let comma = if start == "{" { "" } else { "," };
    format!("{start}{comma}\"x_more\":{{\"a\":[1,null]}}}}")
}
