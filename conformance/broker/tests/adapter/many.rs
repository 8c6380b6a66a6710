//! Many requests at once, and requests that nobody waits for any more.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use workwire_broker::adapter::{AdapterOptions, FindingKind};
use workwire_broker::{Broker, Client, Code, Fetch, Queue, Stored, Tag, Verdict};

use super::peer::Peer;
use super::soon::{soon, until};

async fn opened(peer: &mut Peer, broker: &dyn Broker, name: &str) -> Arc<dyn Client> {
    let answer = async {
        let request = peer.hear().await;
        assert_eq!((&request["method"], &request["params"]), (&json!("open"), &json!({"client": name})));
        peer.answer(&request, &json!({})).await;
    };
    let (client, ()) = tokio::join!(broker.open(name), answer);
    Arc::from(client.unwrap())
}

#[tokio::test]
async fn two_hundred_requests_are_answered_out_of_order() {
    let (mut peer, broker) = Peer::adapter(&AdapterOptions::default()).await;
    let client = opened(&mut peer, &broker, "a").await;
    let asked: Vec<_> = (0..200)
        .map(|number| {
            let client = Arc::clone(&client);
            tokio::spawn(async move { client.depth(&Queue::new(format!("q{number}")), None).await })
        })
        .collect();
    let mut requests = Vec::new();
    for _ in 0..200 {
        requests.push(peer.hear().await);
    }
    // Each seventh of the way round: every one once, none after its neighbour.
    for step in 0..200 {
        let request: &Value = &requests[(step * 7 + 3) % 200];
        let number: u64 = request["params"]["queue"]["name"].as_str().unwrap()[1..].parse().unwrap();
        peer.answer(request, &json!({"ready": number})).await;
    }
    for (number, asked) in asked.into_iter().enumerate() {
        assert_eq!(soon("an answer", asked).await.unwrap().unwrap().ready, number as u64);
    }
    assert_eq!(broker.findings(), []);
}

#[tokio::test]
async fn many_are_settled_side_by_side() {
    let (mut peer, broker) = Peer::adapter(&AdapterOptions::default()).await;
    let client = opened(&mut peer, &broker, "a").await;
    let queue = Queue::new("q");
    let settled = (0..3).map(|number| (Tag(number.to_string()), Verdict::Done)).collect();
    let answer = async {
        let requests = [peer.hear().await, peer.hear().await, peer.hear().await];
        for request in requests.iter().rev() {
            if request["params"]["tag"] == "1" {
                let error = json!({"code": 3, "message": "too late"});
                peer.say(json!({"jsonrpc": "2.0", "id": request["id"], "error": error}).to_string()).await;
            } else {
                peer.answer(request, &json!({})).await;
            }
        }
    };
    let (answers, ()) = tokio::join!(client.settle_many(&queue, settled), answer);
    let codes: Vec<_> = answers.unwrap().into_iter().map(|answer| answer.err().map(|error| error.code())).collect();
    assert_eq!(codes, [None, Some(Code::Stale), None]);
}

#[tokio::test]
async fn a_late_answer_to_what_was_given_up_is_no_finding_and_a_second_one_is() {
    let (mut peer, broker) = Peer::adapter(&AdapterOptions::default()).await;
    let client = opened(&mut peer, &broker, "a").await;
    let queue = Queue::new("q");
    let given_up = tokio::select! {
        answer = client.fetch(&queue, Fetch::up_to(1).waiting(1_000)) => panic!("{answer:?}"),
        request = peer.hear() => request,
    };
    for _ in 0..2 {
        peer.answer(&given_up, &json!({"deliveries": []})).await;
    }
    let answer = async {
        let request = peer.hear().await;
        peer.answer(&request, &json!({"ready": 1})).await;
    };
    let (depth, ()) = tokio::join!(client.depth(&queue, None), answer);
    assert_eq!(depth.unwrap().ready, 1);
    let findings = broker.findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((findings[0].kind, findings[0].line), (FindingKind::SecondAnswer, Some(4)));
}

#[tokio::test]
async fn what_was_never_begun_is_never_asked() {
    let (mut peer, broker) = Peer::adapter(&AdapterOptions::default()).await;
    let client = opened(&mut peer, &broker, "a").await;
    let (one, two) = (Queue::new("one"), Queue::new("two"));
    drop(client.depth(&one, None));
    let answer = async {
        let request = peer.hear().await;
        assert_eq!(request["params"]["queue"]["name"], "two");
        peer.answer(&request, &json!({"ready": 1})).await;
    };
    let (depth, ()) = tokio::join!(client.depth(&two, None), answer);
    assert_eq!(depth.unwrap().ready, 1);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_with_the_time_for_it_and_a_fetch_may_take_longer() {
    let options = AdapterOptions { limit: Duration::from_secs(2), ..AdapterOptions::default() };
    let (mut peer, broker) = Peer::adapter(&options).await;
    let client = opened(&mut peer, &broker, "a").await;
    let queue = Queue::new("q");
    let start = tokio::time::Instant::now();
    let error = client.depth(&queue, None).await.unwrap_err();
    assert!(error.is_indefinite(), "{error}");
    assert_eq!(start.elapsed(), Duration::from_secs(2), "on a clock that is paused");
    let error = client.fetch(&queue, Fetch::up_to(1).waiting(5_000)).await.unwrap_err();
    assert!(error.is_indefinite(), "{error}");
    assert_eq!(start.elapsed(), Duration::from_secs(2 + 2 + 5));
    let kinds: Vec<_> = broker.findings().into_iter().map(|finding| (finding.kind, finding.message)).collect();
    let silence = |what: &str| (FindingKind::Silence, what.to_owned());
    assert_eq!(
        kinds,
        [silence("no answer to depth, request 3, within 2s"), silence("no answer to fetch, request 4, within 7s")]
    );
    let depth = peer.hear().await;
    assert_eq!(depth["method"], "depth");
    peer.answer(&depth, &json!({"ready": 1})).await;
    peer.hear().await;
    let answer = async {
        let request = peer.hear().await;
        peer.answer(&request, &json!({"ready": 2})).await;
    };
    let (depth, ()) = tokio::join!(client.depth(&queue, None), answer);
    assert_eq!(depth.unwrap().ready, 2, "and it goes on");
    assert_eq!(broker.findings().len(), 2, "that the answer comes late is no second finding");
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_does_not_read_is_told_from_one_that_does_not_answer() {
    let options = AdapterOptions { limit: Duration::from_secs(2), ..AdapterOptions::default() };
    let (mut peer, broker) = Peer::adapter(&options).await;
    let client = opened(&mut peer, &broker, "a").await;
    let queue = Queue::new("q");
    let large = || workwire_broker::Message::new(uuid::Uuid::nil(), vec![b'a'; 1_048_576]);
    let (first, second) = tokio::join!(client.publish(&queue, large()), client.publish(&queue, large()));
    assert!(first.unwrap_err().is_indefinite() && second.unwrap_err().is_indefinite());
    let mut messages: Vec<String> = broker.findings().into_iter().map(|finding| finding.message).collect();
    messages.sort();
    assert!(messages[0].starts_with("no answer to publish, request 3"), "{messages:?}");
    assert!(messages[1].contains("could not be written within 2s: the adapter does not read"), "{messages:?}");
    // What was never written is not asked any more, now that it reads again.
    assert_eq!(peer.hear().await["id"], 3);
    let answer = async {
        let request = peer.hear().await;
        assert_eq!(request["method"], "depth");
        peer.answer(&request, &json!({"ready": 0})).await;
    };
    tokio::join!(client.depth(&queue, None), answer).0.unwrap();
}

#[tokio::test]
async fn an_answer_to_what_was_not_even_written_is_an_answer_to_no_request() {
    let (mut peer, broker) = Peer::adapter(&AdapterOptions::default()).await;
    let client = opened(&mut peer, &broker, "a").await;
    let queue = Queue::new("q");
    let large = || workwire_broker::Message::new(uuid::Uuid::nil(), vec![b'a'; 1_048_576]);
    let answers = async {
        // The first fills the pipe; the second has to wait for room.
        peer.answer(&json!({"id": 4}), &json!({"outcome": "stored"})).await;
        until("the early answer is seen", || !broker.findings().is_empty()).await;
        for outcome in ["stored", "duplicate"] {
            let request = peer.hear().await;
            peer.answer(&request, &json!({"outcome": outcome})).await;
        }
    };
    let (first, second, ()) = tokio::join!(client.publish(&queue, large()), client.publish(&queue, large()), answers);
    assert_eq!((first.unwrap(), second.unwrap()), (Stored::Stored, Stored::Duplicate));
    let findings = broker.findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((findings[0].kind, findings[0].line), (FindingKind::NoRequest, Some(3)));
}
