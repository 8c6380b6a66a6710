//! The handler loop while it works.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, oneshot};
use workwire_broker::{CloseMode, Code, EventConsumer};

use super::streams::{acme, consumer, name, only, published, taken};
use crate::brokers::{Bench, eventually, on_bench};
use crate::flaky::Flaky;
use crate::subjects::each_broker;

each_broker! { on_bench:
    events_are_handled_in_their_order,
    consumers_of_a_group_share_the_work_and_lose_nothing,
}

each_broker! { where time jumps: on_bench:
    several_handlers_run_at_once_and_no_more_than_asked_for,
    a_long_handler_keeps_what_it_holds,
    a_handler_whose_event_is_held_no_more_is_dropped,
    a_broker_that_is_gone_ends_the_loop_with_its_error,
}

async fn events_are_handled_in_their_order(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    let mut events = Vec::new();
    for _ in 0..35 {
        events.push(published(&bus).await);
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn({
        let seen = Arc::clone(&seen);
        let handler = move |event, attempt| {
            seen.lock().unwrap().push((event, attempt));
            async { Ok::<_, String>(()) }
        };
        consumer.run(handler, async move { drop(stopped.await) })
    });
    eventually(|| async {
        bus.pending(&name("billing")).await.unwrap().ready == 0 && seen.lock().unwrap().len() == 35
    })
    .await;
    stop.send(()).unwrap();
    assert_eq!(bench.pass_until(running).await.unwrap().done, 35);
    let expected: Vec<_> = events.into_iter().map(|event| (event, 1)).collect();
    assert_eq!(*seen.lock().unwrap(), expected);
}

async fn several_handlers_run_at_once_and_no_more_than_asked_for(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await.with_handlers(4);
    for _ in 0..20 {
        published(&bus).await;
    }
    let (running_now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let go_on = Arc::new(Notify::new());
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn({
        let (running_now, most, go_on) = (Arc::clone(&running_now), Arc::clone(&most), Arc::clone(&go_on));
        let handler = move |_, _| {
            let (running_now, most, go_on) = (Arc::clone(&running_now), Arc::clone(&most), Arc::clone(&go_on));
            async move {
                most.fetch_max(running_now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                go_on.notified().await;
                running_now.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, String>(())
            }
        };
        consumer.run(handler, async move { drop(stopped.await) })
    });
    eventually(|| async { running_now.load(Ordering::SeqCst) == 4 }).await;
    eventually(|| async {
        go_on.notify_one();
        let pending = bus.pending(&name("billing")).await.unwrap();
        (pending.ready, pending.held) == (0, Some(0))
    })
    .await;
    stop.send(()).unwrap();
    assert_eq!(bench.pass_until(running).await.unwrap().done, 20);
    assert_eq!(most.load(Ordering::SeqCst), 4);
}

async fn a_long_handler_keeps_what_it_holds(bench: Bench) {
    let bus = acme(&bench).await;
    let other = consumer(&bench, &bus, "billing", "other").await;
    let (client, switch) = Flaky::around(bench.client("long").await);
    let long = EventConsumer::over(client, &bus, name("billing"));
    // The one that is handled, and those that were fetched with it.
    for _ in 0..3 {
        published(&bus).await;
    }
    let go_on = Arc::new(Notify::new());
    let begun = Arc::new(AtomicUsize::new(0));
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn({
        let (go_on, begun) = (Arc::clone(&go_on), Arc::clone(&begun));
        let handler = move |_, attempt| {
            let (go_on, begun) = (Arc::clone(&go_on), Arc::clone(&begun));
            async move {
                assert_eq!(attempt, 1);
                if begun.fetch_add(1, Ordering::SeqCst) == 0 {
                    go_on.notified().await;
                }
                Ok::<_, String>(())
            }
        };
        long.run(handler, async move { drop(stopped.await) })
    });
    eventually(|| async { begun.load(Ordering::SeqCst) == 1 }).await;
    // Ten leases long, and at each third of a lease all three are extended.
    for third in 1..=30 {
        bench.clock.advance(20_000);
        eventually(|| async { switch.extended() >= 3 * third }).await;
        assert_eq!(taken(&other).await, []);
    }
    go_on.notify_one();
    eventually(|| async { begun.load(Ordering::SeqCst) == 3 }).await;
    stop.send(()).unwrap();
    let counts = bench.pass_until(running).await.unwrap();
    assert_eq!((counts.done, counts.lost), (3, 0));
}

async fn a_handler_whose_event_is_held_no_more_is_dropped(bench: Bench) {
    struct Dropped(Option<oneshot::Sender<()>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            let _ = self.0.take().map(|sender| sender.send(()));
        }
    }

    let bus = acme(&bench).await;
    let (long, other) =
        (consumer(&bench, &bus, "billing", "one").await, consumer(&bench, &bus, "billing", "two").await);
    published(&bus).await;
    let begun = Arc::new(Notify::new());
    let (dropped, is_dropped) = oneshot::channel();
    let guard = Arc::new(Mutex::new(Some(Dropped(Some(dropped)))));
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn({
        let (guard, begun) = (Arc::clone(&guard), Arc::clone(&begun));
        let handler = move |_, _| {
            let guard = guard.lock().unwrap().take();
            begun.notify_one();
            async move {
                let _guard = guard;
                std::future::pending::<Result<(), String>>().await
            }
        };
        long.run(handler, async move { drop(stopped.await) })
    });
    begun.notified().await;
    // So long at once that the lease has ended before anybody could make it longer.
    bench.clock.advance(60_000);
    is_dropped.await.unwrap();
    stop.send(()).unwrap();
    let counts = bench.pass_until(running).await.unwrap();
    assert_eq!((counts.done, counts.lost, counts.failed), (0, 1, 0));
    assert_eq!(only(&other).await.attempt(), 2);
}

async fn consumers_of_a_group_share_the_work_and_lose_nothing(bench: Bench) {
    let bus = acme(&bench).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut running = Vec::new();
    for number in 0..5 {
        let consumer = consumer(&bench, &bus, "billing", &format!("consumer-{number}")).await.with_handlers(2);
        let (seen, mut stopped) = (Arc::clone(&seen), stopped.clone());
        let handler = move |event: workwire::AgentEvent, _| {
            let seen = Arc::clone(&seen);
            async move {
                tokio::task::yield_now().await;
                seen.lock().unwrap().push(*event.event_id());
                Ok::<_, String>(())
            }
        };
        running.push(tokio::spawn(consumer.run(handler, async move { drop(stopped.wait_for(|stop| *stop).await) })));
    }
    let mut ids = Vec::new();
    for _ in 0..500 {
        ids.push(*published(&bus).await.event_id());
    }
    eventually(|| async {
        let pending = bus.pending(&name("billing")).await.unwrap();
        (pending.ready, pending.held) == (0, Some(0))
    })
    .await;
    let mut done = 0;
    stop.send(true).unwrap();
    for running in running {
        done += bench.pass_until(running).await.unwrap().done;
    }
    assert_eq!(done, 500);
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    assert_eq!(seen, ids);
}

async fn a_broker_that_is_gone_ends_the_loop_with_its_error(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    let client = consumer.client().clone();
    let running = tokio::spawn(consumer.run(|_, _| async { Ok::<_, String>(()) }, std::future::pending()));
    eventually(|| async { client.close(CloseMode::Abort).await.is_ok() }).await;
    let error = bench.pass_until(running).await.unwrap_err();
    assert!(matches!(error.code(), Some(Code::Unavailable | Code::NotFound)), "{error}");
}
