//! Whatever stands on a line, neither side panics or hangs, and the next line is handled.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use workwire_broker::adapter::AdapterOptions;
use workwire_broker::adapter::wire::Method;
use workwire_broker::{Broker, MemoryBroker, Queue};

use super::peer::Peer;
use super::values::{json_value, text};

/// Lines that nobody should write: bytes, JSON, and frames that are nearly right. None ends the line.
fn lines() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let method =
        prop_oneof![proptest::sample::select(Method::ALL.to_vec()).prop_map(|method| method.to_string()), text(),];
    let id = prop_oneof![(0i64..9).prop_map(Value::from), json_value()];
    let request = (id.clone(), method, params())
        .prop_map(|(id, method, params)| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    let answer =
        (id.clone(), json_value()).prop_map(|(id, result)| json!({"jsonrpc": "2.0", "id": id, "result": result}));
    let refusal = (id, any::<i64>(), json_value(), json_value()).prop_map(|(id, code, message, data)| {
        json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message, "data": data}})
    });
    let json = prop_oneof![request, answer, refusal, json_value()].prop_map(|value| value.to_string().into_bytes());
    let cut =
        (json.clone(), any::<proptest::sample::Index>()).prop_map(|(line, at)| line[..at.index(line.len())].to_vec());
    let line = prop_oneof![vec(any::<u8>(), 0..60), json, cut];
    vec(line.prop_map(|line| line.into_iter().filter(|byte| *byte != b'\n').collect()), 0..8)
}

fn params() -> impl Strategy<Value = Value> {
    let names = ["client", "queue", "id", "body", "encoding", "max", "wait_ms", "policy", "tag", "verdict", "mode"];
    let value = prop_oneof![Just(json!("a")), Just(json!({"name": "q"})), Just(json!(1)), json_value()];
    let members = vec((proptest::sample::select(names.to_vec()), value), 0..9);
    members.prop_map(|members| {
        // Not so that it takes an hour.
        let quick = |(name, value): (&str, Value)| (name.to_owned(), if name == "wait_ms" { json!(0) } else { value });
        Value::Object(members.into_iter().map(quick).collect())
    })
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn ends_it(line: &[u8]) -> bool {
    serde_json::from_slice::<Value>(line).is_ok_and(|line| line["method"] == "shutdown" && !line["id"].is_object())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_served_broker_takes_anything(lines in lines()) {
        runtime().block_on(async {
            let mut peer = Peer::initialized(Arc::new(MemoryBroker::default())).await;
            for line in lines.iter().filter(|line| !ends_it(line)) {
                peer.say(line).await;
                let answer = peer.hear().await;
                prop_assert!(answer["result"].is_object() != answer["error"].is_object(), "{}", answer);
            }
            let last = peer.ask("open", json!({"client": "the-last"})).await;
            prop_assert_eq!(&last["result"], &json!({}));
            Ok(())
        })?;
    }

    #[test]
    fn an_adapter_may_say_anything(lines in lines()) {
        runtime().block_on(async {
            let (mut peer, broker) = Peer::adapter(&AdapterOptions::default()).await;
            let asked = async {
                let client = broker.open("a").await.ok()?;
                let depth = client.depth(&Queue::new("q"), None).await;
                // Dropped, it would close: nobody reads that any more.
                std::mem::forget(client);
                Some(depth)
            };
            let said = async {
                for line in &lines {
                    peer.say(line).await;
                }
                // By now each may have been answered, rightly or wrongly.
                for id in [2, 3] {
                    peer.say(json!({"jsonrpc": "2.0", "id": id, "result": {"ready": 7}}).to_string()).await;
                    tokio::task::yield_now().await;
                }
                peer.close().await;
            };
            let (answer, ()) = super::soon::soon("all of it", async { tokio::join!(asked, said) }).await;
            drop(answer);
            for finding in broker.findings() {
                prop_assert!(finding.excerpt.chars().count() <= 201 && !finding.excerpt.contains(char::is_control));
            }
            Ok(())
        })?;
    }
}
