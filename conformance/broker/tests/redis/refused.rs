//! Servers that cannot be used, and what they do not allow: each with the reason in words.

use std::io::{Read, Write};

use workwire_broker::{Capability, Code, Policy, Queue};

use super::server::{Raw, as_user, message, no_way, open};
use crate::live::instance;

#[tokio::test]
async fn a_wrong_password_is_told_and_not_shown() {
    let Some(redis) = instance("redis").await else { return };
    let why = no_way(&as_user(&redis, "", "hunter2")).await;
    assert!(why.contains("does not know this name and password") && !why.contains("hunter2"), "{why}");
    let why = no_way(&as_user(&redis, "nobody", "hunter2")).await;
    assert!(why.contains("does not know this name and password") && !why.contains("hunter2"), "{why}");
    let why = no_way(&format!("redis://127.0.0.1:{}", redis.port())).await;
    assert!(why.contains("wants a password"), "{why}");
}

#[tokio::test]
async fn nobody_there_is_told_within_the_time() {
    let why = no_way("redis://127.0.0.1:9?timeout_ms=300").await;
    assert!(why.contains("nobody listens there"), "{why}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told() {
    let Some(redis) = instance("redis").await else { return };
    let why = no_way(&format!("{}/99", redis.address())).await;
    assert!(why.contains("DB index is out of range") || why.contains("database"), "{why}");
}

#[tokio::test]
async fn what_the_user_may_not_do_is_forbidden_and_has_not_happened() {
    let Some(redis) = instance("redis").await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    raw.tell::<()>("ACL SETUSER reader on >secret ~* &* +@all -xadd").await;
    raw.tell::<()>("ACL SETUSER blue on >secret ~blue:* &* +@all").await;
    let tasks = Queue::new("tasks");

    let owner = open(&redis.address()).await.open("owner").await.unwrap();
    owner.declare(&tasks, &Policy::default()).await.unwrap();
    let reader = open(&as_user(&redis, "reader", "secret")).await.open("reader").await.unwrap();
    let error = reader.publish(&tasks, message("no")).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden, "{error}");
    assert_eq!(owner.depth(&tasks, None).await.unwrap().ready, 0);

    let blue = open(&as_user(&redis, "blue", "secret")).await.open("blue").await.unwrap();
    let error = blue.declare(&tasks, &Policy::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden, "{error}");
    let within = open(&format!("{}?prefix=blue:", as_user(&redis, "blue", "secret"))).await.open("blue").await.unwrap();
    within.declare(&tasks, &Policy::default()).await.unwrap();
    within.publish(&tasks, message("yes")).await.unwrap();
}

#[tokio::test]
async fn who_may_not_use_channels_is_served_all_the_same() {
    let Some(redis) = instance("redis").await else { return };
    Raw::to(&redis.address()).await.tell::<()>("ACL SETUSER deaf on >secret ~* +@all").await;
    let client = open(&as_user(&redis, "deaf", "secret")).await.open("deaf").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    let (taken, stored) =
        tokio::join!(super::server::take(&*client, &tasks), async { client.publish(&tasks, message("heard")).await });
    stored.unwrap();
    assert_eq!(taken.len(), 1);
}

#[tokio::test]
async fn a_key_of_another_kind_is_named_and_left_as_it_is() {
    let Some(redis) = instance("redis").await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    raw.tell::<()>("SET t:acme:events:tasks mine").await;
    let client = open(&redis.address()).await.open("client").await.unwrap();
    let error =
        client.declare(&Queue::of_tenant("acme", "tasks"), &Policy { max_priority: 1, ..Policy::default() }).await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert!(error.message().contains("key t:acme:events:tasks is in the way, a string"), "{error}");
    assert_eq!(raw.keys().await, ["t:acme:events:tasks"]);
}

#[tokio::test]
async fn a_key_that_becomes_another_kind_is_a_conflict_and_nothing_half_done() {
    let Some(redis) = instance("redis").await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    let client = open(&redis.address()).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy { max_priority: 1, ..Policy::default() }).await.unwrap();
    raw.tell::<()>("SET q:tasks mine").await;
    let one = message("one");
    let error = client.publish(&tasks, one.clone()).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict, "{error}");
    raw.tell::<()>("DEL q:tasks").await;
    assert_eq!(client.publish(&tasks, one).await.unwrap(), workwire_broker::Stored::Stored, "its id was not burnt");
    assert_eq!(super::server::take(&*client, &tasks).await.len(), 1);
}

#[tokio::test]
async fn crafted_tenants_are_refused() {
    let Some(redis) = instance("redis").await else { return };
    let client = open(&redis.address()).await.open("client").await.unwrap();
    for tenant in ["", "a:events:b", "*", "acme}", "{acme", "../acme", "acme\0", "ACME", "аcme"] {
        let queue = Queue::of_tenant(tenant, "tasks");
        assert_eq!(client.declare(&queue, &Policy::default()).await.unwrap_err().code(), Code::Invalid, "{tenant:?}");
        assert_eq!(client.agents(None, Some(tenant)).await.unwrap_err().code(), Code::Invalid, "{tenant:?}");
    }
    assert!(Raw::to(&redis.address()).await.keys().await.is_empty());
}

#[tokio::test]
async fn a_replica_is_told_at_once_and_when_it_becomes_one() {
    let (Some(primary), Some(redis)) = (instance("redis").await, instance("redis").await) else { return };
    let client = open(&redis.address()).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    Raw::to(&redis.address()).await.tell::<()>(&format!("REPLICAOF 127.0.0.1 {}", primary.port())).await;
    let error = client.publish(&tasks, message("no")).await.unwrap_err();
    assert!(error.code() == Code::Forbidden && error.message().contains("read-only replica"), "{error}");
    let why = no_way(&redis.address()).await;
    assert!(why.contains("read-only replica"), "{why}");
}

/// A server that says what it is told to.
fn somebody(answer: &'static str) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut said = [0; 4_096];
                while let Ok(length @ 1..) = stream.read(&mut said) {
                    for _ in said[..length].iter().filter(|byte| **byte == b'*') {
                        if stream.write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_server_that_is_too_old_is_told_its_version() {
    let port = somebody("%3\r\n+version\r\n+6.0.16\r\n+role\r\n+master\r\n+mode\r\n+standalone\r\n");
    let why = no_way(&format!("redis://127.0.0.1:{port}?timeout_ms=2000")).await;
    assert!(why.contains("expected a server of version 7.0 or later, found 6.0.16"), "{why}");
    let port = somebody("-ERR unknown command 'HELLO'\r\n");
    let why = no_way(&format!("redis://127.0.0.1:{port}?timeout_ms=2000")).await;
    assert!(why.contains("expected a server of version 7.0 or later"), "{why}");
}

#[tokio::test]
async fn durable_is_claimed_where_every_write_is_synced() {
    let claims = async |address: &str| open(address).await.about().capabilities.has(Capability::Durable);
    let (Some(safe), Some(fast)) = (instance("redis").await, instance("redis?appendfsync=everysec").await) else {
        return;
    };
    assert!(claims(&safe.address()).await && !claims(&fast.address()).await);
    assert!(claims(&format!("{}?durable=1", fast.address())).await, "where the user says so");
    Raw::to(&safe.address()).await.tell::<()>("ACL SETUSER shy on >secret ~* &* +@all -config").await;
    assert!(!claims(&as_user(&safe, "shy", "secret")).await, "where it may not be asked");
    assert!(claims(&format!("{}?durable=1", as_user(&safe, "shy", "secret"))).await);
    Raw::to(&safe.address()).await.tell::<()>("CONFIG SET maxmemory-policy allkeys-lru").await;
    assert!(!claims(&safe.address()).await, "where what is confirmed may be evicted");
}
