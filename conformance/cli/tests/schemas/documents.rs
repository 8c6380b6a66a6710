//! Documents that nobody wrote, with right values in all of their fields.

use proptest::prelude::*;
use serde_json::{Map, Value};
use workwire::DocumentKind;

use super::right::right;

/// Whether a field is always there.
#[derive(Clone, Copy, PartialEq)]
enum Need {
    Always,
    /// It may be left out or `null`.
    Sometimes,
}
use Need::{Always, Sometimes};

type Row = (&'static str, Need, BoxedStrategy<Value>);

fn row(name: &'static str, need: Need) -> Row {
    (name, need, right(name))
}

fn as_a(name: &'static str, need: Need, of: &str) -> Row {
    (name, need, right(of))
}

/// An object with these fields, in any order.
fn object(rows: Vec<Row>) -> BoxedStrategy<Value> {
    let fields: Vec<BoxedStrategy<Option<(&'static str, Value)>>> = rows
        .into_iter()
        .map(|(name, need, values)| {
            let there = values.prop_map(move |value| Some((name, value)));
            match need {
                Always => there.boxed(),
                Sometimes => prop_oneof![3 => there, 1 => Just(None), 1 => Just(Some((name, Value::Null)))].boxed(),
            }
        })
        .collect();
    fields
        .prop_map(|fields| {
            let members: Map<String, Value> =
                fields.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)).collect();
            Value::Object(members)
        })
        .boxed()
}

/// An object that is empty or has all of its fields.
fn all_or_nothing(rows: Vec<Row>) -> BoxedStrategy<Value> {
    prop_oneof![1 => Just(Value::Object(Map::new())), 3 => object(rows)].boxed()
}

pub(crate) fn document(kind: DocumentKind) -> BoxedStrategy<Value> {
    match kind {
        DocumentKind::Envelope => prop_oneof![
            envelope("work_request", work_request()),
            envelope("work_status", work_status()),
            envelope("work_result", work_result()),
            envelope("status_update", status_update()),
            envelope("error", error()),
        ]
        .boxed(),
        DocumentKind::Channel => channel(),
        DocumentKind::Event => event(),
    }
}

fn envelope(message_type: &'static str, payload: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    object(vec![
        row("protocol_version", Sometimes),
        row("message_id", Always),
        as_a("from_agent", Always, "agent_type"),
        as_a("to_agent", Always, "agent_type"),
        row("timestamp", Always),
        row("trace_id", Always),
        row("request_id", Always),
        ("type", Always, Just(Value::from(message_type)).boxed()),
        as_a("priority", Sometimes, "envelope priority"),
        ("payload", Always, payload),
        row("x_custom_fields", Sometimes),
    ])
}

fn work_request() -> BoxedStrategy<Value> {
    let hints = object(vec![
        as_a("deadline_seconds", Sometimes, "seconds"),
        as_a("estimated_duration_seconds", Sometimes, "seconds"),
        as_a("max_duration_seconds", Sometimes, "seconds"),
        as_a("max_memory_mb", Sometimes, "seconds"),
        row("colour", Sometimes),
    ]);
    let parameters = prop_oneof![right("parameters"), object(vec![row("task_id", Always)])].boxed();
    object(vec![
        row("task_id", Always),
        row("work_type", Always),
        ("parameters", Sometimes, parameters),
        ("hints", Sometimes, hints),
    ])
}

fn work_status() -> BoxedStrategy<Value> {
    let step = object(vec![
        row("number", Always),
        as_a("name", Always, "step name"),
        row("output", Sometimes),
        row("output_chunk", Sometimes),
    ]);
    object(vec![
        row("task_id", Always),
        as_a("status", Always, "progress"),
        row("progress_percent", Always),
        ("step", Always, step),
    ])
}

fn work_result() -> BoxedStrategy<Value> {
    let used = object(vec![
        as_a("cpu_time_ms", Sometimes, "amount"),
        as_a("memory_peak_mb", Sometimes, "amount"),
        as_a("gpu_memory_used_mb", Sometimes, "amount"),
        row("colour", Sometimes),
    ]);
    object(vec![
        row("task_id", Always),
        as_a("status", Always, "outcome"),
        row("exit_code", Always),
        row("output", Sometimes),
        row("error_message", Sometimes),
        row("duration_ms", Always),
        row("agent_id", Always),
        ("resources_used", Sometimes, used),
    ])
}

fn status_update() -> BoxedStrategy<Value> {
    let resources = all_or_nothing(vec![
        as_a("cpu_percent", Always, "percent"),
        as_a("memory_percent", Always, "percent"),
        as_a("gpu_vram_available_gb", Always, "amount"),
        as_a("gpu_vram_total_gb", Always, "amount"),
    ]);
    object(vec![
        row("agent_id", Always),
        row("agent_type", Always),
        as_a("status", Always, "agent_status"),
        row("current_task_id", Sometimes),
        ("resources", Sometimes, resources),
        row("timestamp", Always),
    ])
}

fn error() -> BoxedStrategy<Value> {
    object(vec![row("error_code", Always), row("error_message", Always), row("context", Sometimes)])
}

fn channel() -> BoxedStrategy<Value> {
    let payload = prop_oneof![right("payload"), object(vec![row("artifact_path", Sometimes)])].boxed();
    object(vec![
        row("id", Always),
        as_a("type", Always, "channel type"),
        row("version", Sometimes),
        row("timestamp", Always),
        as_a("from_agent", Always, "name"),
        as_a("to_agent", Sometimes, "name"),
        as_a("channel", Sometimes, "name"),
        as_a("priority", Sometimes, "channel priority"),
        ("payload", Always, payload),
        row("correlation_id", Sometimes),
    ])
}

fn event() -> BoxedStrategy<Value> {
    let without_chain = object(vec![
        row("event_id", Always),
        row("version", Sometimes),
        row("event_type", Always),
        row("timestamp", Always),
        row("tenant_id", Always),
        as_a("priority", Sometimes, "event priority"),
        as_a("source_agent_id", Always, "name"),
        row("data", Sometimes),
        row("context_refs", Sometimes),
        row("correlation_id", Sometimes),
        row("parent_event_id", Sometimes),
    ]);
    let others = prop::collection::vec(right("name"), 0..3);
    (without_chain, others, prop::bool::weighted(0.9))
        .prop_map(|(mut event, mut chain, with_source)| {
            if with_source || chain.is_empty() {
                chain.push(event["source_agent_id"].clone());
            }
            event["call_chain"] = Value::from(chain);
            event
        })
        .boxed()
}
