//! What people read in the file is what is there.

use std::sync::Arc;

use rusqlite::types::Value;
use workwire::{ChannelMessage, FreeObject};
use workwire_broker::clock::{Clock as _, SystemClock};
use workwire_broker::{Fetch, Health, HealthStatus, Message, Policy, Queue, Update, Verdict};

use super::folder::{Folder, client, tasks};

fn column(folder: &Folder, sql: &str) -> Vec<String> {
    let connection = folder.sql();
    let mut select = connection.prepare(sql).unwrap();
    let columns = select.column_count();
    let rows = select.query_map([], |row| {
        let words = (0..columns).map(|index| match row.get(index)? {
            Value::Null => Ok("-".to_owned()),
            Value::Integer(number) => Ok(number.to_string()),
            Value::Text(text) => Ok(text),
            other => Ok(format!("{other:?}")),
        });
        Ok(words.collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn question() -> ChannelMessage {
    let payload: FreeObject = r#"{"query": "where?"}"#.parse().unwrap();
    ChannelMessage::compose("context.query".parse().unwrap(), "ada".parse().unwrap())
        .to_agent(workwire::Name::new("bob").unwrap())
        .channel(workwire::Name::new("ops").unwrap())
        .payload(payload)
        .build()
        .unwrap()
}

#[tokio::test]
async fn messages_say_who_what_and_how_far() {
    let folder = Folder::new();
    let broker = folder.broker();
    let client = client(&broker, Policy { max_priority: 10, ..Policy::default() }).await;
    let question = question();
    let message = Message {
        to: Some("bob".to_owned()),
        priority: Some(7),
        ttl_ms: Some(60_000),
        ..Message::new(*question.id().as_uuid(), question.to_json())
    };
    client.publish(&tasks(), message).await.unwrap();
    let select = "SELECT id, type, version, from_agent, to_agent, channel, priority, payload, status, delivery_count,
                  last_delivered_at, error, correlation_id FROM messages";
    let id = question.id();
    let words = "context.query 1.0 ada bob ops 7 {\"query\":\"where?\"}";
    assert_eq!(column(&folder, select), [format!("{id} {words} pending 0 - - -")]);
    let times = column(&folder, "SELECT created_at < expires_at, timestamp IS NOT NULL FROM messages");
    assert_eq!(times, ["1 1"]);

    let fetch = Fetch::up_to(1).for_recipient("bob");
    let delivery = client.fetch(&tasks(), fetch.clone()).await.unwrap().remove(0);
    let held = column(&folder, "SELECT status, delivery_count, last_delivered_at IS NULL FROM messages");
    assert_eq!(held, ["processing 1 0"]);
    let retry = Verdict::Retry { delay_ms: None, reason: Some("no map".to_owned()) };
    client.settle(&tasks(), &delivery.tag, retry).await.unwrap();
    assert_eq!(column(&folder, "SELECT status, delivery_count, error FROM messages"), ["pending 1 no map"]);

    let delivery = client.fetch(&tasks(), fetch).await.unwrap().remove(0);
    client.settle(&tasks(), &delivery.tag, Verdict::dead("never heard of it")).await.unwrap();
    assert_eq!(column(&folder, "SELECT * FROM messages"), [""; 0]);
    let letters = column(&folder, "SELECT id, original_message, error, retry_count, queue FROM dead_letter_queue");
    assert_eq!(letters, [format!("{id} {} never heard of it 1 tasks", question.to_json())]);
    assert_eq!(column(&folder, "SELECT moved_at LIKE '20__-__-__T__:__:__.___Z' FROM dead_letter_queue"), ["1"]);
}

#[tokio::test]
async fn what_is_no_json_is_shown_as_it_is() {
    let folder = Folder::new();
    let broker = folder.broker();
    let client = client(&broker, Policy::default()).await;
    client.publish(&tasks(), Message::new(uuid::Uuid::now_v7(), "not {json")).await.unwrap();
    let words = column(&folder, "SELECT type, channel, payload, status FROM messages");
    assert_eq!(words, ["- tasks not {json pending"]);
}

#[tokio::test]
async fn an_expired_message_is_not_shown() {
    let folder = Folder::new();
    let past = workwire_broker::clock::ManualClock::at(SystemClock.now() - 10_000);
    let broker = folder.broker_at(Arc::new(past));
    let client = client(&broker, Policy::default()).await;
    let message = Message { ttl_ms: Some(5_000), ..Message::new(uuid::Uuid::now_v7(), "late") };
    client.publish(&tasks(), message).await.unwrap();
    let message = Message { ttl_ms: Some(500_000), ..Message::new(uuid::Uuid::now_v7(), "good") };
    client.publish(&tasks(), message).await.unwrap();
    assert_eq!(column(&folder, "SELECT payload FROM messages"), ["good"]);
}

#[tokio::test]
async fn agents_and_subscriptions_are_told() {
    let folder = Folder::new();
    let broker = folder.broker();
    let client = client(&broker, Policy::default()).await;
    let health = Health {
        current_task: Some("dig".to_owned()),
        messages_pending: Some(2),
        messages_processed: Some(5),
        error_count: Some(1),
        ..Health::new("ada".parse().unwrap(), HealthStatus::Active)
    };
    client.heartbeat(Update::Channel(health), None).await.unwrap();
    let columns = "agent_id, status, current_task, messages_pending, messages_processed, error_count";
    let words = column(&folder, &format!("SELECT {columns} FROM agent_status WHERE last_heartbeat IS NOT NULL"));
    assert_eq!(words, ["ada active dig 2 5 1"]);

    let queue = Queue::new("channel_subscriptions");
    client.declare(&queue, &Policy::default()).await.unwrap();
    let body = r#"{"channel": "ops", "agent": "ada", "subscribed_at": "2026-01-01T00:00:00Z"}"#;
    let message = Message { to: Some("ada".to_owned()), ..Message::new(uuid::Uuid::now_v7(), body) };
    client.publish(&queue, message).await.unwrap();
    let words = column(&folder, "SELECT channel_name, agent_id, subscribed_at FROM channel_subscriptions");
    assert_eq!(words, ["ops ada 2026-01-01T00:00:00Z"]);
}
