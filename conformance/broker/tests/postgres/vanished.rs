//! A server that is away for a while, in the middle of things.

use std::sync::Arc;
use std::time::{Duration, Instant};

use workwire_broker::{Client, Code, Fetch, Stored, Verdict};

use super::desk::{client, in_time, message, open, server, taken, tasks};

#[tokio::test]
async fn a_server_that_stands_still_is_not_waited_for_without_end() {
    let Some(mut server) = server().await else { return };
    let broker = open(&format!("{}?timeout_ms=1500", server.address())).await.unwrap();
    let ada = client(&broker, "ada").await;
    let wanted = message("dig");
    server.pause();
    let begun = Instant::now();
    let unknown = ada.publish(&tasks(), wanted.clone()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unavailable, "{unknown}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    server.resume();
    // It may have happened: under its id it happens once.
    in_time(ada.publish(&tasks(), wanted)).await.unwrap();
    assert_eq!(taken(&*ada).await.len(), 1);
    assert_eq!(ada.fetch(&tasks(), Fetch::up_to(1)).await.unwrap(), []);
}

#[tokio::test]
async fn a_server_that_is_killed_is_waited_for_and_all_goes_on() {
    let Some(mut server) = server().await else { return };
    let broker = open(&server.address()).await.unwrap();
    let ada: Arc<dyn Client> = Arc::from(client(&broker, "ada").await);
    let bob = client(&broker, "bob").await;
    ada.publish(&tasks(), message("held")).await.unwrap();
    let held = taken(&*ada).await.remove(0);
    let waiting = tokio::spawn(async move { (bob.fetch(&tasks(), Fetch::up_to(10).waiting(20_000)).await, bob) });
    server.kill().await.unwrap();
    let late = message("late");
    let publishing = tokio::spawn({
        let (ada, late) = (Arc::clone(&ada), late.clone());
        async move { ada.publish(&tasks(), late).await }
    });
    server.start_again().await.unwrap();
    // It was sent to no server that could have taken it, so it waited; or it says that nobody knows.
    match in_time(publishing).await.unwrap() {
        Ok(Stored::Stored) => {}
        answer => {
            assert_eq!(answer.unwrap_err().code(), Code::Unavailable);
            in_time(ada.publish(&tasks(), late)).await.unwrap();
        }
    }
    let (found, bob) = in_time(waiting).await.unwrap();
    // A look that was under way when the server died has no answer, and the next one has.
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            assert_eq!(error.code(), Code::Unavailable, "{error}");
            in_time(taken(&*bob)).await
        }
    };
    assert_eq!(&found[0].body[..], b"late");
    bob.settle(&tasks(), &found[0].tag, Verdict::Done).await.unwrap();
    // What was held before the kill is held still, by the same client.
    ada.settle(&tasks(), &held.tag, Verdict::Done).await.unwrap();
    assert_eq!(ada.depth(&tasks(), None).await.unwrap().ready, 0);
}
