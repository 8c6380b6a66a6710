//! Connections, and how they end.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;
use workwire_broker::adapter::AdapterOptions;
use workwire_broker::{Broker, CloseMode, Code, Fetch, MemoryBroker, Message, Policy, Queue, RestartMode};

use super::peer::{Peer, behind_protocol};
use super::soon::soon;

#[tokio::test]
async fn a_dropped_client_is_aborted_and_nobody_waits_for_it() {
    let broker = behind_protocol(Arc::new(MemoryBroker::default())).await;
    let queue = Queue::new("tasks");
    let first = broker.open("first").await.unwrap();
    first.declare(&queue, &Policy::default()).await.unwrap();
    first.publish(&queue, Message::new(Uuid::nil(), "x")).await.unwrap();
    assert_eq!(first.fetch(&queue, Fetch::up_to(1)).await.unwrap()[0].attempt, 1);
    drop(first);
    let second = broker.open("second").await.unwrap();
    let taken = soon("what comes back", second.fetch(&queue, Fetch::up_to(1).waiting(60_000))).await.unwrap();
    assert_eq!(taken[0].attempt, 2, "an abort uses up an attempt");
    broker.open("first").await.unwrap();
    assert_eq!(broker.findings(), []);
}

#[tokio::test]
async fn a_client_that_was_closed_is_not_closed_again() {
    let (mut peer, broker) = Peer::adapter(&AdapterOptions::default()).await;
    let answers = async {
        for method in ["open", "close", "open"] {
            let request = peer.hear().await;
            assert_eq!(request["method"], method);
            peer.answer(&request, &json!({})).await;
        }
    };
    let asks = async {
        let client = broker.open("a").await.unwrap();
        client.close(CloseMode::Graceful).await.unwrap();
        drop(client);
        broker.open("a").await.unwrap()
    };
    let ((), client) = tokio::join!(answers, asks);
    drop(client);
    let close = peer.hear().await;
    assert_eq!((&close["method"], &close["params"]["mode"]), (&json!("close"), &json!("abort")));
}

#[tokio::test]
async fn a_client_of_before_a_restart_is_not_closed_after_it() {
    let broker = behind_protocol(Arc::new(MemoryBroker::default())).await;
    let queue = Queue::new("tasks");
    let before = broker.open("a").await.unwrap();
    before.declare(&queue, &Policy::default()).await.unwrap();
    broker.restart(RestartMode::Graceful).await.unwrap();
    assert_eq!(before.depth(&queue, None).await.unwrap_err().code(), Code::NotFound);
    let after = broker.open("a").await.unwrap();
    drop(before);
    after.depth(&queue, None).await.unwrap();
}

#[tokio::test]
async fn a_client_that_was_opened_for_nobody_is_closed() {
    let (mut peer, broker) = Peer::adapter(&AdapterOptions::default()).await;
    let open = tokio::select! {
        _ = broker.open("a") => panic!("nobody answered"),
        request = peer.hear() => request,
    };
    peer.answer(&open, &json!({})).await;
    let close = peer.hear().await;
    assert_eq!((&close["method"], &close["params"]), (&json!("close"), &json!({"client": "a", "mode": "abort"})));
    peer.answer(&close, &json!({})).await;
    // One that was not opened is not closed: the name may be another's.
    let open = tokio::select! {
        _ = broker.open("b") => panic!("nobody answered"),
        request = peer.hear() => request,
    };
    let refused = json!({"jsonrpc": "2.0", "id": open["id"], "error": {"code": 7, "message": "it is open"}});
    peer.say(refused.to_string()).await;
    let answer = async {
        let request = peer.hear().await;
        assert_eq!(request["method"], "open", "and nothing came before it");
        peer.answer(&request, &json!({})).await;
    };
    let (client, ()) = tokio::join!(broker.open("c"), answer);
    client.unwrap();
    assert_eq!(broker.findings(), []);
}

#[tokio::test]
async fn after_shutdown_everything_is_unavailable_at_once() {
    let broker = behind_protocol(Arc::new(MemoryBroker::default())).await;
    let client = broker.open("a").await.unwrap();
    soon("shutdown", broker.shutdown()).await.unwrap();
    soon("another", broker.shutdown()).await.unwrap();
    let error = client.depth(&Queue::new("q"), None).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(broker.open("b").await.is_err());
    drop(client);
    assert_eq!(broker.findings(), []);
}

#[tokio::test]
async fn a_dropped_broker_leaves_clients_that_answer() {
    let broker = behind_protocol(Arc::new(MemoryBroker::default())).await;
    let client = broker.open("a").await.unwrap();
    drop(broker);
    let error = soon("an error", client.depth(&Queue::new("q"), None)).await.unwrap_err();
    assert!(error.is_indefinite(), "{error}");
}

#[tokio::test]
async fn thousands_of_clients_come_and_go() {
    let broker = behind_protocol(Arc::new(MemoryBroker::default())).await;
    let queue = Queue::new("tasks");
    let first = broker.open("first").await.unwrap();
    first.declare(&queue, &Policy::default()).await.unwrap();
    for number in 0..3_000 {
        let client = broker.open(&format!("client-{number}")).await.unwrap();
        client.close(CloseMode::Graceful).await.unwrap();
        assert_eq!(client.depth(&queue, None).await.unwrap_err().code(), Code::NotFound);
    }
    first.depth(&queue, None).await.unwrap();
    let again = broker.open("client-0").await.unwrap();
    again.depth(&queue, None).await.unwrap();
    assert_eq!(broker.findings(), []);
}
