//! What people read when a message or a value is refused, each for what its name says.

use std::fmt::Write;

use serde_json::{Value, json};
use workwire::{
    AgentEvent, AnyDocument, ChannelMessage, Decoder, Document, FreeObject, Limits, MessageEnvelope, Name, Priority,
    ProtocolError, Resources, TaskId, Timestamp, TraceParent, WorkRequest,
};

use crate::bodies::{
    Body, TASK, channel_message, error_message, event, request, result, status_update, work_request, work_result,
    work_status,
};

type Refused = (&'static str, ProtocolError);

#[test]
fn refusals_in_words() {
    let mut all = String::new();
    for (what, error) in refused() {
        writeln!(all, "{what}\n    {}", error.to_string().replace('\n', "\n    ")).unwrap();
    }
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("refusals_in_words", all);
    });
}

fn refused() -> Vec<Refused> {
    [syntax(), fields(), values(), integers(), payloads(), channels_and_events(), mappings(), outside_of_messages()]
        .concat()
}

fn bytes(what: &'static str, bytes: impl AsRef<[u8]>) -> Refused {
    (what, MessageEnvelope::from_slice(bytes.as_ref()).unwrap_err())
}

fn body<D: Document>(what: &'static str, body: &Body<D>) -> Refused {
    (what, body.error())
}

fn syntax() -> Vec<Refused> {
    vec![
        bytes("nothing at all", ""),
        bytes("a word", "hello"),
        bytes("an end too early", r#"{"priority": 3"#),
        bytes("a key without quotes", "{priority: 3}"),
        bytes("a comma too much", r#"{"priority": 3,}"#),
        bytes("a comma in front", r#"{,"priority": 3}"#),
        bytes("a comma too much in a list", r#"{"x": [1,]}"#),
        bytes("a semicolon", r#"{"priority": 3; "a": 1}"#),
        bytes("an equals sign", r#"{"priority" = 3}"#),
        bytes("no value", "{\n  \"priority\":\n}"),
        bytes("a number with a zero in front", r#"{"priority": 03}"#),
        bytes("a number without a digit behind the point", r#"{"priority": 3.}"#),
        bytes("a plus sign", r#"{"priority": +3}"#),
        bytes("not a number", r#"{"priority": NaN}"#),
        bytes("a raw newline in a string", "{\"a\": \"x\ny\"}"),
        bytes("an unknown escape", r#"{"a": "\x41"}"#),
        bytes("an escape that is cut off", r#"{"a": "\u12"}"#),
        bytes("half a surrogate pair", r#"{"a": "\ud83d!"}"#),
        bytes("a string without its end", r#"{"a": "x"#),
        bytes("a byte-order mark", "\u{FEFF}{}"),
        bytes("Latin-1", b"{\"a\": \"\xE9\"}"),
        bytes("two documents", "{} {}"),
        bytes("a list", "[1, 2]"),
        bytes("65 levels", format!("{}{}", r#"{"a":"#.repeat(65), "}".repeat(65))),
        bytes("more than a mebibyte", " ".repeat((1 << 20) + 1)),
    ]
}

fn fields() -> Vec<Refused> {
    let twice = request().text().replace(r#""type":"work_request""#, r#""type":"work_request","type":"error""#);
    vec![
        bytes("an empty object", "{}"),
        body("a missing field", &request().without("/trace_id")),
        body("a missing field of the payload", &request().without("/payload/work_type")),
        body("an unknown field", &request().with("/colour", "red")),
        body("an unknown field with a name that needs escapes", &request().with("/payload/a\u{1b}[31m~", 1)),
        bytes("a repeated field", twice),
        body("a list for a string", &request().with("/message_id", json!([1, 2]))),
        body("null for a string", &request().with("/trace_id", Value::Null)),
        body("a string for an object", &request().with("/payload", "{}")),
        body("an object for an integer", &request().with("/priority", json!({"level": 3}))),
        body("another major version", &request().with("/protocol_version", "2.0").with("/priority", 9)),
        body("no version", &request().with("/protocol_version", "one")),
        body("a message too long to be shown", &request().with("/x_custom_fields", "x".repeat(500))),
    ]
}

fn values() -> Vec<Refused> {
    vec![
        body("an unknown agent type", &request().with("/from_agent", "planner")),
        body("an unknown message type", &request().with("/type", "work")),
        body("a UUID without hyphens", &request().with("/trace_id", TASK.replace('-', ""))),
        body("a UUID with a newline", &request().with("/trace_id", format!("{TASK}\n"))),
        body("a date without a time", &request().with("/timestamp", "2026-03-01")),
        body("a day that does not exist", &request().with("/timestamp", "2026-02-30T00:00:00Z")),
        body("a moment in the year 10000", &request().with("/timestamp", "9999-12-31T23:59:59-01:00")),
        body("an empty payload", &request().with("/payload", json!({}))),
        body("a work type of 129 characters", &work_request().with("/work_type", "x".repeat(129))),
        body("a work type with a control character", &work_request().with("/work_type", "a\tb")),
    ]
}

fn integers() -> Vec<Refused> {
    let priority = |number: &str| request().text().replacen('{', &format!(r#"{{"priority":{number},"#), 1);
    vec![
        body("a priority of 0", &request().with("/priority", 0)),
        body("a priority of three and a half", &request().with("/priority", 3.5)),
        bytes("a priority a hair above 3", priority("3.00000000000000000001")),
        bytes("a priority beyond every double", priority("1e400")),
        body("a negative duration", &work_result().with("/duration_ms", -1)),
        body("a duration beyond 2^53", &work_result().with("/duration_ms", 9_007_199_254_740_992_i64)),
        body("an exit code beyond 32 bits", &work_result().with("/exit_code", 2_147_483_648_i64)),
        body("an error code of 999", &error_message().with("/error_code", 999)),
    ]
}

fn payloads() -> Vec<Refused> {
    let resources = |available: f64| {
        let all = json!({
            "cpu_percent": 101, "memory_percent": 5, "gpu_vram_available_gb": available, "gpu_vram_total_gb": 8,
            "disk": "full"
        });
        status_update().with("/resources", all)
    };
    let failed = result().with("/payload/status", "failed");
    vec![
        body("a failure without a reason", &failed),
        body("a failure with an empty reason", &failed.with("/payload/error_message", "")),
        body("a cancel of nothing", &work_request().with("/work_type", "cancel")),
        body(
            "a cancel of something",
            &work_request().with("/work_type", "cancel").with("/parameters", json!({"task_id": {"a": 1}})),
        ),
        body("hints of no time", &work_request().with("/hints", json!({"deadline_seconds": 0}))),
        body("a negative measure", &work_result().with("/resources_used", json!({"cpu_time_ms": -1}))),
        body("some resources", &status_update().with("/resources", json!({"cpu_percent": 5}))),
        body("more free than there is", &resources(9.5)),
        body("an unknown status of an agent", &status_update().with("/status", "idle")),
        body("an unknown status of a result", &work_result().with("/status", "done")),
        body("an unknown status of a task", &work_status().with("/status", "done")),
        body("progress beyond the end", &work_status().with("/progress_percent", 101)),
        body("a step without a name", &work_status().with("/step/name", "").with("/step/number", -1)),
        body("a chunk in another form", &work_status().with("/step/output_chunk", "0-5/10")),
        body("a chunk that ends before it begins", &work_status().with("/step/output_chunk", "bytes 5-0 of 10")),
        body("an error without words", &error_message().with("/error_message", "")),
    ]
}

fn channels_and_events() -> Vec<Refused> {
    let path = json!({"context": {}, "artifact_path": "../../etc/passwd"});
    let chain: Vec<String> = (0..50).map(|index| format!("agent-{index}")).collect();
    vec![
        body("a channel type in capitals", &channel_message().with("/type", "Context.Query")),
        body("a channel priority of 11", &channel_message().with("/priority", 11)),
        body("a name with a space", &channel_message().with("/from_agent", "the planner")),
        body("a path out of the folder", &channel_message().with("/type", "a.response").with("/payload", path)),
        body("an empty correlation id", &channel_message().with("/correlation_id", "")),
        body("an empty chain", &event().with("/call_chain", json!([]))),
        body("a chain without the source", &event().with("/call_chain", chain)),
        body("a tenant in capitals", &event().with("/tenant_id", "Acme")),
        body("an unknown event type", &event().with("/event_type", "task_lost")),
        body("an unknown event priority", &event().with("/priority", "urgent")),
        body("a reference with a comma", &event().with("/context_refs", json!(["a,b"]))),
    ]
}

fn mappings() -> Vec<Refused> {
    let cloud = |name: &str, value: Value| {
        let text = AnyDocument::Channel(channel_message().read()).to_cloud_event();
        let mut attributes: Value = serde_json::from_str(&text).unwrap();
        attributes[name] = value;
        AnyDocument::from_cloud_event(&Decoder::strict(), attributes.to_string().as_bytes()).unwrap_err()
    };
    let stream = |key: &str, value: &str| {
        let fields = event().read().to_stream();
        let kept = fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).filter(|(name, _)| *name != key);
        AgentEvent::from_stream(kept.chain([(key, value)])).unwrap_err()
    };
    vec![
        ("a CloudEvent of another version", cloud("specversion", json!("0.3"))),
        ("a CloudEvent of another system", cloud("type", json!("com.example.order"))),
        ("a CloudEvent of XML", cloud("datacontenttype", json!("text/xml"))),
        ("a CloudEvent with another id than its data", cloud("id", json!("4711"))),
        ("a CloudEvent with a recipient that its message lacks", cloud("toagent", json!("coder-2"))),
        ("a CloudEvent without data", cloud("data", Value::Null)),
        ("a CloudEvent with broken data", cloud("data", json!({"id": 7}))),
        ("a stream with broken data", stream("data", "{\"a\":")),
        ("a stream with a broken chain", stream("call_chain", "planner-1,,coder-2")),
        ("a stream with an unknown field", stream("colour", "red")),
        ("a stream whose fields are no texts", Decoder::strict().decode_stream_json(b"{\"data\": 5}").unwrap_err()),
        ("a broken traceparent", "00-0-0-0".parse::<TraceParent>().unwrap_err()),
    ]
}

fn outside_of_messages() -> Vec<Refused> {
    let small = Decoder::strict().with_limits(Limits::default().with_max_bytes(10));
    let deep = Decoder::strict().with_limits(Limits::default().with_max_depth(2));
    let nested = r#"{"a":{"b":{}}}"#;
    vec![
        ("a document over a limit of 10 bytes", small.decode::<ChannelMessage>(b"{          }").unwrap_err()),
        ("a document over a limit of 2 levels", deep.decode::<ChannelMessage>(nested.as_bytes()).unwrap_err()),
        ("a name", Name::new("").unwrap_err()),
        ("a priority", Priority::new(6).unwrap_err()),
        ("a priority in words", "high".parse::<Priority>().unwrap_err()),
        ("a task id", "task-7".parse::<TaskId>().unwrap_err()),
        ("a timestamp", "now".parse::<Timestamp>().unwrap_err()),
        ("resources", Resources::new(120.0, 5.0, 9.0, 8.0).unwrap_err()),
        ("free content", "[]".parse::<FreeObject>().unwrap_err()),
        ("content that does not fit a type", work_request().read().parameters().read::<Vec<u8>>().unwrap_err()),
        ("a request that lacks everything", WorkRequest::builder().build().unwrap_err()),
    ]
}

#[test]
fn kinds_of_documents_are_known_by_their_names() {
    for kind in workwire::DocumentKind::ALL {
        assert_eq!(kind.as_str().parse::<workwire::DocumentKind>().unwrap(), *kind);
    }
    let error = "invoice".parse::<workwire::DocumentKind>().unwrap_err().to_string();
    assert_eq!(error, r#"expected envelope, channel or event, found "invoice""#);
}
