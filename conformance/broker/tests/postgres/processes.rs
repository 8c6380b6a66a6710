//! Several processes over one database, here as runtimes of their own.

use std::time::Duration;

use workwire_broker::Fetch;

use super::desk::{client, connection, in_time, message, open, server, taken, tasks};

#[tokio::test]
async fn who_waits_in_one_process_hears_what_another_publishes() {
    let Some(server) = server().await else { return };
    let (one, other) = (open(&server.address()).await.unwrap(), open(&server.address()).await.unwrap());
    let (ada, bob) = (client(&one, "ada").await, client(&other, "ada").await);
    let waiting = tokio::spawn(async move { taken(&*bob).await });
    // Once it is known there that somebody waits, word is sent.
    let admin = connection(&server).await;
    let waits = async {
        loop {
            let row = admin.query_one("SELECT bool_or(waits) FROM workwire.session", &[]).await.unwrap();
            if row.get(0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    in_time(waits).await;
    ada.publish(&tasks(), message("dig")).await.unwrap();
    assert_eq!(&in_time(waiting).await.unwrap()[0].body[..], b"dig");
}

#[test]
fn what_a_process_held_that_is_gone_comes_back_before_its_lease_ends() {
    let survivor = tokio::runtime::Runtime::new().unwrap();
    let Some(server) = survivor.block_on(server()) else { return };
    let lost = tokio::runtime::Runtime::new().unwrap();
    let (broker, ada) = lost.block_on(async {
        let broker = open(&server.address()).await.unwrap();
        let ada = client(&broker, "ada").await;
        ada.publish(&tasks(), message("dig")).await.unwrap();
        assert_eq!(taken(&*ada).await[0].attempt, 1);
        (broker, ada)
    });
    // Its connections end, and nobody says goodbye.
    lost.shutdown_background();
    survivor.block_on(async {
        let broker = open(&server.address()).await.unwrap();
        let bob = client(&broker, "bob").await;
        let again = in_time(taken(&*bob)).await;
        assert_eq!(again.iter().map(|one| one.attempt).collect::<Vec<_>>(), [2]);
        // One that lives keeps what it holds.
        let second = open(&server.address()).await.unwrap();
        let eve = client(&second, "eve").await;
        assert_eq!(eve.fetch(&tasks(), Fetch::up_to(1).waiting(3_000)).await.unwrap(), []);
        let sessions = connection(&server).await.query("SELECT FROM workwire.session", &[]).await.unwrap();
        assert_eq!(sessions.len(), 2);
    });
    drop((broker, ada));
}

#[tokio::test]
async fn a_stopped_broker_gives_back_and_leaves_no_session() {
    let Some(server) = server().await else { return };
    let broker = open(&server.address()).await.unwrap();
    let ada = client(&broker, "ada").await;
    ada.publish(&tasks(), message("dig")).await.unwrap();
    taken(&*ada).await;
    broker.shutdown().await.unwrap();
    assert!(ada.publish(&tasks(), message("late")).await.unwrap_err().message().contains("the broker has stopped"));
    let sessions = connection(&server).await.query("SELECT FROM workwire.session", &[]).await.unwrap();
    assert!(sessions.is_empty());
    let again = open(&server.address()).await.unwrap();
    let bob = client(&again, "bob").await;
    assert_eq!(taken(&*bob).await[0].attempt, 1);
}
