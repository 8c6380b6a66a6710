//! Groups of consumers, and what can be seen of them.

use std::time::Duration;

use workwire_broker::{CloseMode, DeadLetterQueue, LETTERS, Pending, STREAM_LENGTH};

use super::streams::{acme, consumer, event, name, only, published, taken};
use crate::brokers::{Bench, on_bench};
use crate::subjects::each_broker;

each_broker! { on_bench:
    every_group_sees_every_event_and_within_a_group_each_goes_to_one,
    what_a_lost_connection_held_is_reclaimed_at_once,
    the_stream_drops_the_oldest_beyond_a_thousand,
    stream_info_and_pending_for_monitoring,
}

each_broker! { where time jumps: on_bench:
    one_group_s_settling_and_dead_letters_are_its_own,
    what_a_dead_consumer_held_is_reclaimed_after_60_s,
}

async fn every_group_sees_every_event_and_within_a_group_each_goes_to_one(bench: Bench) {
    let bus = acme(&bench).await;
    let [first, second] =
        [consumer(&bench, &bus, "billing", "one").await, consumer(&bench, &bus, "billing", "two").await];
    let audit = consumer(&bench, &bus, "audit", "three").await;
    for _ in 0..6 {
        published(&bus).await;
    }
    let here = first.take(3, Duration::ZERO).await.unwrap();
    let there = taken(&second).await;
    assert_eq!((here.len(), there.len()), (3, 3));
    assert!(here.iter().all(|event| there.iter().all(|other| other.message() != event.message())));
    assert_eq!(taken(&audit).await.len(), 6);
}

async fn one_group_s_settling_and_dead_letters_are_its_own(bench: Bench) {
    let bus = acme(&bench).await;
    let billing = consumer(&bench, &bus, "billing", "one").await;
    let audit = consumer(&bench, &bus, "audit", "two").await;
    published(&bus).await;
    for _ in 0..4 {
        billing.fail(&only(&billing).await, "no").await.unwrap();
        bench.clock.advance(16_000);
    }
    assert_eq!(DeadLetterQueue::of(&bus, name("billing")).count().await.unwrap(), Some(1));
    assert_eq!(DeadLetterQueue::of(&bus, name("audit")).count().await.unwrap(), Some(0));
    assert_eq!(DeadLetterQueue::of(&bus, name("audit")).list(LETTERS).await.unwrap(), []);
    assert_eq!(only(&audit).await.attempt(), 1);
}

async fn what_a_dead_consumer_held_is_reclaimed_after_60_s(bench: Bench) {
    let bus = acme(&bench).await;
    let [dead, alive] =
        [consumer(&bench, &bus, "billing", "one").await, consumer(&bench, &bus, "billing", "two").await];
    let event = published(&bus).await;
    let held = only(&dead).await;
    bench.clock.advance(59_999);
    assert_eq!(taken(&alive).await, []);
    bench.clock.advance(1);
    let reclaimed = only(&alive).await;
    assert_eq!((reclaimed.message(), reclaimed.attempt()), (&event, 2));
    assert!(dead.done(&held).await.unwrap_err().is_stale());
    alive.done(&reclaimed).await.unwrap();
}

async fn what_a_lost_connection_held_is_reclaimed_at_once(bench: Bench) {
    let bus = acme(&bench).await;
    let [dead, alive] =
        [consumer(&bench, &bus, "billing", "one").await, consumer(&bench, &bus, "billing", "two").await];
    published(&bus).await;
    let _held = only(&dead).await;
    dead.client().close(CloseMode::Abort).await.unwrap();
    assert_eq!(only(&alive).await.attempt(), 2);
}

async fn the_stream_drops_the_oldest_beyond_a_thousand(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    let mut ids = Vec::new();
    for _ in 0..STREAM_LENGTH + 5 {
        ids.push(*published(&bus).await.event_id());
    }
    assert_eq!(bus.info(&[]).await.unwrap().length, 1_000);
    let events = consumer.take(2_000, Duration::ZERO).await.unwrap();
    let seen: Vec<_> = events.iter().map(|event| *event.message().event_id()).collect();
    assert_eq!(seen, ids[5..]);
}

async fn stream_info_and_pending_for_monitoring(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    for _ in 0..10 {
        bus.publish(&event("acme").build().unwrap()).await.unwrap();
    }
    let held = consumer.take(4, Duration::ZERO).await.unwrap();
    consumer.done(&held[0]).await.unwrap();
    consumer.fail(&held[1], "later").await.unwrap();
    let info = bus.info(&[name("billing"), name("audit")]).await.unwrap();
    assert_eq!(info.length, 10);
    let pending = |group: &str, ready, held, resting| Pending {
        group: name(group),
        ready,
        held: Some(held),
        resting: Some(resting),
        dead: Some(0),
    };
    assert_eq!(info.groups, [pending("billing", 6, 2, 1), pending("audit", 10, 0, 0)]);
    assert_eq!(bus.pending(&name("billing")).await.unwrap(), info.groups[0]);
}
