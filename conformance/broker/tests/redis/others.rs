//! Other programs on the same streams: what they add is read, what is published is theirs to read.

use std::collections::HashMap;

use workwire::{AgentEvent, EventType};
use workwire_broker::{Fetch, Message, Overflow, Policy, Queue, Verdict, stream_policy};

use super::server::{Raw, message, open, take};
use crate::live::instance;

type Entry = (String, HashMap<String, String>);

fn stream() -> Queue {
    Queue::of_tenant("acme", "tasks")
}

fn event() -> AgentEvent {
    AgentEvent::compose(EventType::TaskFailed, "acme".parse().unwrap(), "coder-2".parse().unwrap()).build().unwrap()
}

/// As a bus of the field adds it.
fn added(event: &AgentEvent) -> String {
    let fields: Vec<String> = event.to_stream().into_iter().map(|(name, value)| format!("{name} {value}")).collect();
    // No field of this event holds a space, and none is empty but this one.
    format!("XADD t:acme:events:tasks * {}", fields.join(" "))
}

#[tokio::test]
async fn an_event_that_somebody_else_added_is_read() {
    let Some(redis) = instance("redis").await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    let (before, after) = (event(), event());
    let entry: String = raw.tell(&added(&before)).await;
    let client = open(&redis.address()).await.open("client").await.unwrap();
    client.declare(&stream(), &stream_policy()).await.unwrap();
    raw.tell::<()>(&added(&after)).await;
    let taken = take(&*client, &stream()).await;
    let told: Vec<_> =
        taken.iter().map(|one| (one.id, one.attempt, String::from_utf8_lossy(&one.body).into_owned())).collect();
    let wanted = |event: &AgentEvent| (*event.event_id().as_uuid(), 1, event.to_json());
    assert_eq!(told, [wanted(&before), wanted(&after)]);

    let held: Vec<(String, String, u64, u64)> = raw.tell("XPENDING t:acme:events:tasks _ - + 10").await;
    assert_eq!(held.len(), 2, "XPENDING tells the truth");
    assert_eq!((held[0].0.as_str(), held[0].1.as_str(), held[0].3), (entry.as_str(), "consumer", 1));
    client.settle(&stream(), &taken[0].tag, Verdict::Done).await.unwrap();
    let held: Vec<(String, String, u64, u64)> = raw.tell("XPENDING t:acme:events:tasks _ - + 10").await;
    assert_eq!(held.len(), 1);
}

#[tokio::test]
async fn a_waiting_fetch_sees_what_somebody_else_adds() {
    let Some(redis) = instance("redis").await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    let client = open(&redis.address()).await.open("client").await.unwrap();
    client.declare(&stream(), &stream_policy()).await.unwrap();
    let stream = stream();
    let (taken, ()) = tokio::join!(take(&*client, &stream), async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        raw.tell::<()>("XADD t:acme:events:tasks * colour blue").await;
    });
    assert_eq!(&taken[0].body[..], br#"{"colour":"blue"}"#);
    assert_eq!(taken[0].id.get_version_num(), 8, "an id made of the entry's");
    let again = Fetch::up_to(1).only(taken[0].id);
    client.settle(&stream, &taken[0].tag, Verdict::Retry { delay_ms: Some(0), reason: None }).await.unwrap();
    assert_eq!(client.fetch(&stream, again).await.unwrap()[0].attempt, 2, "it can be taken by that id");
}

#[tokio::test]
async fn attempts_that_a_bus_of_the_field_counted_are_counted() {
    let Some(redis) = instance("redis").await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    let client = open(&redis.address()).await.open("client").await.unwrap();
    client.declare(&stream(), &stream_policy()).await.unwrap();
    raw.tell::<()>(&format!("{} _retry_count 2", added(&event()))).await;
    assert_eq!(take(&*client, &stream()).await[0].attempt, 3);
}

#[tokio::test]
async fn a_published_event_is_its_stream_form() {
    let Some(redis) = instance("redis").await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    let client = open(&redis.address()).await.open("client").await.unwrap();
    client.declare(&stream(), &stream_policy()).await.unwrap();
    let event = event();
    client.publish(&stream(), Message::new(*event.event_id().as_uuid(), event.to_json())).await.unwrap();
    raw.tell::<()>("XGROUP CREATE t:acme:events:tasks python 0").await;
    let read: Vec<(String, Vec<Entry>)> = raw.tell("XREADGROUP GROUP python one STREAMS t:acme:events:tasks >").await;
    let fields = &read[0].1[0].1;
    assert_eq!(*fields, event.to_stream().into_iter().collect(), "and nothing else");
}

#[tokio::test]
async fn a_dead_letter_holds_what_the_binding_says() {
    let Some(redis) = instance("redis").await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    let client = open(&redis.address()).await.open("client").await.unwrap();
    client.declare(&stream(), &stream_policy()).await.unwrap();
    let event = event();
    client.publish(&stream(), Message::new(*event.event_id().as_uuid(), event.to_json())).await.unwrap();
    let taken = take(&*client, &stream()).await;
    client.settle(&stream(), &taken[0].tag, Verdict::retry()).await.unwrap();
    let taken = take(&*client, &stream()).await;
    client.settle(&stream(), &taken[0].tag, Verdict::dead("no good")).await.unwrap();
    let letters: Vec<Entry> = raw.tell("XRANGE t:acme:events:tasks:dlq - +").await;
    let fields = &letters[0].1;
    let told = |name: &str| fields.get(name).map(String::as_str);
    assert_eq!((told("error"), told("retry_count")), (Some("no good"), Some("1")));
    assert_eq!(told("original_stream"), Some("t:acme:events:tasks"));
    assert!(told("original_message_id").is_some_and(|id| id.contains('-')));
    assert!(told("timestamp").is_some_and(|time| time.parse::<workwire::Timestamp>().is_ok()));
    assert_eq!(told("event_id"), Some(event.event_id().to_string().as_str()));
    let letter = client.dead_letters(&stream(), 1, None).await.unwrap().remove(0);
    assert_eq!((letter.attempts, &letter.body[..]), (2, event.to_json().as_bytes()), "its own time too");
}

#[tokio::test]
async fn a_letter_that_somebody_else_wrote_is_read_and_replayed() {
    let Some(redis) = instance("redis").await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    let client = open(&redis.address()).await.open("client").await.unwrap();
    client.declare(&stream(), &stream_policy()).await.unwrap();
    let event = event();
    let letter = added(&event).replace("tasks *", "tasks:dlq *");
    raw.tell::<()>(&format!(
        "{letter} error broken retry_count 3 original_stream t:acme:events:tasks original_message_id 5-1"
    ))
    .await;
    let letters = client.dead_letters(&stream(), 10, None).await.unwrap();
    assert_eq!(
        (letters[0].reason.as_str(), letters[0].attempts, letters[0].id),
        ("broken", 4, *event.event_id().as_uuid())
    );
    client.replay(&stream(), letters[0].id, None).await.unwrap();
    let taken = take(&*client, &stream()).await;
    assert_eq!((taken[0].attempt, &taken[0].body[..]), (1, event.to_json().as_bytes()));
}

#[tokio::test]
async fn what_a_group_of_others_has_not_read_is_kept_for_it() {
    let Some(redis) = instance("redis").await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    let client = open(&redis.address()).await.open("client").await.unwrap();
    client.declare(&stream(), &stream_policy()).await.unwrap();
    raw.tell::<()>("XGROUP CREATE t:acme:events:tasks python 0").await;
    // The first look sees that somebody else reads here.
    client.fetch(&stream(), Fetch::up_to(1)).await.unwrap();
    client.publish(&stream(), message("one")).await.unwrap();
    let taken = take(&*client, &stream()).await;
    client.settle(&stream(), &taken[0].tag, Verdict::Done).await.unwrap();
    assert_eq!(client.depth(&stream(), None).await.unwrap().ready, 0);
    let read: Vec<(String, Vec<Entry>)> = raw.tell("XREADGROUP GROUP python one STREAMS t:acme:events:tasks >").await;
    let entry = &read[0].1[0];
    assert_eq!(entry.1["body"], "one");
    raw.tell::<()>(&format!("XACK t:acme:events:tasks python {}", entry.0)).await;
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while raw.tell::<u64>("XLEN t:acme:events:tasks").await > 0 {
        assert!(std::time::Instant::now() < until, "it is deleted when they have read it too");
        client.fetch(&stream(), Fetch::up_to(1).waiting(100)).await.unwrap();
    }
}

#[tokio::test]
async fn what_a_consumer_of_others_left_comes_to_ours() {
    let Some(redis) = instance("redis").await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    let client = open(&redis.address()).await.open("client").await.unwrap();
    client.declare(&stream(), &Policy { lease_ms: 200, ..stream_policy() }).await.unwrap();
    client.fetch(&stream(), Fetch::up_to(1).of_group("workers")).await.unwrap();
    client.publish(&stream(), message("left")).await.unwrap();
    raw.tell::<Vec<(String, Vec<Entry>)>>("XREADGROUP GROUP workers python STREAMS t:acme:events:tasks >").await;
    let taken = client.fetch(&stream(), Fetch::up_to(1).of_group("workers").waiting(5_000)).await.unwrap();
    assert_eq!((&taken[0].body[..], taken[0].attempt), (&b"left"[..], 2));
}

#[tokio::test]
async fn what_a_consumer_of_others_acknowledged_in_a_group_of_ours_is_done() {
    let Some(redis) = instance("redis").await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    let client = open(&redis.address()).await.open("client").await.unwrap();
    client.declare(&stream(), &stream_policy()).await.unwrap();
    client.publish(&stream(), message("theirs")).await.unwrap();
    client.publish(&stream(), message("ours")).await.unwrap();
    let read: Vec<(String, Vec<Entry>)> =
        raw.tell("XREADGROUP GROUP _ python COUNT 1 STREAMS t:acme:events:tasks >").await;
    raw.tell::<()>(&format!("XACK t:acme:events:tasks _ {}", read[0].1[0].0)).await;
    assert_eq!(take(&*client, &stream()).await.len(), 1);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while raw.tell::<u64>("XLEN t:acme:events:tasks").await > 1 {
        assert!(std::time::Instant::now() < until, "it is deleted");
        client.fetch(&stream(), Fetch::up_to(1).waiting(100)).await.unwrap();
    }
    let depth = client.depth(&stream(), None).await.unwrap();
    assert_eq!((depth.ready, depth.leased), (0, Some(1)));
}

#[tokio::test]
async fn a_stream_that_others_trim_goes_on() {
    let Some(redis) = instance("redis").await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    let client = open(&redis.address()).await.open("client").await.unwrap();
    client.declare(&stream(), &Policy { overflow: Overflow::Reject, ..stream_policy() }).await.unwrap();
    for number in 0..4 {
        client.publish(&stream(), message(&number.to_string())).await.unwrap();
    }
    let taken = client.fetch(&stream(), Fetch::up_to(2)).await.unwrap();
    client.settle(&stream(), &taken[1].tag, Verdict::Retry { delay_ms: Some(0), reason: None }).await.unwrap();
    raw.tell::<()>("XTRIM t:acme:events:tasks MAXLEN 1").await;
    client.settle(&stream(), &taken[0].tag, Verdict::retry()).await.unwrap();
    let rest = take(&*client, &stream()).await;
    assert_eq!(rest.iter().map(|one| &one.body[..]).collect::<Vec<_>>(), [b"3"]);
    client.settle(&stream(), &rest[0].tag, Verdict::Done).await.unwrap();
    client.publish(&stream(), message("after")).await.unwrap();
    assert_eq!(take(&*client, &stream()).await.len(), 1);
}
