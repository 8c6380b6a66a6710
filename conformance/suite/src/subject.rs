//! What is judged: how to reach it, and what the runner may do with it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use workwire_broker::adapter::{AdapterBroker, Finding};
use workwire_broker::{Broker, OpenError};

use crate::case::Scale;
use crate::host::Host;

/// A broker that was reached.
pub struct Reached {
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// The same, where it stands behind the adapter protocol.
    pub adapter: Option<Arc<AdapterBroker>>,
}

impl Reached {
    /// A broker that speaks for itself.
    #[must_use]
    pub fn bare(broker: Arc<dyn Broker>) -> Self {
        Reached { broker, adapter: None }
    }

    /// A broker behind the adapter protocol.
    #[must_use]
    pub fn behind(adapter: Arc<AdapterBroker>) -> Self {
        Reached { broker: Arc::clone(&adapter) as Arc<dyn Broker>, adapter: Some(adapter) }
    }

    /// What an adapter did that its protocol does not allow.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.adapter.as_ref().map(|adapter| adapter.findings()).unwrap_or_default()
    }

    /// The end of an adapter's log.
    #[must_use]
    pub fn log(&self) -> String {
        self.adapter.as_ref().map(|adapter| adapter.log()).unwrap_or_default()
    }
}

/// Reaching it, some time.
pub type Reaching = Pin<Box<dyn Future<Output = Result<Reached, OpenError>> + Send>>;

/// How to reach it.
type Reach = Arc<dyn Fn() -> Reaching + Send + Sync>;

/// What is judged.
#[derive(Clone)]
pub struct Subject {
    address: String,
    reach: Reach,
    own_time: bool,
    more_servers: bool,
    host: Option<Arc<dyn Host>>,
    scale: Scale,
}

impl Subject {
    /// One broker for the whole run, on the time of the world.
    pub fn shared(address: impl Into<String>, reach: impl Fn() -> Reaching + Send + Sync + 'static) -> Self {
        Subject {
            address: address.into(),
            reach: Arc::new(reach),
            own_time: false,
            more_servers: false,
            host: None,
            scale: Scale::ONE,
        }
    }

    /// A broker of its own for each case, made in the case's own runtime, whose time is paused: it
    /// jumps whenever nobody has anything left to do. For brokers that live in this program and take
    /// their time from the runtime.
    pub fn on_paused_time(
        address: impl Into<String>,
        make: impl Fn() -> Arc<dyn Broker> + Send + Sync + 'static,
    ) -> Self {
        Self::reached_on_paused_time(address, move || {
            let reached = Reached::bare(make());
            Box::pin(std::future::ready(Ok(reached)))
        })
    }

    /// The same with the machine on which brokers of its kind can be started.
    #[must_use]
    pub fn on_host(self, host: Arc<dyn Host>) -> Self {
        Subject { host: Some(host), ..self }
    }

    /// The machine on which brokers of its kind can be started, where it can be reached.
    #[must_use]
    pub fn host(&self) -> Option<&Arc<dyn Host>> {
        self.host.as_ref()
    }

    /// The same, where making it takes more than a call: one behind the adapter protocol, for example.
    pub fn reached_on_paused_time(
        address: impl Into<String>,
        reach: impl Fn() -> Reaching + Send + Sync + 'static,
    ) -> Self {
        Subject {
            address: address.into(),
            reach: Arc::new(reach),
            own_time: true,
            more_servers: false,
            host: None,
            scale: Scale::ONE,
        }
    }

    /// The same, on whose own time cases are so long.
    #[must_use]
    pub fn at_scale(self, scale: Scale) -> Self {
        Subject { scale, ..self }
    }

    /// The same, where each reach starts a server of its own: a run may have a second one for the cases that stop it.
    #[must_use]
    pub fn with_more_servers(self) -> Self {
        Subject { more_servers: true, ..self }
    }

    /// Whether each reach starts a server of its own.
    #[must_use]
    pub const fn has_more_servers(&self) -> bool {
        self.more_servers
    }

    /// Its address, without passwords.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether each case has a broker and a time of its own.
    #[must_use]
    pub const fn has_own_time(&self) -> bool {
        self.own_time
    }

    /// How long a millisecond of a case is on its own time.
    #[must_use]
    pub const fn scale(&self) -> Scale {
        self.scale
    }

    /// Reaches it.
    ///
    /// # Errors
    /// Says why it cannot be.
    pub async fn reach(&self) -> Result<Reached, OpenError> {
        (self.reach)().await
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("address", &self.address)
            .field("own_time", &self.own_time)
            .finish_non_exhaustive()
    }
}
