//! A client behind a circuit breaker.

use std::sync::Arc;

use uuid::Uuid;
use workwire_broker::{
    Circuit, CircuitBreaker, Client, CloseMode, Code, Fetch, Guarded, Message, Policy, Queue, Verdict,
};

use crate::brokers::{Bench, on_bench};
use crate::flaky::{Flaky, Switch};
use crate::subjects::each_broker;

each_broker! { on_bench:
    a_broker_that_does_not_answer_is_left_alone_until_a_probe_is_answered,
    a_batch_with_silence_in_it_is_a_failure,
    everything_goes_through_a_closed_circuit,
    refusals_do_not_open_the_circuit,
}

async fn guarded(bench: &Bench) -> (Guarded, Arc<Switch>, Arc<CircuitBreaker>, Queue) {
    let (client, switch) = Flaky::around(bench.client("agent").await);
    let breaker = Arc::new(CircuitBreaker::default().with_clock(Arc::new(bench.clock.clone())));
    let guarded = Guarded::new(client, Arc::clone(&breaker));
    let queue = Queue::new("tasks");
    guarded.declare(&queue, &Policy::default()).await.unwrap();
    (guarded, switch, breaker, queue)
}

fn message() -> Message {
    Message::new(Uuid::now_v7(), "work")
}

async fn a_broker_that_does_not_answer_is_left_alone_until_a_probe_is_answered(bench: Bench) {
    let (client, switch, breaker, queue) = guarded(&bench).await;
    switch.silence(true);
    for _ in 0..20 {
        let error = client.publish(&queue, message()).await.unwrap_err();
        assert!(error.is_indefinite());
    }
    assert_eq!(switch.asked(), 5);
    // Every operation is held back, but closing.
    assert_eq!(client.depth(&queue, None).await.unwrap_err().code(), Code::Unavailable);
    bench.clock.advance(60_000);
    client.publish(&queue, message()).await.unwrap_err();
    client.publish(&queue, message()).await.unwrap_err();
    assert_eq!(switch.asked(), 6);
    switch.silence(false);
    bench.clock.advance(60_000);
    client.publish(&queue, message()).await.unwrap();
    assert_eq!((switch.asked(), breaker.circuit()), (7, Circuit::Closed));
    assert_eq!(client.depth(&queue, None).await.unwrap().ready, 1);
}

async fn a_batch_with_silence_in_it_is_a_failure(bench: Bench) {
    let (client, switch, breaker, queue) = guarded(&bench).await;
    switch.silence(true);
    for _ in 0..5 {
        client.publish_batch(&queue, vec![message(), message()]).await.unwrap();
    }
    assert_eq!(breaker.circuit(), Circuit::Open);
    client.close(CloseMode::Graceful).await.unwrap();
}

async fn everything_goes_through_a_closed_circuit(bench: Bench) {
    let breaker = Arc::new(CircuitBreaker::default().with_clock(Arc::new(bench.clock.clone())));
    super::rate_limited::everything(&Guarded::new(bench.client("agent").await, breaker), &bench).await;
}

async fn refusals_do_not_open_the_circuit(bench: Bench) {
    let (client, _, breaker, queue) = guarded(&bench).await;
    client.publish(&queue, message()).await.unwrap();
    let delivery = client.fetch(&queue, Fetch::up_to(1)).await.unwrap().remove(0);
    client.settle(&queue, &delivery.tag, Verdict::Done).await.unwrap();
    for _ in 0..20 {
        let stale = client.settle(&queue, &delivery.tag, Verdict::Done).await.unwrap_err();
        assert_eq!(stale.code(), Code::Stale);
    }
    assert_eq!(breaker.circuit(), Circuit::Closed);
}
