//! Events that were given up.

use workwire::EventId;
use workwire_broker::{Code, DeadLetterQueue, LETTERS};

use super::streams::{acme, consumer, name, only, published, smuggle, taken};
use crate::brokers::{Bench, on_bench};
use crate::subjects::each_broker;

each_broker! { on_bench:
    letters_are_listed_up_to_a_number_and_counted,
}

each_broker! { where time jumps: on_bench:
    dead_letter_listing_and_replay,
    a_replayed_event_goes_to_its_own_group_alone,
}

async fn dead_letter_listing_and_replay(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    let letters = DeadLetterQueue::of(&bus, name("billing"));
    assert_eq!(letters.list(LETTERS).await.unwrap(), []);
    let event = published(&bus).await;
    for _ in 0..4 {
        consumer.fail(&only(&consumer).await, "no ledger").await.unwrap();
        bench.clock.advance(16_000);
    }
    let listed = letters.list(LETTERS).await.unwrap();
    assert_eq!(listed[0].message, Ok(event.clone()));
    assert!(listed[0].died_at.is_some());
    // A look takes nothing.
    assert_eq!(letters.list(LETTERS).await.unwrap(), listed);

    letters.replay(*event.event_id()).await.unwrap();
    assert_eq!(letters.count().await.unwrap(), Some(0));
    let again = only(&consumer).await;
    assert_eq!((again.message(), again.attempt()), (&event, 1));
    consumer.done(&again).await.unwrap();
    let unknown = letters.replay(EventId::new()).await.unwrap_err();
    assert_eq!(unknown.code(), Some(Code::NotFound), "{unknown}");
}

async fn letters_are_listed_up_to_a_number_and_counted(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    smuggle(&bench, &bus, (0..60).map(|number| format!("malformed {number}").into_bytes())).await;
    assert_eq!(taken(&consumer).await, []);
    let letters = DeadLetterQueue::of(&bus, name("billing"));
    assert_eq!(letters.count().await.unwrap(), Some(60));
    let listed = letters.list(LETTERS).await.unwrap();
    assert_eq!(listed.len(), 50);
    assert_eq!(&listed[49].body[..], b"malformed 49");
    assert_eq!(letters.list(100).await.unwrap().len(), 60);
}

async fn a_replayed_event_goes_to_its_own_group_alone(bench: Bench) {
    let bus = acme(&bench).await;
    let billing = consumer(&bench, &bus, "billing", "one").await;
    let audit = consumer(&bench, &bus, "audit", "two").await;
    let event = published(&bus).await;
    audit.done(&only(&audit).await).await.unwrap();
    for _ in 0..4 {
        billing.fail(&only(&billing).await, "no").await.unwrap();
        bench.clock.advance(16_000);
    }
    let other = DeadLetterQueue::of(&bus, name("audit")).replay(*event.event_id()).await.unwrap_err();
    assert_eq!(other.code(), Some(Code::NotFound));
    DeadLetterQueue::of(&bus, name("billing")).replay(*event.event_id()).await.unwrap();
    assert_eq!(taken(&audit).await, []);
    assert_eq!(*only(&billing).await.message(), event);
}
