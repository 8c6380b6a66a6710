//! The messages that are measured: the same bytes in every run.

use workwire::DocumentKind;

/// A message to measure with.
pub(crate) struct Message {
    /// Its name in tables and on command lines.
    pub(crate) name: &'static str,
    /// What it is, for a reader of the table.
    pub(crate) what: &'static str,
    /// Which document it is.
    pub(crate) kind: DocumentKind,
    /// Its text; canonical but for the shortest one, which leaves out what has a default.
    pub(crate) text: String,
    /// The same message otherwise.
    pub(crate) variants: Vec<Variant>,
}

/// A message that was changed.
pub(crate) struct Variant {
    /// What was done to it.
    pub(crate) what: &'static str,
    /// How many violations it has by that.
    pub(crate) violations: usize,
    /// Its text.
    pub(crate) text: String,
}

/// A message with eight violations.
fn refused(what: &'static str, text: String) -> Variant {
    Variant { what, violations: 8, text }
}

/// All of them, the shortest first.
pub(crate) fn messages() -> Vec<Message> {
    vec![
        envelope("300B", "error, defaults left out", ERROR.to_owned(), Vec::new()),
        message("channel", "channel message", DocumentKind::Channel, CHANNEL),
        message("event", "event", DocumentKind::Event, EVENT),
        envelope("570B", "work_request with parameters and hints", REQUEST.to_owned(), refused_requests()),
        result("4KiB", "work_result, 2 % of its output escaped", 4096, Some(50)),
        free("64KiB-free", "work_request, all of it parameters", 64 << 10),
        result("256KiB-escapes", "work_result, 5 % of its output escaped", 256 << 10, Some(20)),
        result("256KiB-plain", "work_result, nothing escaped", 256 << 10, None),
    ]
}

const ERROR: &str = concat!(
    r#"{"message_id":"01936f0e-7a44-7c31-9d5b-5f8d6a1e0c11","from_agent":"infra","to_agent":"orchestrator","#,
    r#""timestamp":"2026-11-20T11:54:15Z","trace_id":"9b2f6c1e-3d54-4a7f-8e0b-6c1d2f3a4b5c","#,
    r#""request_id":"01936f0e-7a40-7d02-8c1f-0a9b8c7d6e5f","type":"error","#,
    r#""payload":{"error_code":2001,"error_message":"task not found"}}"#,
);

const CHANNEL: &str = concat!(
    r#"{"id":"01936f0e-7a44-7c31-9d5b-5f8d6a1e0c11","type":"context.query","version":"1.0","#,
    r#""timestamp":"2026-11-20T11:54:15.123456Z","from_agent":"planner-1","to_agent":"researcher-2","#,
    r#""channel":"general","priority":5,"payload":{"query":"who owns the web service?","limit":10,"#,
    r#""scopes":["infra","code"],"since":"2026-11-01"},"correlation_id":"01936f0e-7a40-7d02-8c1f-0a9b8c7d6e5f"}"#,
);

const EVENT: &str = concat!(
    r#"{"event_id":"01936f0e-7a44-7c31-9d5b-5f8d6a1e0c11","version":"1.0","event_type":"task_completed","#,
    r#""timestamp":"2026-11-20T11:54:15.123456Z","tenant_id":"acme","priority":"normal","#,
    r#""source_agent_id":"coder-2","call_chain":["planner-1","coder-2"],"data":{"task_id":"4711","files":3},"#,
    r#""context_refs":["s3://results/4711.json"],"correlation_id":"flow-4711","#,
    r#""parent_event_id":"01936f0e-7a40-7d02-8c1f-0a9b8c7d6e5f"}"#,
);

const REQUEST: &str = concat!(
    r#"{"protocol_version":"1.0","message_id":"01936f0e-7a44-7c31-9d5b-5f8d6a1e0c11","from_agent":"orchestrator","#,
    r#""to_agent":"infra","timestamp":"2026-11-20T11:54:15.123456Z","#,
    r#""trace_id":"9b2f6c1e-3d54-4a7f-8e0b-6c1d2f3a4b5c","request_id":"01936f0e-7a40-7d02-8c1f-0a9b8c7d6e5f","#,
    r#""type":"work_request","priority":4,"payload":{"task_id":"01936f0e-7a41-7e13-9d20-1b2c3d4e5f60","#,
    r#""work_type":"deploy_service","parameters":{"service":"shop","replicas":12,"image":"web:1.42.0","#,
    r#""region":"eu-west-1","canary":true},"#,
    r#""hints":{"deadline_seconds":300,"max_memory_mb":512}},"x_custom_fields":{}}"#,
);

fn message(name: &'static str, what: &'static str, kind: DocumentKind, text: &str) -> Message {
    Message { name, what, kind, text: text.to_owned(), variants: Vec::new() }
}

fn envelope(name: &'static str, what: &'static str, text: String, variants: Vec<Variant>) -> Message {
    Message { name, what, kind: DocumentKind::Envelope, text, variants }
}

/// Puts other text in the place of some, which must be there once.
fn edited(text: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(text.to_owned(), |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text.replacen(from, to, 1)
    })
}

/// Wrong in the fields around the payload.
const WRONG_AROUND: &[(&str, &str)] = &[
    ("\"01936f0e-7a44-7c31-9d5b-5f8d6a1e0c11\"", "\"message-4711\""),
    ("\"infra\"", "\"boss\""),
    ("11-20T11", "11-20 11"),
    ("\"9b2f6c1e-3d54-4a7f-8e0b-6c1d2f3a4b5c\"", "\"{9b2f6c1e-3d54-4a7f-8e0b-6c1d2f3a4b5c}\""),
    ("\"priority\":4", "\"priority\":9"),
];

fn refused_requests() -> Vec<Variant> {
    let values = edited(
        &edited(REQUEST, WRONG_AROUND),
        &[
            ("\"01936f0e-7a41-7e13-9d20-1b2c3d4e5f60\"", "4711"),
            ("\"deploy_service\"", "\"\""),
            ("\"deadline_seconds\":300", "\"deadline_seconds\":-1"),
        ],
    );
    let unknown = edited(
        REQUEST,
        &[
            ("\"trace_id\":", "\"colour\":\"red\",\"taste\":1,\"smell\":null,\"weight\":2.5,\"trace_id\":"),
            ("\"work_type\":", "\"retries\":3,\"queue\":\"a\",\"tags\":[\"b\"],\"owner\":{\"c\":1},\"work_type\":"),
        ],
    );
    let missing = edited(
        REQUEST,
        &[
            ("\"message_id\":\"01936f0e-7a44-7c31-9d5b-5f8d6a1e0c11\",", ""),
            ("\"from_agent\":\"orchestrator\",", ""),
            ("\"to_agent\":\"infra\",", ""),
            ("\"timestamp\":\"2026-11-20T11:54:15.123456Z\",", ""),
            ("\"trace_id\":\"9b2f6c1e-3d54-4a7f-8e0b-6c1d2f3a4b5c\",", ""),
            ("\"request_id\":\"01936f0e-7a40-7d02-8c1f-0a9b8c7d6e5f\",", ""),
            ("\"task_id\":\"01936f0e-7a41-7e13-9d20-1b2c3d4e5f60\",", ""),
            ("\"work_type\":\"deploy_service\",", ""),
        ],
    );
    let repeated = edited(
        REQUEST,
        &[
            ("\"replicas\":12,", "\"replicas\":12,\"service\":1,\"service\":2,\"service\":3,\"replicas\":4,"),
            ("\"max_memory_mb\":512", "\"max_memory_mb\":512,\"max_memory_mb\":1,\"max_memory_mb\":2"),
            ("\"priority\":4,", "\"priority\":4,\"priority\":4,\"type\":\"work_request\","),
        ],
    );
    vec![
        refused("wrong values", values),
        refused("unknown fields", unknown),
        refused("missing fields", missing),
        refused("repeated keys", repeated),
    ]
}

/// A result of a size, one in `escape_every` characters of whose output is escaped.
fn result(name: &'static str, what: &'static str, size: usize, escape_every: Option<u32>) -> Message {
    let head = concat!(
        r#"{"protocol_version":"1.0","message_id":"01936f0e-7a44-7c31-9d5b-5f8d6a1e0c11","from_agent":"infra","#,
        r#""to_agent":"orchestrator","timestamp":"2026-11-20T11:54:15.123456Z","#,
        r#""trace_id":"9b2f6c1e-3d54-4a7f-8e0b-6c1d2f3a4b5c","request_id":"01936f0e-7a40-7d02-8c1f-0a9b8c7d6e5f","#,
        r#""type":"work_result","priority":4,"payload":{"task_id":"01936f0e-7a41-7e13-9d20-1b2c3d4e5f60","#,
        r#""status":"completed","exit_code":0,"output":""#,
    );
    let tail = concat!(
        r#"","duration_ms":1840,"agent_id":"01936e00-0000-7000-8000-00000000a9e7","#,
        r#""resources_used":{"cpu_time_ms":840,"memory_peak_mb":61.5}},"x_custom_fields":{}}"#,
    );
    let room = size - head.len() - tail.len();
    let output = escaped_output(room, escape_every);
    let text = format!("{head}{output}{tail}");
    let values = edited(
        &edited(&text, WRONG_AROUND),
        &[
            ("\"01936f0e-7a41-7e13-9d20-1b2c3d4e5f60\"", "4711"),
            ("\"exit_code\":0", "\"exit_code\":0.5"),
            ("\"duration_ms\":1840", "\"duration_ms\":-1"),
        ],
    );
    let type_last = edited(
        &text,
        &[
            ("\"type\":\"work_result\",", ""),
            ("\"x_custom_fields\":{}", "\"x_custom_fields\":{},\"type\":\"work_result\""),
        ],
    );
    let variants = vec![
        refused("wrong values", values),
        Variant { what: "none, but the type behind the payload", violations: 0, text: type_last },
    ];
    envelope(name, what, text, variants)
}

/// What a program printed, as it stands in JSON, so many bytes of it.
fn escaped_output(size: usize, escape_every: Option<u32>) -> String {
    const LETTERS: &[u8] = b"etaoinshrdlu etaoinshrdlcumwfgypbvk 0123456789 .,:-_/()=[]";
    let escapes = ["\\n", "\\n", "\\n", "\\\"", "\\\"", "\\t", "\\\\", "\\u001b"];
    let mut draw = draws();
    let mut output = String::with_capacity(size);
    while output.len() < size {
        match escape_every {
            Some(every) if draw(every) == 0 && output.len() + 6 <= size => output.push_str(escapes[draw(8) as usize]),
            _ => output.push(char::from(LETTERS[draw(58) as usize])),
        }
    }
    output
}

/// A request with about so many bytes, most of them parameters: small objects in a list.
fn free(name: &'static str, what: &'static str, size: usize) -> Message {
    let mut draw = draws();
    let mut hosts = Vec::new();
    let mut taken = 700;
    while taken < size {
        let (id, load) = (draw(1_000_000), draw(1000));
        let host =
            format!(r#"{{"host":"web-{id}","port":8080,"load":0.{load},"up":true,"tags":["a","b"],"note":null}}"#);
        taken += host.len() + 1;
        hosts.push(host);
    }
    let hosts = hosts.join(",");
    let parameters = format!(r#"{{"hosts":[{hosts}]}}"#);
    let (head, rest) = REQUEST.split_once(r#"{"service":"shop""#).unwrap();
    let (_, rest) = rest.split_once('}').unwrap();
    let text = format!("{head}{parameters}{rest}");
    envelope(name, what, text, Vec::new())
}

/// Numbers below a bound that look random, and are the same in every run.
fn draws() -> impl FnMut(u32) -> u32 {
    let mut state = 0x2545_f491_u32;
    move |below| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        // The low bits are the weaker ones.
        (state >> 8) % below
    }
}
