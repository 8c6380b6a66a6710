//! A consumer that is asked to stop.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use workwire_broker::{EventConsumer, FaceError, Handled, Taken, TenantEventBus};

use super::streams::{acme, consumer, name, published, taken};
use crate::brokers::{Bench, eventually, on_bench};
use crate::flaky::{Flaky, Switch};
use crate::subjects::each_broker;

each_broker! { on_bench:
    a_graceful_stop_gives_back_what_it_holds,
    a_consumer_that_waits_for_events_stops_at_once,
}

each_broker! { where time jumps: on_bench:
    a_handler_that_runs_may_finish_within_the_grace,
    a_handler_that_outlives_the_grace_is_given_back,
    nothing_is_taken_after_the_stop,
}

each_broker! { where a fetch can be taken back: on_bench:
    what_comes_while_handlers_finish_is_for_others,
}

/// A consumer whose handlers wait until they are told to go on; says when one has begun.
struct Slow {
    go_on: Arc<Notify>,
    begun: Arc<Notify>,
    switch: Arc<Switch>,
    stop: oneshot::Sender<()>,
    running: tokio::task::JoinHandle<Result<Handled, FaceError>>,
}

async fn slow(bench: &Bench, bus: &TenantEventBus, handlers: usize, grace: Duration) -> Slow {
    let (client, switch) = Flaky::around(bench.client("slow").await);
    let consumer = EventConsumer::over(client, bus, name("billing")).with_handlers(handlers).with_grace(grace);
    let (go_on, begun) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn({
        let (go_on, begun) = (Arc::clone(&go_on), Arc::clone(&begun));
        let handler = move |_, _| {
            let go_on = Arc::clone(&go_on);
            begun.notify_one();
            async move {
                go_on.notified().await;
                Ok::<_, String>(())
            }
        };
        consumer.run(handler, async move { drop(stopped.await) })
    });
    Slow { go_on, begun, switch, stop, running }
}

async fn a_graceful_stop_gives_back_what_it_holds(bench: Bench) {
    let bus = acme(&bench).await;
    for _ in 0..5 {
        published(&bus).await;
    }
    let slow = slow(&bench, &bus, 1, Duration::ZERO).await;
    slow.begun.notified().await;
    slow.stop.send(()).unwrap();
    let counts = slow.running.await.unwrap().unwrap();
    assert_eq!((counts.done, counts.given_back), (0, 5));
    // At once, and without an attempt.
    let other = consumer(&bench, &bus, "billing", "other").await;
    assert_eq!(taken(&other).await.iter().map(Taken::attempt).collect::<Vec<_>>(), [1; 5]);
}

async fn a_handler_that_runs_may_finish_within_the_grace(bench: Bench) {
    let bus = acme(&bench).await;
    for _ in 0..2 {
        published(&bus).await;
    }
    let slow = slow(&bench, &bus, 1, Duration::from_mins(5)).await;
    slow.begun.notified().await;
    slow.stop.send(()).unwrap();
    // Longer than the lease: what runs, and what waited for it, is still held on to.
    for third in 1..=6 {
        bench.clock.advance(20_000);
        eventually(|| async { slow.switch.extended() >= 2 * third }).await;
    }
    slow.go_on.notify_one();
    let counts = bench.pass_until(slow.running).await.unwrap();
    assert_eq!((counts.done, counts.given_back, counts.lost), (1, 1, 0));
    let other = consumer(&bench, &bus, "billing", "other").await;
    assert_eq!(taken(&other).await.len(), 1);
}

async fn a_handler_that_outlives_the_grace_is_given_back(bench: Bench) {
    let bus = acme(&bench).await;
    published(&bus).await;
    let slow = slow(&bench, &bus, 1, Duration::from_secs(10)).await;
    slow.begun.notified().await;
    slow.stop.send(()).unwrap();
    let counts = bench.pass_until(slow.running).await.unwrap();
    assert_eq!((counts.done, counts.given_back), (0, 1));
    let other = consumer(&bench, &bus, "billing", "other").await;
    assert_eq!(taken(&other).await[0].attempt(), 1);
}

async fn nothing_is_taken_after_the_stop(bench: Bench) {
    let bus = acme(&bench).await;
    published(&bus).await;
    let slow = slow(&bench, &bus, 1, Duration::from_mins(5)).await;
    slow.begun.notified().await;
    slow.stop.send(()).unwrap();
    let later = published(&bus).await;
    slow.go_on.notify_one();
    let counts = bench.pass_until(slow.running).await.unwrap();
    assert_eq!((counts.done, counts.given_back), (1, 0));
    let other = consumer(&bench, &bus, "billing", "other").await;
    assert_eq!(*taken(&other).await[0].message(), later);
}

/// A consumer with a handler to spare waits for the next event when it is asked to stop.
async fn what_comes_while_handlers_finish_is_for_others(bench: Bench) {
    let bus = acme(&bench).await;
    let other = consumer(&bench, &bus, "billing", "other").await;
    published(&bus).await;
    let slow = slow(&bench, &bus, 2, Duration::from_mins(5)).await;
    slow.begun.notified().await;
    eventually(|| async { slow.switch.fetched() == 2 }).await;
    slow.stop.send(()).unwrap();
    eventually(|| async { slow.switch.given_up() == 1 }).await;
    let later = published(&bus).await;
    assert_eq!(*taken(&other).await[0].message(), later);
    slow.go_on.notify_one();
    assert_eq!(bench.pass_until(slow.running).await.unwrap().done, 1);
}

async fn a_consumer_that_waits_for_events_stops_at_once(bench: Bench) {
    let bus = acme(&bench).await;
    let idle = consumer(&bench, &bus, "billing", "idle").await;
    let handler = |_, _| async { Ok::<_, String>(()) };
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(idle.run(handler, async move { drop(stopped.await) }));
    // It is there, and waits for more.
    published(&bus).await;
    eventually(|| async {
        let pending = bus.pending(&name("billing")).await.unwrap();
        (pending.ready, pending.held) == (0, Some(0))
    })
    .await;
    stop.send(()).unwrap();
    // No time passes.
    assert_eq!(running.await.unwrap().unwrap().done, 1);
    published(&bus).await;
    let other = consumer(&bench, &bus, "billing", "other").await;
    assert_eq!(taken(&other).await[0].attempt(), 1);
}
