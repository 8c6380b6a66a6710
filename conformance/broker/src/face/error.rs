//! The one error of the typed faces.

use std::fmt;
use std::time::Duration;

use workwire::{ProtocolError, TenantId};

use crate::capability::Capability;
use crate::error::{BrokerError, Code};

/// Why a typed face could not do what it was asked to.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use workwire_broker::{Code, MemoryBroker, WorkBus, reply_queue};
/// let bus = WorkBus::open(&MemoryBroker::default(), "agent").await?;
/// let error = bus.replay(&reply_queue(), uuid::Uuid::nil()).await.unwrap_err();
/// assert_eq!(error.code(), Some(Code::NotFound));
/// assert!(error.to_string().starts_with("replaying a dead letter of reply_queue: not_found: "));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FaceError {
    /// The broker refused, or nobody knows whether it did what it was asked to.
    Broker {
        /// What was being done.
        doing: String,
        /// What the broker said.
        error: BrokerError,
    },
    /// A document breaks the protocol.
    Protocol {
        /// Which document.
        what: String,
        /// What is wrong with it.
        error: ProtocolError,
    },
    /// The broker does not claim what the face needs.
    Lacking {
        /// The broker.
        broker: String,
        /// What it lacks.
        missing: Vec<Capability>,
    },
    /// A message is right by itself, and does not belong where it was put.
    Misplaced {
        /// The place.
        place: &'static str,
        /// What belongs there.
        expected: String,
        /// What was put there.
        found: String,
    },
    /// An event is another tenant's than the bus.
    OtherTenant {
        /// The tenant of the bus.
        expected: TenantId,
        /// The tenant of the event.
        found: TenantId,
    },
    /// What was waited for did not come in time.
    TimedOut {
        /// What was waited for.
        what: String,
        /// For how long.
        waited: Duration,
    },
    /// A file of an artifact could not be written, or must not be read.
    Artifact {
        /// Which.
        path: String,
        /// What is wrong.
        problem: String,
    },
}

impl FaceError {
    /// What the broker said, where it is the broker that refused.
    #[must_use]
    pub fn broker(&self) -> Option<&BrokerError> {
        match self {
            FaceError::Broker { error, .. } => Some(error),
            _ => None,
        }
    }

    /// What kind of error the broker answered with, where it is the broker that refused.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.broker().map(BrokerError::code)
    }

    /// It may have happened all the same. Nothing else than a broker's silence leaves that open.
    #[must_use]
    pub fn is_indefinite(&self) -> bool {
        self.broker().is_some_and(BrokerError::is_indefinite)
    }

    /// What was taken is held no more: it was settled, or its lease ended.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.code() == Some(Code::Stale)
    }

    /// What was waited for did not come in time.
    #[must_use]
    pub fn is_timed_out(&self) -> bool {
        matches!(self, FaceError::TimedOut { .. })
    }

    pub(crate) fn protocol(what: impl Into<String>) -> impl FnOnce(ProtocolError) -> Self {
        let what = what.into();
        move |error| FaceError::Protocol { what, error }
    }
}

impl fmt::Display for FaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaceError::Broker { doing, error } => write!(f, "{doing}: {error}"),
            FaceError::Protocol { what, error } => write!(f, "{what}: {error}"),
            FaceError::Lacking { broker, missing } => {
                let missing: Vec<&str> = missing.iter().map(|capability| capability.as_str()).collect();
                write!(f, "broker {broker}: expected the capabilities {}, which it does not claim", missing.join(", "))
            }
            FaceError::Misplaced { place, expected, found } => write!(f, "{place}: expected {expected}, found {found}"),
            FaceError::OtherTenant { expected, found } => {
                write!(f, "/tenant_id: expected {expected}, whose bus this is, found {found}")
            }
            FaceError::TimedOut { what, waited } => write!(f, "{what} did not come within {} ms", waited.as_millis()),
            FaceError::Artifact { path, problem } => write!(f, "artifact {path:?}: {problem}"),
        }
    }
}

impl std::error::Error for FaceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            FaceError::Broker { error, .. } => Some(error),
            FaceError::Protocol { error, .. } => Some(error),
            _ => None,
        }
    }
}
