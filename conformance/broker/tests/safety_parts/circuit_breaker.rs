//! The circuit breaker by itself.

use std::sync::Arc;
use std::time::Duration;

use workwire_broker::clock::ManualClock;
use workwire_broker::{BrokerError, Circuit, CircuitBreaker};

fn breaker() -> (CircuitBreaker, ManualClock) {
    let clock = ManualClock::at(1_000);
    (CircuitBreaker::default().with_clock(Arc::new(clock.clone())), clock)
}

fn open() -> (CircuitBreaker, ManualClock) {
    let (breaker, clock) = breaker();
    for _ in 0..5 {
        breaker.enter().unwrap().failed();
    }
    assert_eq!(breaker.circuit(), Circuit::Open);
    (breaker, clock)
}

#[test]
fn closed_to_open_after_5() {
    let (breaker, _) = breaker();
    for _ in 0..4 {
        breaker.enter().unwrap().failed();
    }
    // In a row: a success begins anew.
    breaker.enter().unwrap().succeeded();
    for _ in 0..4 {
        breaker.enter().unwrap().failed();
        assert_eq!(breaker.circuit(), Circuit::Closed);
    }
    breaker.enter().unwrap().failed();
    assert_eq!(breaker.circuit(), Circuit::Open);
    let error = breaker.enter().unwrap_err();
    let words = "broker unavailable (3001): the circuit is open after 5 failures in a row, and nothing was sent; \
                 the next probe is let through in 60000 ms";
    assert_eq!(error.message(), words);
    assert_eq!(error.data().unwrap()["retry_after_ms"], 60_000);
}

#[test]
fn half_open_after_60_s() {
    let (breaker, clock) = open();
    clock.advance(59_999);
    assert_eq!(breaker.circuit(), Circuit::Open);
    assert!(breaker.enter().is_err());
    clock.advance(1);
    assert_eq!(breaker.circuit(), Circuit::HalfOpen);
    assert!(breaker.enter().is_ok());
}

#[test]
fn half_open_to_closed_on_success() {
    let (breaker, clock) = open();
    clock.advance(60_000);
    breaker.enter().unwrap().succeeded();
    assert_eq!(breaker.circuit(), Circuit::Closed);
    // And it counts from the beginning again.
    for _ in 0..4 {
        breaker.enter().unwrap().failed();
    }
    assert_eq!(breaker.circuit(), Circuit::Closed);
}

#[test]
fn half_open_to_open_again_on_failure() {
    let (breaker, clock) = open();
    for _ in 0..3 {
        clock.advance(60_000);
        breaker.enter().unwrap().failed();
        assert_eq!(breaker.circuit(), Circuit::Open);
        clock.advance(59_999);
        assert!(breaker.enter().is_err());
        clock.advance(1);
    }
}

#[test]
fn one_probe_at_a_time() {
    let (breaker, clock) = open();
    clock.advance(60_000);
    let probe = breaker.enter().unwrap();
    clock.advance(600_000);
    let error = breaker.enter().unwrap_err();
    assert!(error.message().ends_with("a probe is on its way"), "{error}");
    probe.succeeded();
    let (one, other) = (breaker.enter().unwrap(), breaker.enter().unwrap());
    one.succeeded();
    other.succeeded();
}

#[test]
fn a_probe_that_is_dropped_makes_room_for_another() {
    let (breaker, clock) = open();
    clock.advance(60_000);
    drop(breaker.enter().unwrap());
    let probe = breaker.enter().unwrap();
    assert!(breaker.enter().is_err());
    probe.succeeded();
    assert_eq!(breaker.circuit(), Circuit::Closed);
}

#[test]
fn what_began_before_a_change_says_nothing_after_it() {
    let (breaker, clock) = breaker();
    let late: Vec<_> = (0..10).map(|_| breaker.enter().unwrap()).collect();
    let mut late = late.into_iter();
    for pass in late.by_ref().take(5) {
        pass.failed();
    }
    clock.advance(30_000);
    // Neither does a late failure put the probe off, nor a late success close the circuit.
    late.next().unwrap().failed();
    late.next().unwrap().succeeded();
    clock.advance(29_999);
    assert_eq!(breaker.circuit(), Circuit::Open);
    clock.advance(1);
    let probe = breaker.enter().unwrap();
    late.next().unwrap().succeeded();
    assert_eq!(breaker.circuit(), Circuit::HalfOpen);
    late.next().unwrap().failed();
    assert_eq!(breaker.circuit(), Circuit::HalfOpen);
    probe.succeeded();
    late.next().unwrap().failed();
    assert_eq!(breaker.circuit(), Circuit::Closed);
}

#[test]
fn of_many_who_come_at_once_one_is_the_probe() {
    let (breaker, clock) = open();
    clock.advance(60_000);
    let probes = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| breaker.enter().ok())).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(probes.len(), 1);
}

#[tokio::test]
async fn refusals_are_no_failures_and_silence_is() {
    let clock = ManualClock::at(0);
    let breaker = CircuitBreaker::new(2, Duration::from_secs(5)).with_clock(Arc::new(clock.clone()));
    for _ in 0..10 {
        let refused = breaker.call(async { Err::<(), _>(BrokerError::full("no room")) }).await.unwrap_err();
        assert_eq!(refused, BrokerError::full("no room"));
        // Between two silences there is an answer.
        breaker.call(async { Err::<(), _>(BrokerError::unavailable("gone")) }).await.unwrap_err();
    }
    assert_eq!(breaker.circuit(), Circuit::Closed);
    breaker.call(async { Err::<(), _>(BrokerError::unavailable("gone")) }).await.unwrap_err();
    assert_eq!(breaker.circuit(), Circuit::Open);
    clock.advance(5_000);
    assert_eq!(breaker.call(async { Ok(7) }).await, Ok(7));
    assert_eq!(breaker.circuit(), Circuit::Closed);
}
