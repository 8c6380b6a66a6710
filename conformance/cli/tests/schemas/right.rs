//! Right values of fields.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::near::FIELDS;
use super::numbers::{integers, numbers};

pub(crate) fn texts(pattern: &'static str) -> BoxedStrategy<Value> {
    proptest::string::string_regex(pattern).unwrap().prop_map(Value::from).boxed()
}

pub(crate) fn words(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(words).prop_map(Value::from).boxed()
}

/// What a field of this name may hold; of a name that says nothing, an object.
pub(crate) fn right(field: &str) -> BoxedStrategy<Value> {
    const UUID: &str = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
    match field {
        "message_id" | "trace_id" | "request_id" | "id" | "event_id" | "parent_event_id" | "task_id" | "agent_id"
        | "current_task_id" => texts(UUID),
        "timestamp" => timestamps(),
        "protocol_version" | "version" => {
            prop_oneof![3 => Just(json!("1.0")), 1 => texts("1\\.(0|[1-9][0-9]{0,8})")].boxed()
        }
        "agent_type" => words(&["orchestrator", "infra", "desktop", "code", "research"]),
        "envelope priority" => integers(1..=5),
        "channel priority" => integers(1..=10),
        "event priority" => words(&["low", "normal", "high", "critical"]),
        "event_type" => words(&["task_assigned", "task_completed", "handoff_rejected", "agent_health"]),
        "work_type" => prop_oneof![3 => texts("[^\\p{Cc}]{1,128}"), 1 => Just(json!("cancel"))].boxed(),
        "progress" => words(&["running", "step_completed", "paused"]),
        "outcome" => words(&["completed", "failed", "cancelled"]),
        "agent_status" => words(&["online", "offline", "busy"]),
        "progress_percent" => integers(0..=100),
        "number" | "duration_ms" => prop_oneof![integers(0..=(1 << 53) - 1), integers(0..=100)].boxed(),
        "exit_code" => prop_oneof![integers(-(1 << 31)..=(1 << 31) - 1), integers(-1..=1)].boxed(),
        "error_code" => integers(1000..=9999),
        "error_message" => texts("\\PC{1,40}"),
        "output" => texts("\\PC{0,40}\n?"),
        "output_chunk" => texts("bytes (0|[1-9][0-9]{0,3})-(0|[1-9][0-9]{0,3}) of (0|[1-9][0-9]{0,20})"),
        "step name" => texts("[^\\p{Cc}]{1,256}"),
        "name" => texts("[A-Za-z0-9][A-Za-z0-9._-]{0,127}"),
        "channel type" => texts("[a-z0-9_]{1,9}(\\.[a-z0-9_]{1,9}){0,3}(\\.response)?"),
        "tenant_id" => texts("[a-z0-9][a-z0-9-]{0,63}"),
        "correlation_id" => texts("[^\\p{Cc}]{1,128}"),
        "context_refs" => prop::collection::vec(texts("[^\\p{Cc},]{1,256}"), 0..3).prop_map(Value::from).boxed(),
        "artifact_path" => texts("[a-z.]{0,3}[a-z](/\\.{0,3}[a-zA-Z ]{1,5}){0,3}"),
        "seconds" => prop_oneof![(0.001..1e9f64).prop_map(Value::from), integers(1..=1000)].boxed(),
        "percent" => measures(100.0),
        "amount" => measures(1e9),
        _ => free(),
    }
}

fn measures(max: f64) -> BoxedStrategy<Value> {
    prop_oneof![(0.0..=max).prop_map(Value::from), integers(0..=100)].boxed()
}

const LAST_DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

fn last_day(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    LAST_DAYS[month as usize - 1] + u32::from(leap && month == 2)
}

fn timestamps() -> BoxedStrategy<Value> {
    let zone = select(&["", "Z", "Z", "Z", "+00:00", "-00:00", "+05:30", "-11:59", "+23:59", "-23:59"][..]);
    let day = (years(), 1..=12u32, any::<prop::sample::Index>())
        .prop_map(|(year, month, day)| (year, month, 1 + day.index(last_day(year, month) as usize)));
    (day, 0..24u32, 0..60u32, 0..60u32, "(\\.[0-9]{1,9})?", zone)
        .prop_map(|((year, month, day), hour, minute, second, fraction, zone)| {
            json!(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
        })
        .boxed()
}

pub(crate) fn years() -> BoxedStrategy<u32> {
    prop_oneof![
        2 => 1..=9999u32,
        1 => select(&[1u32, 4, 100, 400, 1900, 2000, 2023, 2024, 2100, 9996, 9999][..]),
    ]
    .boxed()
}

/// Free content: an object, two levels deep.
pub(crate) fn free() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), texts("\\PC{0,8}"), numbers()];
    let value = leaf.prop_recursive(2, 8, 3, |inner| {
        let keys = prop_oneof![texts("\\PC{0,6}"), words(FIELDS)].prop_map(|key| key.as_str().unwrap().to_owned());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map(keys, inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    let keys = proptest::string::string_regex("[a-z]{1,6}").unwrap();
    prop::collection::hash_map(keys, value, 0..3)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
        .boxed()
}
