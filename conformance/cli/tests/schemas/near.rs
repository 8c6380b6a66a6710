//! Values that are nearly right, and some that no field has a use for.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::numbers::numbers;
use super::right::{free, texts, words, years};

/// Values for the fields of these names, nearly right.
pub(crate) fn near() -> BoxedStrategy<(&'static [&'static str], Value)> {
    #[rustfmt::skip]
    const NUMBERS: &[&str] = &[
        "priority", "progress_percent", "number", "exit_code", "duration_ms", "error_code", "deadline_seconds",
        "max_memory_mb", "cpu_time_ms", "cpu_percent", "memory_percent", "gpu_vram_available_gb", "gpu_vram_total_gb",
    ];
    const UUIDS: &[&str] = &["message_id", "trace_id", "task_id", "agent_id", "id", "event_id", "parent_event_id"];
    const NAMES: &[&str] = &["from_agent", "to_agent", "channel", "source_agent_id", "0", "1", "tenant_id"];
    let of =
        |fields: &'static [&'static str], values: BoxedStrategy<Value>| values.prop_map(move |value| (fields, value));
    prop_oneof![
        4 => of(&["timestamp"], broken_timestamps()),
        6 => of(NUMBERS, numbers()),
        1 => of(UUIDS, texts("(urn:uuid:|\\{)?[0-9a-gA-F]{8}(-?[0-9a-f]{4}){3}-[0-9a-f]{11,13}\\}?")),
        1 => of(NAMES, texts("[A-Za-z0-9._é-]{0,3}[a-zA-Z.-]{0,2}\n?")),
        1 => of(&["type", "event_type", "status"], words(TEXTS)),
        2 => of(&["type"], texts("([a-zA-Z_.]{1,2}\\.){0,2}(response|cancel|query)?")),
        2 => of(&["artifact_path"], texts("[a./\\\\:]{0,6}")),
        2 => of(&["output_chunk"], texts("[bB]ytes 0?[0-9]{0,2}-[0-9]{1,2} of [0-9]{1,17} ?")),
        2 => of(&["protocol_version", "version"], texts("[012]{1,2}\\.[0-9]{0,10}")),
        2 => of(&["event_type"], texts("(?i)(task_(assigned|completed|failed)|agent_health|handoff_request)")),
        1 => of(&["call_chain", "context_refs"], prop::collection::vec(words(TEXTS), 0..3).prop_map(Value::from).boxed()),
        1 => of(&["work_type"], Just(json!("cancel")).boxed()),
        1 => of(&["status"], Just(json!("failed")).boxed()),
    ]
    .boxed()
}

/// A value of any kind that some field finds interesting.
pub(crate) fn interesting() -> BoxedStrategy<Value> {
    prop_oneof![
        2 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        6 => numbers(),
        6 => words(TEXTS),
        2 => long_texts(),
        3 => broken_timestamps(),
        1 => Just(json!([])),
        1 => Just(json!({})),
        1 => Just(json!([[{"a": [null]}], "a", 1])),
        1 => Just(json!({"task_id": "00000000-0000-0000-0000-000000000000", "artifact_path": "a/b"})),
        1 => Just(json!({"cpu_percent": 1, "memory_percent": 2, "gpu_vram_available_gb": 3, "gpu_vram_total_gb": 2})),
        1 => free(),
    ]
    .boxed()
}

/// Each part of a moment may be one that does not exist.
fn broken_timestamps() -> BoxedStrategy<Value> {
    #[rustfmt::skip]
    const ZONES: &[&str] = &[
        "", "Z", "Z", "Z", "+00:00", "+23:59", "-23:59", "+24:00", "+05:60", "+0530", "+05", "+5:30", " Z", "Z ", "z",
        "\u{2212}05:00", "Z\n", "+ 5:30", "UTC",
    ];
    let year = prop_oneof![5 => years(), 1 => Just(0u32)];
    let between = select(&["T", "T", "T", "T", "T", "T", "t", " ", "", "_"][..]);
    let clock = (0..=24u32, prop_oneof![9 => 0..60u32, 1 => Just(60)], prop_oneof![9 => 0..60u32, 1 => 60..=61u32]);
    let fraction = prop_oneof![6 => "(\\.[0-9]{1,9})?", 1 => "\\.", 1 => "\\.[0-9]{10}", 1 => ",[0-9]"];
    ((year, 0..=13u32, 0..=32u32), between, clock, fraction, select(ZONES))
        .prop_map(|((year, month, day), between, (hour, minute, second), fraction, zone)| {
            json!(format!("{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
        })
        .boxed()
}

fn long_texts() -> BoxedStrategy<Value> {
    let unit = select(&["a", "é", "😀", "a/", ".", "0"][..]);
    let times = select(&[63usize, 64, 65, 127, 128, 129, 255, 256, 257, 512, 1023, 1024, 1025][..]);
    (unit, times).prop_map(|(unit, times)| Value::from(unit.repeat(times))).boxed()
}

/// Names of fields, from all documents, and some that are nearly one.
#[rustfmt::skip]
pub(crate) const FIELDS: &[&str] = &[
    "protocol_version", "message_id", "from_agent", "to_agent", "timestamp", "trace_id", "request_id", "type",
    "priority", "payload", "x_custom_fields", "task_id", "work_type", "parameters", "hints", "status",
    "progress_percent", "step", "number", "name", "output", "output_chunk", "exit_code", "error_message",
    "duration_ms", "agent_id", "resources_used", "agent_type", "current_task_id", "resources", "error_code",
    "context", "id", "version", "channel", "correlation_id", "event_id", "event_type", "tenant_id",
    "source_agent_id", "call_chain", "data", "context_refs", "parent_event_id", "deadline_seconds", "max_memory_mb",
    "cpu_time_ms", "cpu_percent", "memory_percent", "gpu_vram_available_gb", "gpu_vram_total_gb", "artifact_path",
    "Priority", "priority ", "prioritý", "", " ", "__proto__", "$ref", "a/b", "m~n", "\u{0}", "\u{9b}", "名",
];

/// Texts that have broken readers.
#[rustfmt::skip]
const TEXTS: &[&str] = &[
    "", " ", "0", "1.0", "1.1", "1.00", "2.0", "01.0", "1.0\n", "1.1234567890", "1.1.1", "cancel", "Cancel",
    "failed", "orchestrator", "infra", "work_request", "error", "TASK_FAILED", "Task_Assigned", "task_ſtarted",
    "normal", "5", "general", "a.response", ".response", "response", "a.response\n", "A.b", "a..b", "a.", "é", "日本",
    "😀", "\u{0}", "\t", "a\nb", "\u{7f}", "\u{80}", "\u{9f}", "\u{a0}", "\u{2028}", "\u{feff}", "\u{ffff}",
    "\u{202e}", "../x", "a/../b", "a/./b", "/a", "a/", "a//b", "a\\b", "c:d", "...", ".a", "..a", "a,b", "null",
    "３", "bytes 0-1 of 2", "bytes 2-1 of 0", "bytes 00-1 of 2", "bytes 0-1 of 9007199254740992", "bytes 0-1  of 2",
    "Bytes 0-1 of 2", "00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}",
    "urn:uuid:00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000",
    "00000000-0000-0000-0000-00000000000g", "00000000-0000-0000-0000-000000000000\n", "2024-02-29T00:00:00Z",
    "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
    "2026-03-01T24:00:00Z", "2026-03-01T23:59:60Z", "2026-03-01", "+12026-03-01T00:00:00Z", "0000-01-01T00:00:00Z",
];
