//! What is refused, and in which words.

use std::time::{Duration, Instant};

use async_nats::jetstream::stream::Config;
use workwire_broker::{Code, Policy, Queue};

use super::server::{JETSTREAM, Server, jetstream, message, no_way, open};

#[tokio::test]
async fn a_wrong_password_is_said_and_not_shown() {
    let config = format!("{JETSTREAM}authorization {{ user: ada, password: right }}\n");
    let Some(server) = Server::start(&config) else { return };
    open(&server.as_user("ada:right")).await;
    for who in ["ada:wrong-one", "eve:right", "wrong-one"] {
        let why = no_way(&server.as_user(who)).await;
        assert!(why.contains("refuses this user, password or token") && !why.contains("wrong-one"), "{why}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_no_hang() {
    let Some(mut server) = Server::start(JETSTREAM) else { return };
    server.kill();
    let began = Instant::now();
    let why = no_way(&server.address()).await;
    assert!(why.contains(&server.port.to_string()) && began.elapsed() < Duration::from_secs(11), "{why}");
}

#[tokio::test]
async fn a_server_without_jetstream_says_so() {
    let Some(server) = Server::start("") else { return };
    let why = no_way(&server.address()).await;
    assert!(why.contains("no JetStream") || why.contains("not enabled"), "{why}");
}

#[tokio::test]
async fn an_old_server_is_told_from_a_broken_one() {
    let Some(server) = Server::old() else { return };
    let why = no_way(&server.address()).await;
    assert!(why.contains("expected nats-server 2.12 or newer, found 2."), "{why}");
}

#[tokio::test]
async fn who_may_not_is_told_so() {
    let users = "authorization { users: [\n\
        { user: none, password: p, permissions: { publish: [\"other.>\"], subscribe: [\">\"] } }\n\
        { user: some, password: p, permissions: { publish: [\"$JS.API.>\"], subscribe: [\">\"] } }\n] }\n";
    let Some(server) = Server::start(&format!("{JETSTREAM}{users}")) else { return };
    let why = no_way(&server.as_user("none:p")).await;
    assert!(why.contains("may not use JetStream"), "{why}");

    let client = open(&server.as_user("some:p")).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    let error = client.publish(&tasks, message("secret")).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden, "{error}");
}

#[tokio::test]
async fn a_stream_that_is_somebody_elses_is_left_alone() {
    let Some(server) = Server::start(JETSTREAM) else { return };
    let raw = jetstream(&server.address()).await;
    let taken = Config { name: "ww+tasks".to_owned(), subjects: vec!["theirs.>".to_owned()], ..Config::default() };
    raw.create_stream(taken).await.unwrap();
    let greedy = Config { name: "greedy".to_owned(), subjects: vec!["ww.jobs.>".to_owned()], ..Config::default() };
    raw.create_stream(greedy).await.unwrap();

    let client = open(&server.address()).await.open("client").await.unwrap();
    let error = client.declare(&Queue::new("tasks"), &Policy::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert!(error.message().contains("was not made by Workwire"), "{error}");
    let error = client.declare(&Queue::new("jobs"), &Policy::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert!(error.message().contains("another stream takes the subjects ww.jobs.>"), "{error}");
    let error = client.publish(&Queue::new("tasks"), message("hello")).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict, "{error}");
    assert_eq!(raw.get_stream("ww+tasks").await.unwrap().cached_info().config.subjects, ["theirs.>"]);
}

#[tokio::test]
async fn more_replicas_than_servers_are_refused() {
    let Some(server) = Server::start(JETSTREAM) else { return };
    let client = open(&format!("{}?replicas=3", server.address())).await.open("client").await.unwrap();
    let error = client.declare(&Queue::new("tasks"), &Policy::default()).await.unwrap_err();
    assert!(error.is_refused() && error.message().contains("replicas"), "{error}");
}
