//! How long a broker was away in a case because the case had told it to restart.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The time that restarts took. An engine that needs seconds to start is slow at that, and at nothing else.
#[derive(Debug, Default)]
pub(crate) struct Restarts(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    whole: Duration,
    since: Option<Instant>,
}

impl Restarts {
    pub(crate) fn begin(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).since = Some(Instant::now());
    }

    pub(crate) fn end(&self) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = taken.since.take() {
            taken.whole += since.elapsed();
        }
    }

    /// All of them; of one that still lasts no more than this.
    pub(crate) fn taken(&self, most_of_one: Duration) -> Duration {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.whole + taken.since.map_or(Duration::ZERO, |since| since.elapsed().min(most_of_one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn restarts_add_up_and_one_that_never_ends_is_bounded() {
        let (restarts, second) = (Restarts::default(), Duration::from_secs(1));
        for _ in 0..2 {
            restarts.begin();
            tokio::time::sleep(second).await;
            restarts.end();
            tokio::time::sleep(second).await;
        }
        assert_eq!(restarts.taken(second), 2 * second);
        restarts.begin();
        tokio::time::sleep(10 * second).await;
        assert_eq!(restarts.taken(3 * second), 5 * second);
    }
}
