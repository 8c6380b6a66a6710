//! The token bucket by itself.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use workwire_broker::clock::{Clock, ManualClock};
use workwire_broker::{Code, TOKEN_WAIT, TokenBucket};

use crate::brokers::{in_time, pass_until};

fn bucket(capacity: u32, per_second: u32, clock: &ManualClock) -> TokenBucket {
    let [capacity, per_second] = [capacity, per_second].map(|number| NonZeroU32::new(number).unwrap());
    TokenBucket::new(capacity, per_second).with_clock(Arc::new(clock.clone()))
}

fn takes(bucket: &TokenBucket, most: usize) -> usize {
    (0..most).take_while(|_| bucket.try_take()).count()
}

#[test]
fn token_bucket_capacity() {
    let clock = ManualClock::at(1_000);
    assert_eq!(takes(&TokenBucket::default().with_clock(Arc::new(clock.clone())), 1_000), 100);
    for capacity in [1, 2, 7, 1_000] {
        assert_eq!(takes(&bucket(capacity, 10, &clock), 5_000), usize::try_from(capacity).unwrap());
    }
}

#[test]
fn token_bucket_refill() {
    let clock = ManualClock::at(1_000);
    let bucket = TokenBucket::default().with_clock(Arc::new(clock.clone()));
    assert_eq!(takes(&bucket, 1_000), 100);
    clock.advance(99);
    assert_eq!(takes(&bucket, 1_000), 0);
    clock.advance(1);
    assert_eq!(takes(&bucket, 1_000), 1);
    clock.advance(1_000);
    assert_eq!(takes(&bucket, 1_000), 10);
    // Never above its capacity, however long nobody takes.
    clock.advance(3_600_000);
    assert_eq!(takes(&bucket, 1_000), 100);
}

#[tokio::test]
async fn token_bucket_waiting_with_a_time_limit() {
    let clock = ManualClock::at(1_000);
    let bucket = Arc::new(bucket(1, 1, &clock));
    in_time(bucket.take(TOKEN_WAIT)).await.unwrap();
    // One token comes in a second: of twenty who wait ten seconds, ten get one.
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let bucket = Arc::clone(&bucket);
            tokio::spawn(async move { bucket.take(TOKEN_WAIT).await })
        })
        .collect();
    // All of them stand in line before time passes.
    tokio::task::yield_now().await;
    let mut served = 0;
    for waiting in waiting {
        match pass_until(&clock, waiting).await {
            Ok(()) => served += 1,
            Err(error) => {
                assert_eq!(error.code(), Code::Full);
                let words = "rate limit exceeded (1007): expected a token within 10000 ms, found none; \
                             the bucket holds 1 and gets one every 1000 ms";
                assert_eq!(error.message(), words);
                assert_eq!(error.data().unwrap()["error_code"], 1007);
            }
        }
    }
    assert_eq!(served, 10);
}

#[tokio::test]
async fn a_token_that_cannot_come_in_time_is_not_waited_for() {
    let clock = ManualClock::at(0);
    let bucket = bucket(1, 1, &clock);
    assert!(bucket.try_take());
    // The clock stands still: only an answer at once ends this.
    let error = in_time(bucket.take(Duration::from_millis(999))).await.unwrap_err();
    assert_eq!(error.code(), Code::Full);
    let error = in_time(bucket.take(Duration::ZERO)).await.unwrap_err();
    assert!(error.message().contains("within 0 ms"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_bucket_concurrent_use() {
    let clock = ManualClock::at(1_000);
    let bucket = Arc::new(TokenBucket::default().with_clock(Arc::new(clock.clone())));
    let begun = clock.now();
    let taken_at = Arc::new(Mutex::new(Vec::new()));
    let waiting: Vec<_> = (0..150)
        .map(|_| {
            let (bucket, taken_at, clock) = (Arc::clone(&bucket), Arc::clone(&taken_at), clock.clone());
            tokio::spawn(async move {
                bucket.take(Duration::from_mins(10)).await.unwrap();
                taken_at.lock().unwrap().push(clock.now());
            })
        })
        .collect();
    for waiting in waiting {
        pass_until(&clock, waiting).await;
    }
    let mut taken_at = taken_at.lock().unwrap().clone();
    taken_at.sort_unstable();
    assert_eq!(taken_at.len(), 150);
    // The hundred that were there, and from then on one every 100 ms: never more.
    for (index, moment) in taken_at.iter().enumerate().skip(100) {
        let earliest = begun + 100 * (i64::try_from(index).unwrap() - 99);
        assert!(*moment >= earliest, "token {index} was there {} ms too early", earliest - moment);
    }
}

#[tokio::test]
async fn who_came_first_is_served_first() {
    let clock = ManualClock::at(1_000);
    let bucket = Arc::new(bucket(1, 10, &clock));
    assert!(bucket.try_take());
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = Vec::new();
    for number in 0..10 {
        let (bucket, order) = (Arc::clone(&bucket), Arc::clone(&order));
        waiting.push(tokio::spawn(async move {
            bucket.take(TOKEN_WAIT).await.unwrap();
            order.lock().unwrap().push(number);
        }));
        // It stands in line before the next one comes.
        tokio::task::yield_now().await;
    }
    // Nobody overtakes those who wait.
    clock.advance(100);
    assert!(!bucket.try_take());
    for waiting in waiting {
        pass_until(&clock, waiting).await;
    }
    assert_eq!(*order.lock().unwrap(), (0..10).collect::<Vec<_>>());
}
