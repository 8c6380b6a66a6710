//! A private server, and what the tests do with it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::NoTls;
use uuid::Uuid;
use workwire_broker::{
    Broker, Client, Delivery, Fetch, Instance, Message, OpenError, Policy, PostgresBroker, PostgresOptions, Queue,
};

use crate::live::instance;

/// A server for one test; none where there is no program for it.
pub(super) async fn server() -> Option<Instance> {
    instance("postgres").await
}

pub(super) async fn open(address: &str) -> Result<Arc<dyn Broker>, OpenError> {
    PostgresBroker::open(PostgresOptions::parse(address).unwrap()).await
}

/// What is said of an address that cannot be opened.
pub(super) async fn refusal(address: &str) -> String {
    open(address).await.err().unwrap().to_string()
}

/// The address of another user or database, or with options.
pub(super) fn address(server: &Instance, user: &str, database: &str) -> String {
    format!("postgres://{user}@127.0.0.1:{}/{database}", server.port())
}

/// A connection of somebody else, to the same database.
pub(super) async fn connection(server: &Instance) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(&server.address(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

pub(super) fn tasks() -> Queue {
    Queue::new("tasks")
}

/// A client, and the queue that it works with, whose leases never end in a test.
pub(super) async fn client(broker: &Arc<dyn Broker>, name: &str) -> Box<dyn Client> {
    let client = broker.open(name).await.unwrap();
    client.declare(&tasks(), &Policy { lease_ms: 600_000, ..Policy::default() }).await.unwrap();
    client
}

pub(super) fn message(body: &'static str) -> Message {
    Message::new(Uuid::now_v7(), body)
}

/// What is there, waited for.
pub(super) async fn taken(client: &dyn Client) -> Vec<Delivery> {
    client.fetch(&tasks(), Fetch::up_to(10).waiting(20_000)).await.unwrap()
}

/// Ends a test that hangs.
pub(super) async fn in_time<T>(scenario: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), scenario).await.expect("it does not end")
}
