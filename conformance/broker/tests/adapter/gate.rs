//! A broker that answers when it is allowed to: no more is begun than there is room for, and nothing
//! before its turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::sync::Semaphore;
use workwire_broker::{
    About, Answer, Broker, Capabilities, Client, CloseMode, Delivery, Depth, Fetch, Message, Policy, Queue, Stored,
    Tag, Verdict,
};

use super::peer::Peer;
use super::soon::until;

/// A broker whose depth is told, and whose clients are opened and closed, when somebody allows it.
struct Gate {
    about: About,
    doors: Arc<Doors>,
}

struct Doors {
    /// For depths.
    permits: Semaphore,
    begun: AtomicUsize,
    /// For clients.
    entries: Semaphore,
}

impl Doors {
    fn new(entries: usize) -> Arc<Self> {
        let (permits, begun) = (Semaphore::new(0), AtomicUsize::new(0));
        Arc::new(Doors { permits, begun, entries: Semaphore::new(entries) })
    }
}

impl Gate {
    fn of(doors: &Arc<Doors>) -> Arc<Self> {
        let about = About {
            name: "gate".to_owned(),
            version: "0".to_owned(),
            language: None,
            capabilities: Capabilities::CORE,
            limits: workwire_broker::BrokerLimits::default(),
            choices: workwire_broker::Choices::default(),
        };
        Arc::new(Gate { about, doors: Arc::clone(doors) })
    }
}

struct AtGate(Arc<Doors>);

impl Broker for Gate {
    fn about(&self) -> &About {
        &self.about
    }

    fn open<'a>(&'a self, _client: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async move {
            self.doors.entries.acquire().await.unwrap().forget();
            Ok(Box::new(AtGate(Arc::clone(&self.doors))) as Box<dyn Client>)
        })
    }

    fn shutdown(&self) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

impl Client for AtGate {
    fn declare<'a>(&'a self, _queue: &'a Queue, _policy: &'a Policy) -> Answer<'a, ()> {
        unreachable!("nobody asks for it")
    }

    fn publish<'a>(&'a self, _queue: &'a Queue, _message: Message) -> Answer<'a, Stored> {
        unreachable!("nobody asks for it")
    }

    fn publish_batch<'a>(
        &'a self,
        _queue: &'a Queue,
        _messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, workwire_broker::BrokerError>>> {
        unreachable!("nobody asks for it")
    }

    fn fetch<'a>(&'a self, _queue: &'a Queue, _fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        unreachable!("nobody asks for it")
    }

    fn settle<'a>(&'a self, _queue: &'a Queue, _tag: &'a Tag, _verdict: Verdict) -> Answer<'a, ()> {
        unreachable!("nobody asks for it")
    }

    fn depth<'a>(&'a self, _queue: &'a Queue, _group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            self.0.begun.fetch_add(1, Ordering::SeqCst);
            self.0.permits.acquire().await.unwrap().forget();
            Ok(Depth::default())
        })
    }

    fn close(&self, _mode: CloseMode) -> Answer<'_, ()> {
        Box::pin(async {
            self.0.entries.acquire().await.unwrap().forget();
            Ok(())
        })
    }
}

#[tokio::test]
async fn of_many_requests_so_many_are_worked_on_and_all_are_answered() {
    const ALL: usize = 3_000;
    const ROOM: usize = 1_024;
    let doors = Doors::new(1);
    let mut peer = Peer::initialized(Gate::of(&doors)).await;
    peer.ask("open", json!({"client": "a"})).await;
    let (mut asking, mut hearing) = peer.split();
    let asking = tokio::spawn(async move {
        for number in 0..ALL {
            asking.request(&number.to_string(), "depth", json!({"client": "a", "queue": {"name": "q"}})).await;
        }
        asking
    });
    until("there is no room", || doors.begun.load(Ordering::SeqCst) == ROOM).await;
    for answered in 0..ALL {
        let begun = doors.begun.load(Ordering::SeqCst);
        assert!(begun <= answered + ROOM, "{begun} begun, {answered} answered");
        doors.permits.add_permits(1);
        assert_eq!(hearing.hear().await["result"]["ready"], 0);
    }
    asking.await.unwrap();
    assert_eq!(doors.begun.load(Ordering::SeqCst), ALL);
}

#[tokio::test]
async fn what_comes_behind_an_open_or_a_close_waits_for_it() {
    let doors = Doors::new(0);
    doors.permits.add_permits(10);
    let mut peer = Peer::initialized(Gate::of(&doors)).await;
    let depth = |client: &str| json!({"client": client, "queue": {"name": "q"}});
    for (id, method, params) in [
        ("open a", "open", json!({"client": "a"})),
        ("depth a", "depth", depth("a")),
        ("close a", "close", json!({"client": "a", "mode": "abort"})),
        ("open a again", "open", json!({"client": "a"})),
        ("depth a again", "depth", depth("a")),
        // Of another client, which nobody has opened.
        ("depth b", "depth", depth("b")),
    ] {
        peer.request(id, method, params).await;
    }
    assert_eq!(peer.hear().await["id"], "depth b", "one client does not hold up another");
    for expected in [&["open a", "depth a"][..], &["close a"], &["open a again", "depth a again"]] {
        doors.entries.add_permits(1);
        for id in expected {
            let answer = peer.hear().await;
            assert_eq!(answer["id"], *id);
            assert!(answer["result"].is_object(), "{answer}");
        }
    }
}
