//! Not more than so many operations in so much time: a token bucket, and a client behind one.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use serde_json::json;
use tokio::sync::Mutex;
use workwire::ErrorCode;

use crate::clock::{Clock, Millis, RuntimeClock};
use crate::contract::{
    Answer, Client, CloseMode, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked, Purge, Push, Stored, Tag, Verdict,
};
use crate::error::BrokerError;
use crate::face::millis;
use crate::policy::Policy;
use crate::presence::{AgentState, Update};
use crate::queue::Queue;

/// So many tokens a bucket holds where nothing is said.
pub const BUCKET_CAPACITY: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// So many tokens come back in a second where nothing is said.
pub const BUCKET_REFILL: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// So long a token is waited for where nothing is said.
pub const TOKEN_WAIT: Duration = Duration::from_secs(10);

/// A bucket of tokens: full at first, filled up at a steady pace, and never above its capacity.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use workwire_broker::TokenBucket;
/// use workwire_broker::clock::ManualClock;
///
/// let clock = ManualClock::at(0);
/// let bucket = TokenBucket::default().with_clock(Arc::new(clock.clone()));
/// assert_eq!((0..200).filter(|_| bucket.try_take()).count(), 100);
/// clock.advance(500);
/// assert_eq!((0..200).filter(|_| bucket.try_take()).count(), 5);
/// ```
pub struct TokenBucket {
    quota: Quota,
    tokens: RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Nanos>>,
    clock: Arc<dyn Clock>,
    /// Who waits for the next token holds it; the others stand behind, in the order in which they came.
    turn: Mutex<()>,
}

/// A [`Clock`] as the limiter reads it: the time since the bucket was made.
struct Ticks {
    clock: Arc<dyn Clock>,
    start: Millis,
}

impl governor::clock::Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let since = u64::try_from(self.clock.now().saturating_sub(self.start)).unwrap_or(0);
        Nanos::new(since.saturating_mul(1_000_000))
    }
}

impl TokenBucket {
    /// A bucket that holds so many, and gets so many back in a second.
    #[must_use]
    pub fn new(capacity: NonZeroU32, per_second: NonZeroU32) -> Self {
        TokenBucket::with_quota(Quota::per_second(per_second).allow_burst(capacity), Arc::new(RuntimeClock::new()))
    }

    fn with_quota(quota: Quota, clock: Arc<dyn Clock>) -> Self {
        let ticks = Ticks { clock: clock.clone(), start: clock.now() };
        TokenBucket { quota, tokens: RateLimiter::direct_with_clock(quota, ticks), clock, turn: Mutex::new(()) }
    }

    /// The same, full, with another clock than the runtime's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        TokenBucket::with_quota(self.quota, clock)
    }

    /// Takes a token if there is one that nobody waits for.
    #[must_use]
    pub fn try_take(&self) -> bool {
        self.turn.try_lock().is_ok_and(|_turn| self.tokens.check().is_ok())
    }

    /// Takes a token, and waits so long for it at most. Who came first is served first.
    ///
    /// # Errors
    /// `full` with the protocol's code 1007 where none came, or none can come in time.
    pub async fn take(&self, wait: Duration) -> Result<(), BrokerError> {
        let end = self.clock.now().saturating_add(millis(wait));
        let _turn = tokio::select! {
            biased;
            turn = self.turn.lock() => turn,
            () = self.clock.sleep_until(end) => return Err(self.too_late(wait)),
        };
        loop {
            let Err(not_yet) = self.tokens.check() else { return Ok(()) };
            let rest = not_yet.wait_time_from(governor::clock::Clock::now(self.tokens.clock()));
            let rest = millis(rest.saturating_add(Duration::from_nanos(999_999)));
            let next = self.clock.now().saturating_add(rest);
            // Nobody behind would be served earlier by waiting for what comes too late.
            if next > end {
                return Err(self.too_late(wait));
            }
            self.clock.sleep_until(next).await;
        }
    }

    fn too_late(&self, wait: Duration) -> BrokerError {
        let code = ErrorCode::RATE_LIMITED;
        let pace = self.quota.replenish_interval().as_millis();
        BrokerError::full(format!(
            "rate limit exceeded ({}): expected a token within {} ms, found none; the bucket holds {} and gets one every {pace} ms",
            code.get(),
            wait.as_millis(),
            self.quota.burst_size(),
        ))
        .with_data(json!({"error_code": code.get()}))
    }
}

impl Default for TokenBucket {
    fn default() -> Self {
        TokenBucket::new(BUCKET_CAPACITY, BUCKET_REFILL)
    }
}

impl fmt::Debug for TokenBucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBucket").field("quota", &self.quota).field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// A client that pays a token for each message that it publishes, and for each question. What ends or
/// keeps a delivery is free, and so is a heartbeat: to hold those back would make leases end.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use workwire_broker::{Broker, MemoryBroker, RateLimited, TokenBucket, WorkBus};
/// let client = MemoryBroker::default().open("agent").await?;
/// let limited: Box<dyn workwire_broker::Client> = Box::new(RateLimited::new(client, Arc::new(TokenBucket::default())));
/// let bus = WorkBus::over(limited);
/// # let _ = bus;
/// # Ok(())
/// # }
/// ```
pub struct RateLimited {
    client: Box<dyn Client>,
    bucket: Arc<TokenBucket>,
    wait: Duration,
}

impl RateLimited {
    /// Puts a client behind a bucket, which can be shared.
    #[must_use]
    pub fn new(client: Box<dyn Client>, bucket: Arc<TokenBucket>) -> Self {
        RateLimited { client, bucket, wait: TOKEN_WAIT }
    }

    /// The same; a token is waited for so long.
    #[must_use]
    pub fn with_wait(self, wait: Duration) -> Self {
        RateLimited { wait, ..self }
    }
}

impl fmt::Debug for RateLimited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimited").field("bucket", &self.bucket).field("wait", &self.wait).finish_non_exhaustive()
    }
}

/// Operations that pay before they go through.
macro_rules! paid {
    ($($name:ident($($argument:ident: $Type:ty),*) -> $Answer:ty;)+) => {$(
        fn $name<'a>(&'a self, $($argument: $Type),*) -> Answer<'a, $Answer> {
            Box::pin(async move {
                self.bucket.take(self.wait).await?;
                self.client.$name($($argument),*).await
            })
        }
    )+};
}

/// Operations that go through.
macro_rules! free {
    ($($name:ident($($argument:ident: $Type:ty),*) -> $Answer:ty;)+) => {$(
        fn $name<'a>(&'a self, $($argument: $Type),*) -> Answer<'a, $Answer> {
            self.client.$name($($argument),*)
        }
    )+};
}

impl Client for RateLimited {
    paid! {
        declare(queue: &'a Queue, policy: &'a Policy) -> ();
        publish(queue: &'a Queue, message: Message) -> Stored;
        fetch(queue: &'a Queue, fetch: Fetch) -> Vec<Delivery>;
        peek(queue: &'a Queue, peek: Peek) -> Vec<Peeked>;
        depth(queue: &'a Queue, group: Option<&'a str>) -> Depth;
        dead_letters(queue: &'a Queue, max: u32, group: Option<&'a str>) -> Vec<Letter>;
        replay(queue: &'a Queue, id: uuid::Uuid, group: Option<&'a str>) -> ();
        purge(queue: &'a Queue, what: Purge<'a>) -> u64;
        delete(queue: &'a Queue) -> ();
        sweep(queue: &'a Queue) -> u64;
        agents(offline_after_ms: Option<i64>, tenant: Option<&'a str>) -> Vec<AgentState>;
    }

    free! {
        settle(queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> ();
        settle_many(queue: &'a Queue, settled: Vec<(Tag, Verdict)>) -> Vec<Result<(), BrokerError>>;
        extend(queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> ();
        heartbeat(update: Update, tenant: Option<&'a str>) -> ();
    }

    /// Pays for each message; all of them before the first is published.
    fn publish_batch<'a>(
        &'a self,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async move {
            for _ in &messages {
                self.bucket.take(self.wait).await?;
            }
            self.client.publish_batch(queue, messages).await
        })
    }

    /// Pays once; what is pushed then is bounded by its credit.
    fn push<'a>(&'a self, queue: &'a Queue, fetch: &Fetch, credit: u32) -> Option<Answer<'a, Box<dyn Push + 'a>>> {
        let push = self.client.push(queue, fetch, credit)?;
        Some(Box::pin(async move {
            self.bucket.take(self.wait).await?;
            push.await
        }))
    }

    fn close(&self, mode: CloseMode) -> Answer<'_, ()> {
        self.client.close(mode)
    }
}
