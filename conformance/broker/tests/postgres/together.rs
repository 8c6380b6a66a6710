//! Many callers at the same moment share statements, and each gets what is his.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::task::JoinSet;
use uuid::Uuid;
use workwire_broker::{Client, Fetch, Message, Verdict};

use super::desk::{client, in_time, open, server, tasks};

#[tokio::test]
async fn thirty_large_ones_at_once_come_whole() {
    let Some(server) = server().await else { return };
    let broker = open(&server.address()).await.unwrap();
    let ada: Arc<dyn Client> = Arc::from(client(&broker, "ada").await);
    let mut publishing = JoinSet::new();
    for number in 0..30_u8 {
        let ada = Arc::clone(&ada);
        publishing.spawn(async move {
            ada.publish(&tasks(), Message::new(Uuid::now_v7(), vec![number; 1 << 20])).await.unwrap();
        });
    }
    in_time(publishing.join_all()).await;
    let mut fetching = JoinSet::new();
    for _ in 0..30 {
        let ada = Arc::clone(&ada);
        fetching.spawn(async move { ada.fetch(&tasks(), Fetch::up_to(1)).await.unwrap() });
    }
    let found = in_time(fetching.join_all()).await;
    let mut seen = HashSet::new();
    for mut deliveries in found {
        let delivery = deliveries.remove(0);
        assert!(delivery.body.len() == 1 << 20 && delivery.body.iter().all(|byte| *byte == delivery.body[0]));
        assert!(seen.insert(delivery.body[0]) && deliveries.is_empty());
        ada.settle(&tasks(), &delivery.tag, Verdict::Done).await.unwrap();
    }
    assert_eq!(seen.len(), 30);
    // One answer carries eight of them.
    for number in 0..10_u8 {
        ada.publish(&tasks(), Message::new(Uuid::now_v7(), vec![number; 1 << 20])).await.unwrap();
    }
    assert_eq!(ada.fetch(&tasks(), Fetch::up_to(10)).await.unwrap().len(), 8);
}
