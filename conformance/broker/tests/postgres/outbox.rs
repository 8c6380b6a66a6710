//! Publishing within the caller's own transaction.

use std::time::Duration;

use workwire_broker::postgres::Outbox;
use workwire_broker::{Code, Fetch, Queue, Stored};

use super::desk::{client, connection, in_time, message, open, server, taken, tasks};

#[tokio::test]
async fn what_is_rolled_back_never_was_there_and_what_is_committed_wakes_who_waits() {
    let Some(server) = server().await else { return };
    let broker = open(&server.address()).await.unwrap();
    let ada = client(&broker, "ada").await;
    let mut own = connection(&server).await;
    own.batch_execute("CREATE TABLE orders (item text)").await.unwrap();
    let outbox = Outbox::default();

    let transaction = own.transaction().await.unwrap();
    transaction.execute("INSERT INTO orders VALUES ('spade')", &[]).await.unwrap();
    assert_eq!(outbox.publish(&transaction, &tasks(), message("never")).await.unwrap(), Stored::Stored);
    transaction.rollback().await.unwrap();
    assert_eq!(ada.fetch(&tasks(), Fetch::up_to(1).waiting(300)).await.unwrap(), []);

    let waiting = tokio::spawn(async move { taken(&*ada).await });
    let transaction = own.transaction().await.unwrap();
    transaction.execute("INSERT INTO orders VALUES ('spade')", &[]).await.unwrap();
    let messages = vec![message("dig"), message("fill")];
    let outcomes = outbox.publish_batch(&transaction, &tasks(), messages).await.unwrap();
    assert_eq!(outcomes, [Ok(Stored::Stored), Ok(Stored::Stored)]);
    // Not there before the commit, however long it takes.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    transaction.commit().await.unwrap();
    let found = in_time(waiting).await.unwrap();
    assert_eq!(found.iter().map(|one| &one.body[..]).collect::<Vec<_>>(), [&b"dig"[..], b"fill"]);
    let orders = own.query("SELECT item FROM orders", &[]).await.unwrap();
    assert_eq!(orders.len(), 1);
}

#[tokio::test]
async fn a_refusal_leaves_the_transaction_as_it_was() {
    let Some(server) = server().await else { return };
    let broker = open(&server.address()).await.unwrap();
    let ada = client(&broker, "ada").await;
    let mut own = connection(&server).await;
    let outbox = Outbox::of_schema("workwire").unwrap();
    let transaction = own.transaction().await.unwrap();
    let refused = outbox.publish(&transaction, &Queue::new("nowhere"), message("x")).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound, "{refused}");
    let too_urgent = workwire_broker::Message { priority: Some(6), ..message("x") };
    let refused = outbox.publish(&transaction, &tasks(), too_urgent).await.unwrap_err();
    assert!(refused.to_string().contains("priority: expected an integer from 1 to 5, found 6"), "{refused}");
    let twice = message("once");
    assert_eq!(outbox.publish(&transaction, &tasks(), twice.clone()).await, Ok(Stored::Stored));
    assert_eq!(outbox.publish(&transaction, &tasks(), twice).await, Ok(Stored::Duplicate));
    transaction.commit().await.unwrap();
    assert_eq!(taken(&*ada).await.len(), 1);
    assert!(Outbox::of_schema("no schema").is_err());
}
