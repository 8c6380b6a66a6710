//! Where a broker takes its time from.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::DateTime;
use tokio::sync::Notify;
use tokio::time::Instant;
use workwire::Timestamp;

/// Milliseconds since 1970 began, in UTC.
pub type Millis = i64;

/// Tells the time, and waits.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time.
    fn now(&self) -> Millis;

    /// Waits until it is this time, or later.
    fn sleep_until(&self, moment: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The time as messages write it. Times that they cannot write are the nearest that they can.
#[must_use]
pub fn timestamp(moment: Millis) -> Timestamp {
    const FIRST: Millis = -62_135_596_800_000;
    const LAST: Millis = 253_402_300_799_999;
    let datetime = DateTime::from_timestamp_millis(moment.clamp(FIRST, LAST)).unwrap_or_default();
    Timestamp::new(datetime).unwrap_or_else(|_| Timestamp::now())
}

/// The machine's clock, which the processes of a machine share. It may be set while they run: leases
/// and delays then end that much earlier or later.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    }

    fn sleep_until(&self, moment: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let left = moment.saturating_sub(self.now());
                let Ok(left) = u64::try_from(left) else { return };
                if left == 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(left)).await;
            }
        })
    }
}

/// The runtime's clock: begins at the machine's time and goes on with the runtime's, also while that
/// is paused and jumps.
#[derive(Debug, Clone, Copy)]
pub struct RuntimeClock {
    start: Instant,
    at_start: Millis,
}

impl RuntimeClock {
    /// Begins now.
    #[must_use]
    pub fn new() -> Self {
        RuntimeClock { start: Instant::now(), at_start: SystemClock.now() }
    }
}

impl Default for RuntimeClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for RuntimeClock {
    fn now(&self) -> Millis {
        let elapsed = Instant::now().saturating_duration_since(self.start);
        self.at_start.saturating_add(Millis::try_from(elapsed.as_millis()).unwrap_or(Millis::MAX))
    }

    fn sleep_until(&self, moment: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let left = u64::try_from(moment.saturating_sub(self.at_start)).unwrap_or(0);
        // A moment that no instant can be is never.
        let end = self.start.checked_add(Duration::from_millis(left));
        Box::pin(async move {
            match end {
                Some(end) => tokio::time::sleep_until(end).await,
                None => std::future::pending().await,
            }
        })
    }
}

/// A clock that stands still until it is told to jump.
///
/// ```
/// use workwire_broker::clock::{Clock, ManualClock};
/// let clock = ManualClock::at(1_000);
/// clock.advance(250);
/// assert_eq!(clock.now(), 1_250);
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Manual>);

#[derive(Debug)]
struct Manual {
    now: AtomicI64,
    jumped: Notify,
}

impl ManualClock {
    /// Stands at this time.
    #[must_use]
    pub fn at(now: Millis) -> Self {
        ManualClock(Arc::new(Manual { now: AtomicI64::new(now), jumped: Notify::new() }))
    }

    /// Jumps, and wakes who waited for a moment passed by this.
    pub fn advance(&self, millis: Millis) {
        self.0.now.fetch_add(millis, Ordering::SeqCst);
        self.0.jumped.notify_waiters();
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        self.0.now.load(Ordering::SeqCst)
    }

    fn sleep_until(&self, moment: Millis) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let jumped = self.0.jumped.notified();
                tokio::pin!(jumped);
                // Listens before it looks, so that a jump in between is not missed.
                jumped.as_mut().enable();
                if self.now() >= moment {
                    return;
                }
                jumped.await;
            }
        })
    }
}
