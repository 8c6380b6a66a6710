//! Many callers whose wishes come into one transaction: each is served as if it had come alone.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use workwire_broker::{
    Broker as _, BrokerError, Client, Delivery, Fetch, Message, Overflow, Peek, Policy, Purge, SqliteBroker,
    SqliteOptions, Stored,
};

use super::folder::{Folder, tasks};

type Task<T> = tokio::task::JoinHandle<Result<T, BrokerError>>;

/// A client whose writer is held up by somebody else who writes, so that all that is asked meanwhile
/// comes into one transaction, in the order in which it was asked.
struct Crowd {
    client: Arc<dyn Client>,
    blocker: rusqlite::Connection,
    _broker: SqliteBroker,
    _folder: Folder,
}

impl Crowd {
    async fn new(policy: Policy) -> Self {
        let folder = Folder::new();
        let options = SqliteOptions { busy_timeout: Duration::from_mins(1), ..SqliteOptions::at(folder.file()) };
        let broker = SqliteBroker::open(options).unwrap();
        let client: Arc<dyn Client> = broker.open("client").await.unwrap().into();
        client.declare(&tasks(), &policy).await.unwrap();
        let blocker = folder.sql();
        blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
        Crowd { client, blocker, _broker: broker, _folder: folder }
    }

    fn asks<T, F>(&self, ask: impl FnOnce(Arc<dyn Client>) -> F) -> Task<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, BrokerError>> + Send + 'static,
    {
        tokio::spawn(ask(Arc::clone(&self.client)))
    }

    fn publishes(&self, message: Message) -> Task<Stored> {
        self.asks(|client| async move { client.publish(&tasks(), message).await })
    }

    fn fetches(&self, fetch: Fetch) -> Task<Vec<Delivery>> {
        self.asks(|client| async move { client.fetch(&tasks(), fetch).await })
    }

    /// Every task has asked: on one thread they began in their order.
    async fn go(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        self.blocker.execute_batch("COMMIT").unwrap();
    }
}

fn message(number: u128, priority: i64) -> Message {
    Message { priority: Some(priority), ..Message::new(Uuid::from_u128(number), format!("body {number}")) }
}

async fn numbers(fetching: Task<Vec<Delivery>>) -> Vec<u128> {
    let deliveries = fetching.await.unwrap().unwrap();
    for delivery in &deliveries {
        assert_eq!(delivery.body, format!("body {}", delivery.id.as_u128()));
        assert_eq!(delivery.attempt, 1);
    }
    deliveries.iter().map(|delivery| delivery.id.as_u128()).collect()
}

#[tokio::test]
async fn what_is_published_and_fetched_together_comes_in_its_order() {
    let crowd = Crowd::new(Policy::default()).await;
    for (number, priority) in [(1, 1), (2, 3), (3, 5), (4, 2), (5, 4)] {
        drop(crowd.publishes(message(number, priority)));
    }
    let two = crowd.fetches(Fetch::up_to(2));
    let late = crowd.publishes(message(6, 5));
    let rest = crowd.fetches(Fetch::up_to(10));
    let none = crowd.fetches(Fetch::up_to(1));
    crowd.go().await;
    assert_eq!(numbers(two).await, [3, 5]);
    assert_eq!(late.await.unwrap().unwrap(), Stored::Stored);
    assert_eq!(numbers(rest).await, [6, 2, 4, 1]);
    assert_eq!(numbers(none).await, [0; 0]);
    let depth = crowd.client.depth(&tasks(), None).await.unwrap();
    assert_eq!((depth.ready, depth.leased), (0, Some(6)));
}

#[tokio::test]
async fn a_wait_that_began_before_is_served_before_a_fetch_that_came_behind() {
    let crowd = Crowd::new(Policy::default()).await;
    let waiting = crowd.fetches(Fetch::up_to(1).waiting(60_000));
    let published = crowd.publishes(message(1, 3));
    let behind = crowd.fetches(Fetch::up_to(1));
    crowd.go().await;
    published.await.unwrap().unwrap();
    assert_eq!(numbers(behind).await, [0; 0]);
    assert_eq!(numbers(waiting).await, [1]);
}

#[tokio::test]
async fn recipients_and_groups_are_kept_apart() {
    let crowd = Crowd::new(Policy::default()).await;
    drop(crowd.fetches(Fetch::up_to(1).of_group("audit")));
    drop(crowd.publishes(Message { to: Some("ada".to_owned()), ..message(1, 3) }));
    drop(crowd.publishes(message(2, 3)));
    let bob = crowd.fetches(Fetch::up_to(5).for_recipient("bob"));
    let ada = crowd.fetches(Fetch::up_to(5).for_recipient("ada"));
    let audit = crowd.fetches(Fetch::up_to(5).of_group("audit").for_recipient("ada"));
    crowd.go().await;
    assert_eq!(numbers(bob).await, [2]);
    assert_eq!(numbers(ada).await, [1]);
    assert_eq!(numbers(audit).await, [1, 2]);
}

#[tokio::test]
async fn who_looks_takes_by_id_or_purges_finds_what_was_published_just_before() {
    let crowd = Crowd::new(Policy::default()).await;
    for number in 1..=4 {
        drop(crowd.publishes(message(number, 3)));
    }
    let seen = crowd.asks(|client| async move { client.peek(&tasks(), Peek { max: 9, ..Peek::default() }).await });
    let third = crowd.fetches(Fetch::up_to(1).only(Uuid::from_u128(3)));
    let first = crowd.fetches(Fetch::up_to(1));
    let purged = crowd.asks(|client| async move { client.purge(&tasks(), Purge::default()).await });
    let twice = crowd.publishes(message(4, 3));
    crowd.go().await;
    let seen: Vec<u128> = seen.await.unwrap().unwrap().iter().map(|seen| seen.id.as_u128()).collect();
    assert_eq!(seen, [1, 2, 3, 4]);
    assert_eq!(numbers(third).await, [3]);
    assert_eq!(numbers(first).await, [1]);
    assert_eq!(purged.await.unwrap().unwrap(), 2);
    assert_eq!(twice.await.unwrap().unwrap(), Stored::Duplicate, "a purge forgets no id");
}

#[tokio::test]
async fn the_oldest_gives_way_among_those_published_together() {
    let policy = Policy { max_length: Some(2), overflow: Overflow::DropOldest, ..Policy::default() };
    let crowd = Crowd::new(policy).await;
    for (number, priority) in [(1, 5), (2, 1), (3, 3), (4, 2)] {
        drop(crowd.publishes(message(number, priority)));
    }
    let all = crowd.fetches(Fetch::up_to(9));
    crowd.go().await;
    assert_eq!(numbers(all).await, [3, 4]);
}

#[tokio::test]
async fn an_id_is_known_whether_it_is_newer_or_older_than_others() {
    let crowd = Crowd::new(Policy::default()).await;
    let asked = [(7, Stored::Stored), (3, Stored::Stored), (7, Stored::Duplicate), (3, Stored::Duplicate)];
    let tasks = asked.map(|(number, expected)| (crowd.publishes(message(number, 3)), expected));
    crowd.go().await;
    for (task, expected) in tasks {
        assert_eq!(task.await.unwrap().unwrap(), expected);
    }
    assert_eq!(crowd.client.publish(&super::folder::tasks(), message(5, 3)).await.unwrap(), Stored::Stored);
    assert_eq!(crowd.client.publish(&super::folder::tasks(), message(5, 3)).await.unwrap(), Stored::Duplicate);
}
