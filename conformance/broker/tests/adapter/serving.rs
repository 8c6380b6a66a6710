//! A served broker, talked to line by line.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;
use workwire_broker::MemoryBroker;
use workwire_broker::adapter::serve;
use workwire_broker::clock::ManualClock;

use super::peer::Peer;
use super::soon::soon;

fn memory() -> Arc<MemoryBroker> {
    Arc::new(MemoryBroker::new(Arc::new(ManualClock::at(0))))
}

fn publish(body: &str) -> Value {
    json!({"client": "a", "queue": {"name": "tasks"}, "id": Uuid::now_v7().to_string(), "body": body, "encoding": "utf8"})
}

fn fetch(wait_ms: i64) -> Value {
    json!({"client": "a", "queue": {"name": "tasks"}, "consumer": "c", "max": 10, "wait_ms": wait_ms})
}

async fn with_queue() -> Peer {
    let mut peer = Peer::initialized(memory()).await;
    peer.ask("open", json!({"client": "a"})).await;
    peer.ask("declare", json!({"client": "a", "queue": {"name": "tasks"}, "policy": {}})).await;
    peer
}

#[tokio::test]
async fn what_is_no_request_is_answered_and_the_next_line_is_handled() {
    let mut peer = with_queue().await;
    for (line, id, code, words) in [
        (&b"garbage"[..], Value::Null, -32_700, "expected value at line 1 column 1"),
        (b"", Value::Null, -32_700, "EOF"),
        (b"\xff\xfe", Value::Null, -32_700, "invalid utf-8"),
        (b"{\"jsonrpc\":\"2.0\"", Value::Null, -32_700, "EOF"),
        (b"{} {}", Value::Null, -32_700, "trailing characters"),
        (b"[]", Value::Null, -32_600, "invalid type: sequence, expected an object"),
        (b"17", Value::Null, -32_600, "expected an object"),
        (b"{\"jsonrpc\":\"2.0\",\"method\":\"open\"}", Value::Null, -32_600, "id: missing"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"open\"}", Value::Null, -32_600, "id: expected a string"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"open\"}", Value::Null, -32_600, "found 1.5"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":5}", json!(5), -32_600, "method: missing"),
        (
            b"{\"jsonrpc\":\"1.0\",\"id\":5,\"method\":\"open\"}",
            json!(5),
            -32_600,
            "jsonrpc: invalid value: string \"1.0\"",
        ),
        (b"{\"id\":\"x\",\"method\":\"open\"}", json!("x"), -32_600, "jsonrpc: missing"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"dance\"}", json!(6), -32_601, "there is no method \"dance\""),
        (b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"open\"}", json!(7), -32_602, "client: missing"),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"open\",\"params\":[\"a\"]}",
            json!(8),
            -32_602,
            "expected an object",
        ),
    ] {
        peer.say(line).await;
        let answer = peer.hear().await;
        let shown = String::from_utf8_lossy(line);
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(code)), "{shown}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{shown}: {message}");
        assert!(answer.get("result").is_none());
        assert_eq!(peer.ask("depth", json!({"client": "a", "queue": {"name": "tasks"}})).await["result"]["ready"], 0);
    }
}

#[tokio::test]
async fn wrong_parameters_are_told_by_their_member() {
    let mut peer = with_queue().await;
    let change = |params: Value, member: &str, value: Value| {
        let mut params = params;
        params[member] = value;
        params
    };
    let queue = || json!({"client": "a", "queue": {"name": "tasks"}});
    for (method, params, words) in [
        ("publish", change(publish("x"), "id", json!("{01890a5d-ac96-774b-bcce-b302099a8057}")), "id: "),
        ("publish", change(publish("x"), "body", json!(null)), "body: invalid type: null, expected a string"),
        ("publish", change(publish("x"), "encoding", json!("utf16")), "encoding: unknown variant `utf16`"),
        (
            "publish",
            change(publish("x"), "priority", json!("high")),
            "priority: invalid type: string \"high\", expected i64",
        ),
        ("publish", change(publish("x"), "priority", json!(3.5)), "priority: invalid type: floating point"),
        (
            "publish",
            change(publish("x"), "queue", json!("tasks")),
            "queue: invalid type: string \"tasks\", expected an object",
        ),
        (
            "publish",
            change(publish("x"), "queue", json!(["acme", "tasks"])),
            "queue: invalid type: sequence, expected an object",
        ),
        ("publish", change(publish("x"), "queue", json!({"tenant": "acme"})), "queue.name: missing"),
        ("publish", change(publish("!"), "encoding", json!("base64")), "body: expected base64 with its padding"),
        (
            "publish_batch",
            change(queue(), "items", json!([{"id": Uuid::nil().to_string(), "body": "x", "encoding": "utf8"}, {}])),
            "items[1].id: missing",
        ),
        (
            "publish_batch",
            change(queue(), "items", json!([{"id": Uuid::nil().to_string(), "body": "YQ", "encoding": "base64"}])),
            "items[0].body: expected base64",
        ),
        (
            "publish_batch",
            change(queue(), "items", json!([7])),
            "items[0]: invalid type: integer `7`, expected an object",
        ),
        ("fetch", change(fetch(0), "max", json!(-1)), "max: invalid value: integer `-1`, expected u32"),
        ("fetch", change(fetch(0), "wait_ms", json!(1u64 << 63)), "wait_ms: invalid value"),
        (
            "declare",
            change(queue(), "policy", json!({"overflow": "burst"})),
            "policy.overflow: unknown variant `burst`",
        ),
        (
            "declare",
            change(queue(), "policy", json!({"backoff_ms": [1, "x"]})),
            "policy.backoff_ms[1]: invalid type: string",
        ),
        (
            "settle",
            change(change(queue(), "tag", json!("t")), "verdict", json!("maybe")),
            "verdict: unknown variant `maybe`",
        ),
        ("close", json!({"client": "a", "mode": "loud"}), "mode: unknown variant `loud`"),
        ("restart", json!({}), "mode: missing"),
        ("heartbeat", json!({"client": "a", "update": {}}), "update: expected a status_update payload"),
        (
            "heartbeat",
            json!({"client": "a", "update": {"agent": "x", "status": "odd"}}),
            "update: status: unknown variant `odd`",
        ),
        ("heartbeat", json!({"client": "a", "update": {"agent_id": 5}}), "update: /agent_id: expected a string"),
        ("decode", json!({"kind": "letter", "body": "", "encoding": "utf8"}), "kind: unknown variant `letter`"),
    ] {
        let answer = peer.ask(method, params).await;
        assert_eq!(answer["error"]["code"], -32_602, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(words), "expected {words}, found {message}");
    }
}

#[tokio::test]
async fn members_that_nobody_named_are_ignored_and_null_is_absence() {
    let mut peer = with_queue().await;
    let line = json!({
        "jsonrpc": "2.0", "id": 1, "method": "publish", "colour": "red",
        "params": {
            "client": "a", "queue": {"name": "tasks", "tenant": null, "colour": "red"}, "id": Uuid::nil().to_string(),
            "body": "x", "encoding": "utf8", "priority": null, "ttl_ms": null, "colour": {"a": [1]}
        }
    });
    peer.say(line.to_string()).await;
    assert_eq!(peer.hear().await["result"]["outcome"], "stored");
    let update = json!({
        "agent_id": Uuid::nil().to_string(), "agent_type": "infra", "status": "busy", "timestamp": "2026-01-01T00:00:00Z", "colour": "red"
    });
    assert_eq!(peer.ask("heartbeat", json!({"client": "a", "update": update})).await["result"], json!({}));
}

#[tokio::test]
async fn initialize_comes_first_and_speaks_this_contract() {
    let (mut peer, _) = Peer::of_broker(memory());
    let early = peer.ask("open", json!({"client": "a"})).await;
    assert_eq!(
        (&early["error"]["code"], &early["error"]["message"]),
        (&json!(2), &json!("open: expected initialize first"))
    );
    let runner = json!({"name": "test", "version": "1"});
    let other = peer.ask("initialize", json!({"contract": "2", "runner": runner})).await;
    assert_eq!(other["error"], json!({"code": 1, "message": "contract: expected \"1\", found \"2\""}));
    assert!(peer.ask("open", json!({"client": "a"})).await.get("error").is_some());
    let result = peer.ask("initialize", json!({"contract": "1", "runner": runner})).await;
    assert_eq!(
        (&result["result"]["name"], &result["result"]["limits"]["max_priority"]),
        (&json!("memory"), &json!(10))
    );
    assert_eq!(peer.ask("open", json!({"client": "a"})).await["result"], json!({}));
}

#[tokio::test]
async fn an_error_carries_its_number() {
    let mut peer = with_queue().await;
    let queue = json!({"name": "tasks"});
    for (method, params, code) in [
        ("declare", json!({"client": "a", "queue": queue, "policy": {"max_priority": 99}}), 2),
        ("declare", json!({"client": "a", "queue": queue, "policy": {"max_priority": 7}}), 7),
        ("settle", json!({"client": "a", "queue": queue, "tag": "x", "verdict": "done"}), 3),
        ("depth", json!({"client": "b", "queue": queue}), 6),
        ("close", json!({"client": "b", "mode": "abort"}), 6),
        ("open", json!({"client": "a"}), 7),
        ("open", json!({"client": "no name"}), 2),
    ] {
        let answer = peer.ask(method, params).await;
        assert_eq!(answer["error"]["code"], code, "{method}: {answer}");
    }
}

#[tokio::test]
async fn a_fetch_that_waits_holds_nobody_up() {
    let mut peer = with_queue().await;
    peer.request("waits", "fetch", fetch(60_000)).await;
    assert_eq!(peer.ask("depth", json!({"client": "a", "queue": {"name": "tasks"}})).await["result"]["ready"], 0);
    peer.request("publish", "publish", publish("at last")).await;
    let answers = [peer.hear().await, peer.hear().await];
    let fetched = answers.iter().find(|answer| answer["id"] == "waits").unwrap();
    assert_eq!(fetched["result"]["deliveries"][0]["body"], "at last");
    assert!(answers.iter().any(|answer| answer["result"]["outcome"] == "stored"));
}

#[tokio::test]
async fn requests_are_begun_in_the_order_in_which_they_came() {
    let mut peer = Peer::initialized(memory()).await;
    // All at once: nobody waits for an answer before asking on.
    peer.request("open", "open", json!({"client": "a"})).await;
    peer.request("declare", "declare", json!({"client": "a", "queue": {"name": "tasks"}, "policy": {}})).await;
    for number in 0..50 {
        peer.request("publish", "publish", publish(&number.to_string())).await;
        peer.request(&format!("fetch {number}"), "fetch", fetch(0)).await;
    }
    peer.request("close", "close", json!({"client": "a", "mode": "graceful"})).await;
    peer.request("open", "open", json!({"client": "a"})).await;
    peer.request(
        "fetch again",
        "fetch",
        json!({"client": "a", "queue": {"name": "tasks"}, "consumer": "c", "max": 99, "wait_ms": 0}),
    )
    .await;
    for _ in 0..2 {
        assert_eq!(peer.hear().await["result"], json!({}));
    }
    for number in 0..50 {
        assert_eq!(peer.hear().await["result"]["outcome"], "stored");
        let fetched = peer.hear().await;
        assert_eq!(fetched["id"], format!("fetch {number}"));
        assert_eq!(fetched["result"]["deliveries"][0]["body"], number.to_string());
    }
    for _ in 0..2 {
        assert_eq!(peer.hear().await["result"], json!({}));
    }
    assert_eq!(peer.hear().await["result"]["deliveries"].as_array().unwrap().len(), 50, "given back by the close");
}

#[tokio::test]
async fn a_line_that_is_too_long_is_refused_and_the_next_is_handled() {
    let mut peer = with_queue().await;
    peer.say(vec![b' '; 17 * 1_048_576]).await;
    let answer = peer.hear().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(-32_600)));
    assert_eq!(answer["error"]["message"], "expected a line of at most 16777216 bytes, found 17825792");
    let mut longest = publish("x").to_string().into_bytes();
    longest = [br#"{"jsonrpc":"2.0","id":1,"method":"publish","params":"#.as_slice(), &longest, b"}"].concat();
    longest.resize(16 * 1_048_576, b' ');
    peer.say(&longest).await;
    assert_eq!(peer.hear().await["result"]["outcome"], "stored");
}

#[tokio::test]
async fn shutdown_answers_last_and_ends() {
    let (mut peer, served) = Peer::of_broker(memory());
    peer.ask("initialize", json!({"contract": "1", "runner": {"name": "t", "version": "1"}})).await;
    peer.ask("open", json!({"client": "a"})).await;
    peer.ask("declare", json!({"client": "a", "queue": {"name": "tasks"}, "policy": {}})).await;
    peer.request("waits", "fetch", fetch(60_000)).await;
    peer.request("shutdown", "shutdown", json!(null)).await;
    let waited = peer.hear().await;
    assert_eq!((&waited["id"], &waited["error"]["code"]), (&json!("waits"), &json!(5)), "{waited}");
    assert_eq!(peer.hear().await, json!({"jsonrpc": "2.0", "id": "shutdown", "result": {}}));
    soon("the end", served).await.unwrap().unwrap();
    assert!(peer.hears_the_end().await);
}

#[tokio::test]
async fn the_end_of_the_input_is_a_shutdown() {
    let broker = memory();
    let (mut peer, served) = Peer::of_broker(Arc::clone(&broker) as Arc<_>);
    peer.ask("initialize", json!({"contract": "1", "runner": {"name": "t", "version": "1"}})).await;
    peer.ask("open", json!({"client": "a"})).await;
    peer.close().await;
    soon("the end", served).await.unwrap().unwrap();
    assert!(peer.hears_the_end().await);
    assert!(workwire_broker::Broker::open(&*broker, "b").await.is_err(), "it is shut down");
}

#[tokio::test]
async fn a_runner_that_is_gone_shuts_the_broker_down() {
    let broker = memory();
    let (mut peer, served) = Peer::of_broker(Arc::clone(&broker) as Arc<_>);
    peer.ask("initialize", json!({"contract": "1", "runner": {"name": "t", "version": "1"}})).await;
    drop(peer);
    // Whether the end of the input or of the output is seen first, nobody can say.
    let _ = soon("the end", served).await.unwrap();
    assert!(workwire_broker::Broker::open(&*broker, "b").await.is_err(), "it is shut down");
}

#[tokio::test]
async fn an_output_that_nobody_reads_shuts_the_broker_down_though_the_input_is_open() {
    let broker = memory();
    let (mut questions, input) = tokio::io::duplex(1_024);
    let (output, answers) = tokio::io::duplex(1_024);
    let served = tokio::spawn(serve(Arc::clone(&broker) as Arc<_>, input, output));
    drop(answers);
    questions.write_all(b"what?\n").await.unwrap();
    assert!(soon("the end", served).await.unwrap().is_err());
    assert!(workwire_broker::Broker::open(&*broker, "b").await.is_err(), "it is shut down");
}

#[tokio::test]
async fn messages_of_the_wire_protocol_are_decoded() {
    let mut peer = with_queue().await;
    let event = r#"{"event_id": "01890A5D-AC96-774B-BCCE-B302099A8057", "event_type": "context_updated", "timestamp": "2026-01-01T00:00:00",
        "tenant_id": "acme", "source_agent_id": "a", "call_chain": ["a"]}"#;
    let accepted = peer.ask("decode", json!({"kind": "event", "body": event, "encoding": "utf8"})).await;
    assert_eq!(accepted["result"]["accepted"], true, "{accepted}");
    assert!(accepted["result"]["canonical"].as_str().unwrap().starts_with(r#"{"event_id":"01890a5d-"#));
    let refused = peer.ask("decode", json!({"kind": "event", "body": "e30=", "encoding": "base64"})).await;
    let violations = refused["result"]["violations"].as_array().unwrap();
    assert_eq!(violations.len(), 6, "{refused}");
    assert_eq!(violations[0], json!({"pointer": "/event_id", "rule": "EVT-1", "message": violations[0]["message"]}));
}
