//! What fails comes again after 1, 4 and 16 s, and then no more.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use workwire_broker::clock::Clock;
use workwire_broker::{DeadLetterQueue, LETTERS};

use super::streams::{acme, consumer, name, only, published, taken};
use crate::brokers::{Bench, eventually, on_bench, pass_while};
use crate::subjects::each_broker;

each_broker! { where time jumps: on_bench:
    retries_after_1_4_and_16_seconds_and_the_fourth_failure_is_the_last,
    retry_counting_with_a_handler_that_fails,
    a_retry_blocks_nobody_else,
    retries_keep_the_order_of_the_others,
    a_handler_that_panics_has_failed_and_the_next_is_handled,
}

async fn retries_after_1_4_and_16_seconds_and_the_fourth_failure_is_the_last(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    let event = published(&bus).await;
    for (attempt, rest) in [(1, 1_000), (2, 4_000), (3, 16_000)] {
        let held = only(&consumer).await;
        assert_eq!(held.attempt(), attempt);
        consumer.fail(&held, &format!("no ledger, {attempt}")).await.unwrap();
        assert_eq!(bus.pending(&name("billing")).await.unwrap().resting, Some(1));
        bench.clock.advance(rest - 1);
        assert_eq!(taken(&consumer).await, []);
        bench.clock.advance(1);
    }
    let held = only(&consumer).await;
    assert_eq!(held.attempt(), 4);
    consumer.fail(&held, "no ledger, 4").await.unwrap();
    bench.clock.advance(60_000);
    assert_eq!(taken(&consumer).await, []);
    let letters = DeadLetterQueue::of(&bus, name("billing")).list(LETTERS).await.unwrap();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!(letter.message, Ok(event));
    assert_eq!((letter.error.as_str(), letter.attempts), ("no ledger, 4", 4));
    assert_eq!(letter.group.as_deref(), Some("billing"));
}

async fn retry_counting_with_a_handler_that_fails(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    published(&bus).await;
    let letters = DeadLetterQueue::of(&bus, name("billing"));
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn({
        let (attempts, clock) = (Arc::clone(&attempts), bench.clock.clone());
        let handler = move |_, attempt| {
            attempts.lock().unwrap().push((attempt, clock.now()));
            async move { Err::<(), _>(format!("failed at attempt {attempt}")) }
        };
        consumer.run(handler, async move { drop(stopped.await) })
    });
    pass_while(&bench.clock, || attempts.lock().unwrap().len() < 4).await;
    // The fourth failure is told to the broker before the consumer stops.
    eventually(|| async { letters.count().await.unwrap() == Some(1) }).await;
    stop.send(()).unwrap();
    let counts = bench.pass_until(running).await.unwrap();
    assert_eq!((counts.done, counts.failed), (0, 4));

    let attempts = attempts.lock().unwrap().clone();
    assert_eq!(attempts.iter().map(|(attempt, _)| *attempt).collect::<Vec<_>>(), [1, 2, 3, 4]);
    for (pair, rest) in attempts.windows(2).zip([1_000, 4_000, 16_000]) {
        assert!(pair[1].1 - pair[0].1 >= rest, "{attempts:?}");
    }
    let letters = letters.list(LETTERS).await.unwrap();
    assert_eq!((letters[0].error.as_str(), letters[0].attempts), ("failed at attempt 4", 4));
}

async fn a_retry_blocks_nobody_else(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    let bad = published(&bus).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn({
        let (seen, bad) = (Arc::clone(&seen), *bad.event_id());
        let handler = move |event: workwire::AgentEvent, _| {
            let (seen, id) = (Arc::clone(&seen), *event.event_id());
            async move {
                if id == bad {
                    return Err("no");
                }
                seen.lock().unwrap().push(id);
                Ok(())
            }
        };
        consumer.run(handler, async move { drop(stopped.await) })
    });
    let mut others = Vec::new();
    for _ in 0..30 {
        others.push(*published(&bus).await.event_id());
    }
    // All of them, and no time has passed: the bad one still rests.
    eventually(|| async { seen.lock().unwrap().len() == 30 }).await;
    assert_eq!(*seen.lock().unwrap(), others);
    eventually(|| async { bus.pending(&name("billing")).await.unwrap().resting == Some(1) }).await;
    stop.send(()).unwrap();
    let counts = bench.pass_until(running).await.unwrap();
    assert_eq!((counts.done, counts.failed, counts.given_back), (30, 1, 0));
}

async fn retries_keep_the_order_of_the_others(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    let mut events = Vec::new();
    for _ in 0..4 {
        events.push(published(&bus).await);
    }
    let first = consumer.take(1, Duration::ZERO).await.unwrap().remove(0);
    consumer.fail(&first, "not yet").await.unwrap();
    let second = consumer.take(1, Duration::ZERO).await.unwrap().remove(0);
    assert_eq!(*second.message(), events[1]);
    bench.clock.advance(1_000);
    let rest: Vec<_> = taken(&consumer).await.into_iter().map(workwire_broker::Taken::into_message).collect();
    assert_eq!(rest, [events[0].clone(), events[2].clone(), events[3].clone()]);
}

async fn a_handler_that_panics_has_failed_and_the_next_is_handled(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    let bad = *published(&bus).await.event_id();
    published(&bus).await;
    let done = Arc::new(Mutex::new(0));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn({
        let done = Arc::clone(&done);
        let handler = move |event: workwire::AgentEvent, attempt| {
            let done = Arc::clone(&done);
            async move {
                assert!(*event.event_id() != bad, "cannot bear attempt {attempt}");
                *done.lock().unwrap() += 1;
                Ok::<_, String>(())
            }
        };
        consumer.run(handler, async move { drop(stopped.await) })
    });
    let letters = DeadLetterQueue::of(&bus, name("billing"));
    eventually(|| async {
        bench.clock.advance(50);
        letters.count().await.unwrap() == Some(1)
    })
    .await;
    stop.send(()).unwrap();
    let counts = bench.pass_until(running).await.unwrap();
    assert_eq!((*done.lock().unwrap(), counts.done, counts.failed), (1, 1, 4));
    let letters = letters.list(LETTERS).await.unwrap();
    assert_eq!(letters[0].error, "the handler did not end: it panicked: cannot bear attempt 4");
}
