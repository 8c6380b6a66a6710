//! Names of queues, tenants, groups and recipients, as a caller gives them, and the check that every
//! broker makes of them.

use std::fmt;
use std::sync::Arc;

use workwire::{Name, TenantId};

use crate::error::BrokerError;

/// A queue: its name, and the tenant whose it is. A queue without a tenant is nobody's, never some
/// tenant's.
///
/// Any text can stand in it, since a broker has to refuse what is no name; [`Queue::check`] is how
/// the brokers here do.
///
/// ```
/// use workwire_broker::Queue;
/// let tasks = Queue::of_tenant("acme", "tasks");
/// assert_eq!(tasks.to_string(), "acme/tasks");
/// assert!(tasks.check().is_ok());
/// assert!(Queue::new("a:b").check().unwrap_err().to_string().contains("a name of 1 to 100"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Queue {
    tenant: Option<Arc<str>>,
    name: Arc<str>,
}

impl Queue {
    /// A queue of no tenant.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Queue { tenant: None, name: name.into() }
    }

    /// A tenant's queue.
    #[must_use]
    pub fn of_tenant(tenant: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Queue { tenant: Some(tenant.into()), name: name.into() }
    }

    /// Whose it is.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether name and tenant are such.
    ///
    /// # Errors
    /// `invalid`, with what was expected and what was found.
    pub fn check(&self) -> Result<(), BrokerError> {
        check_queue_name(&self.name)?;
        self.tenant().map_or(Ok(()), check_tenant)
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tenant {
            Some(tenant) => write!(f, "{tenant}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

fn check_queue_name(name: &str) -> Result<(), BrokerError> {
    let bytes = name.as_bytes();
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let right = (1..=100).contains(&bytes.len())
        && plain(&bytes[0])
        && bytes.iter().all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-'));
    if right {
        Ok(())
    } else {
        Err(BrokerError::expected(
            "queue",
            "a name of 1 to 100 of a-z 0-9 . _ - that begins with a letter or digit",
            name,
        ))
    }
}

/// Whether it names a tenant.
///
/// # Errors
/// `invalid`, with what was expected and what was found.
pub fn check_tenant(tenant: &str) -> Result<(), BrokerError> {
    TenantId::new(tenant).map(drop).map_err(|_| {
        BrokerError::expected("tenant", "a name of 1 to 64 of a-z 0-9 - that begins with a letter or digit", tenant)
    })
}

/// Whether it names a group or a recipient; `what` says which.
///
/// # Errors
/// `invalid`, with what was expected and what was found.
pub fn check_name(what: &'static str, name: &str) -> Result<(), BrokerError> {
    Name::new(name).map(drop).map_err(|_| {
        BrokerError::expected(what, "a name of 1 to 128 of A-Z a-z 0-9 . _ - that begins with a letter or digit", name)
    })
}
