//! Every method, asked once or more, in an order in which it goes well.

use serde_json::{Value, json};

use super::pipes::{Adapter, request};

/// A method, its parameters and its result.
pub(crate) struct Exchange {
    pub(crate) method: &'static str,
    pub(crate) params: Value,
    pub(crate) result: Value,
}

/// Asks, and expects a result.
fn ask(adapter: &mut Adapter, method: &'static str, params: Value) -> Exchange {
    let mut answer = adapter.ask(&request(method, &params));
    assert!(answer["result"].is_object(), "{method}: {answer}");
    Exchange { method, params, result: answer["result"].take() }
}

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// What comes before anything can be asked.
pub(crate) fn begin(adapter: &mut Adapter) -> Vec<Exchange> {
    let queue = json!({"tenant": "acme", "name": "tasks"});
    let policy = json!({
        "max_priority": 10, "max_attempts": 2, "lease_ms": 60_000, "backoff_ms": [0], "ttl_ms": 1_000_000,
        "max_length": 100, "overflow": "drop-oldest", "dedupe_ms": 0
    });
    vec![
        ask(adapter, "initialize", json!({"contract": "1", "runner": {"name": "test", "version": "1"}})),
        ask(adapter, "open", json!({"client": "a"})),
        ask(adapter, "declare", json!({"client": "a", "queue": queue, "policy": policy})),
    ]
}

/// All of them but the last.
pub(crate) fn exchanges(adapter: &mut Adapter) -> Vec<Exchange> {
    let mut all = begin(adapter);
    let of_queue = |more: Value| {
        let mut params = json!({"client": "a", "queue": {"tenant": "acme", "name": "tasks"}});
        for (name, value) in more.as_object().unwrap() {
            params[name] = value.clone();
        }
        params
    };
    let mut go = |method, params| {
        all.push(ask(adapter, method, params));
        all.last().unwrap().result.clone()
    };
    let message = json!({
        "id": ID, "body": "to do", "encoding": "utf8", "priority": 9, "ttl_ms": 60_000, "delay_ms": 0, "to": "bob"
    });
    go("publish", of_queue(message.clone()));
    go(
        "publish_batch",
        of_queue(json!({"items": [
            message, {"id": ID, "body": "/w==", "encoding": "base64"}, {"id": ID, "body": "", "encoding": "utf8", "priority": 0}
        ]})),
    );
    let fetch = json!({"consumer": "c", "max": 1, "wait_ms": 10, "group": "g", "recipient": "bob", "id": ID});
    let taken = go("fetch", of_queue(fetch));
    let tag = taken["deliveries"][0]["tag"].clone();
    go("peek", of_queue(json!({"max": 9, "group": "g", "recipient": "bob", "after": ID})));
    go("peek", of_queue(json!({"max": 9})));
    go("extend", of_queue(json!({"tag": tag, "lease_ms": 90_000})));
    go("settle", of_queue(json!({"tag": tag, "verdict": "dead", "reason": "broken", "delay_ms": null})));
    go("depth", of_queue(json!({"group": "g"})));
    go("dead_letters", of_queue(json!({"max": 9, "group": "g"})));
    go("replay", of_queue(json!({"id": ID, "group": "g"})));
    go("purge", of_queue(json!({"group": "g", "dead": true})));
    go("sweep", of_queue(json!({})));
    go("delete", of_queue(json!({})));
    let agent = json!({
        "agent_id": ID, "agent_type": "infra", "status": "busy", "current_task_id": ID, "timestamp": "2026-01-01T00:00:00Z",
        "resources": {"cpu_percent": 1, "memory_percent": 2, "gpu_vram_available_gb": 0, "gpu_vram_total_gb": 4}
    });
    go("heartbeat", json!({"client": "a", "update": agent, "tenant": "acme"}));
    let health = json!({
        "agent": "planner", "status": "idle", "current_task": "none", "messages_pending": 1, "messages_processed": 2,
        "error_count": 3, "timestamp": "2026-01-01T00:00:00Z"
    });
    go("heartbeat", json!({"client": "a", "update": health, "tenant": "acme"}));
    go("agents", json!({"client": "a", "offline_after_ms": 1_000, "tenant": "acme"}));
    go("decode", json!({"kind": "envelope", "body": "{}", "encoding": "utf8"}));
    let event = json!({
        "event_id": ID, "event_type": "context_updated", "timestamp": "2026-01-01T00:00:00Z", "tenant_id": "acme",
        "source_agent_id": "a", "call_chain": ["a"]
    });
    go("decode", json!({"kind": "event", "body": event.to_string(), "encoding": "utf8"}));
    go("close", json!({"client": "a", "mode": "graceful"}));
    go("restart", json!({"mode": "kill"}));
    all
}
