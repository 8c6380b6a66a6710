//! No more is begun than there is room for.

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

/// A broker whose depth is told when somebody allows it.
struct Gate {
    about: About,
    doors: Arc<Doors>,
}

struct Doors {
    permits: Semaphore,
    begun: AtomicUsize,
}

struct AtGate(Arc<Doors>);

impl Broker for Gate {
    fn about(&self) -> &About {
        &self.about
    }

    fn open<'a>(&'a self, _client: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async move { Ok(Box::new(AtGate(Arc::clone(&self.doors))) as Box<dyn Client>) })
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
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn of_many_requests_so_many_are_worked_on_and_all_are_answered() {
    const ALL: usize = 3_000;
    const ROOM: usize = 1_024;
    let doors = Arc::new(Doors { permits: Semaphore::new(0), begun: AtomicUsize::new(0) });
    let about = About {
        name: "gate".to_owned(),
        version: "0".to_owned(),
        language: None,
        capabilities: Capabilities::CORE,
        limits: workwire_broker::BrokerLimits::default(),
        choices: workwire_broker::Choices::default(),
    };
    let mut peer = Peer::initialized(Arc::new(Gate { about, doors: Arc::clone(&doors) })).await;
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
