//! What breaks a run off.

use std::sync::Arc;

use tokio::sync::watch;

/// Breaks a run off from outside: cases that run are cut short and what they made is cleaned away,
/// none is begun any more, the broker is told to end. Once pulled, it stays so.
#[derive(Debug, Clone)]
pub struct Brake(Arc<watch::Sender<bool>>);

impl Default for Brake {
    fn default() -> Self {
        Brake(Arc::new(watch::channel(false).0))
    }
}

impl Brake {
    /// Breaks it off.
    pub fn pull(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was pulled.
    #[must_use]
    pub fn is_pulled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is.
    pub async fn pulled(&self) {
        // The sender is held here, so it cannot be gone.
        let _ = self.0.subscribe().wait_for(|pulled| *pulled).await;
    }
}
