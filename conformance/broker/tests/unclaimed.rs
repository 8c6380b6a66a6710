//! A broker that claims no more than it must: what it does not claim errs clearly.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::sync::atomic::{AtomicU32, Ordering};

use uuid::Uuid;
use workwire::{AgentId, AgentStatus, AgentType, StatusUpdate, Timestamp};
use workwire_broker::{
    About, Answer, Broker, BrokerError, BrokerLimits, Capabilities, Choices, Client, CloseMode, Code, Delivery, Depth,
    Fetch, Message, Peek, Policy, Purge, Queue, RestartMode, Stored, Tag, Update, Verdict,
};

/// Does nothing but what every client has to.
struct Least {
    settled: AtomicU32,
}

impl Client for Least {
    fn declare<'a>(&'a self, _: &'a Queue, _: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn publish<'a>(&'a self, _: &'a Queue, _: Message) -> Answer<'a, Stored> {
        Box::pin(async { Ok(Stored::Stored) })
    }

    fn publish_batch<'a>(&'a self, _: &'a Queue, _: Vec<Message>) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn fetch<'a>(&'a self, _: &'a Queue, _: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Each third one is stale.
    fn settle<'a>(&'a self, _: &'a Queue, _: &'a Tag, _: Verdict) -> Answer<'a, ()> {
        let number = self.settled.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(async move { if number.is_multiple_of(3) { Err(BrokerError::stale()) } else { Ok(()) } })
    }

    fn depth<'a>(&'a self, _: &'a Queue, _: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async { Ok(Depth::default()) })
    }

    fn close(&self, _: CloseMode) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

struct LeastBroker(About);

impl Broker for LeastBroker {
    fn about(&self) -> &About {
        &self.0
    }

    fn open<'a>(&'a self, _: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async { Ok(Box::new(Least { settled: AtomicU32::new(0) }) as Box<dyn Client>) })
    }

    fn shutdown(&self) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

async fn unsupported<T: std::fmt::Debug>(answer: Answer<'_, T>, names: &str) {
    let error = answer.await.expect_err("a refusal");
    assert_eq!(error.code(), Code::Unsupported);
    assert!(error.is_refused() && error.message().contains(names), "{error}");
}

#[tokio::test]
async fn an_unclaimed_capability_errs_clearly() {
    let about = About {
        name: "least".to_owned(),
        version: "1".to_owned(),
        language: None,
        capabilities: Capabilities::CORE,
        limits: BrokerLimits::default(),
        choices: Choices::default(),
    };
    let broker = LeastBroker(about);
    unsupported(broker.restart(RestartMode::Kill), "restart").await;
    let client = broker.open("ada").await.unwrap();
    let (queue, tag) = (Queue::new("tasks"), Tag("any".to_owned()));
    assert!(client.push(&queue, &Fetch::up_to(1), 1).is_none());
    unsupported(client.peek(&queue, Peek::default()), "browse").await;
    unsupported(client.extend(&queue, &tag, 1), "extend").await;
    unsupported(client.dead_letters(&queue, 1, None), "dead-letter").await;
    unsupported(client.replay(&queue, Uuid::nil(), None), "replay").await;
    unsupported(client.purge(&queue, Purge::default()), "purge").await;
    unsupported(client.delete(&queue), "delete").await;
    unsupported(client.sweep(&queue), "ttl").await;
    let update = StatusUpdate::builder().agent_id(AgentId::new()).agent_type(AgentType::Code);
    let update = update.status(AgentStatus::Online).timestamp(Timestamp::now()).build().unwrap();
    unsupported(client.heartbeat(Update::Agent(update), None), "presence").await;
    unsupported(client.agents(None, None), "presence").await;
}

#[tokio::test]
async fn many_are_settled_one_by_one_where_there_is_no_better_way() {
    let client = Least { settled: AtomicU32::new(0) };
    let settled = (0..6).map(|number| (Tag(number.to_string()), Verdict::Done)).collect();
    let answers = client.settle_many(&Queue::new("tasks"), settled).await.unwrap();
    let codes: Vec<_> = answers.into_iter().map(|answer| answer.map_err(|error| error.code())).collect();
    let stale = Err(Code::Stale);
    assert_eq!(codes, [Ok(()), Ok(()), stale, Ok(()), Ok(()), stale]);
}
