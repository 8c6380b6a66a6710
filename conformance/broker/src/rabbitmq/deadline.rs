//! How long an operation waits for the server.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::trouble;
use crate::error::BrokerError;

/// The moment at which an operation gives up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    end: Instant,
    patience: Duration,
}

impl Deadline {
    pub(super) fn after(patience: Duration) -> Self {
        Deadline { end: Instant::now() + patience, patience }
    }

    pub(super) fn is_over(self) -> bool {
        Instant::now() >= self.end
    }

    pub(super) const fn end(self) -> Instant {
        self.end
    }

    /// What the server answers, or that it does not.
    pub(super) async fn wait<T>(
        self,
        doing: &str,
        answer: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, BrokerError> {
        match timeout_at(self.end, answer).await {
            Ok(answer) => answer.map_err(|error| trouble::refusal(doing, &error)),
            Err(_) => Err(self.silence(doing)),
        }
    }

    /// The same where the answer is in words of the contract already.
    pub(super) async fn keep<T>(
        self,
        doing: &str,
        answer: impl Future<Output = Result<T, BrokerError>>,
    ) -> Result<T, BrokerError> {
        timeout_at(self.end, answer).await.unwrap_or_else(|_| Err(self.silence(doing)))
    }

    pub(super) fn silence(self, doing: &str) -> BrokerError {
        let waited = self.patience.as_millis();
        BrokerError::unavailable(format!("{doing}: expected an answer of the server within {waited} ms, found none"))
    }
}
