//! An address as people write it, and what its query asks for.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};
use percent_encoding::percent_decode_str;

/// How long an operation may take, where the address does not say.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest prefix.
const MAX_PREFIX: usize = 64;

/// Which server, and how it is used.
///
/// ```
/// use workwire_broker::RedisOptions;
/// assert!(RedisOptions::parse("redis://127.0.0.1:6379/2?prefix=blue:&timeout_ms=5000").is_ok());
/// let error = RedisOptions::parse("redis://localhost?colour=blue").unwrap_err();
/// assert!(error.contains("expected cluster, prefix, durable, ca or timeout_ms"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RedisOptions {
    /// Without its query.
    url: String,
    /// Before the names of all keys.
    pub(super) prefix: String,
    /// Whether names of keys have hash tags, so that a queue's keys are in one slot.
    pub(super) cluster: bool,
    /// The user's word that the server syncs what it confirms, where it may not be asked.
    pub(super) durable: bool,
    /// Whom to trust instead of the system's authorities.
    pub(super) ca: Option<PathBuf>,
    /// How long an operation may take.
    pub(super) timeout: Duration,
}

impl RedisOptions {
    /// Reads an address as people write it, `redis://…`.
    ///
    /// # Errors
    /// Says what is wrong with it, without its password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (url, query) = url.split_once('?').unwrap_or((url, ""));
        let mut options = RedisOptions {
            url: url.to_owned(),
            prefix: String::new(),
            cluster: false,
            durable: false,
            ca: None,
            timeout: TIMEOUT,
        };
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            options.take(name, value)?;
        }
        let info = options.connection()?;
        if options.ca.is_some() && !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Err("ca: expected a rediss: address beside it".to_owned());
        }
        Ok(options)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        let value = percent_decode_str(value).decode_utf8().map_err(|_| format!("{name}: expected UTF-8"))?;
        match name {
            "cluster" => self.cluster = flag(name, &value)?,
            "durable" => self.durable = flag(name, &value)?,
            "prefix" => {
                let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':');
                if value.len() > MAX_PREFIX || !value.bytes().all(is_plain) {
                    return Err(format!("prefix: expected up to {MAX_PREFIX} of A-Z a-z 0-9 . _ - :, found {value:?}"));
                }
                self.prefix = value.into_owned();
            }
            "ca" => self.ca = Some(PathBuf::from(&*value)),
            "timeout_ms" => {
                let millis = value.parse().ok().filter(|millis| (1..=3_600_000).contains(millis));
                let millis =
                    millis.ok_or_else(|| format!("{name}: expected 1 to 3600000 milliseconds, found {value:?}"))?;
                self.timeout = Duration::from_millis(millis);
            }
            _ => return Err(format!("expected cluster, prefix, durable, ca or timeout_ms, found {name:?}")),
        }
        Ok(())
    }

    /// How to connect.
    pub(super) fn connection(&self) -> Result<ConnectionInfo, String> {
        let info = self.url.as_str().into_connection_info();
        // The library's words may hold the address, and so the password.
        let info = info.map_err(|error| {
            let why = error.category();
            format!("expected redis://[NAME:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:, which this is not ({why})")
        })?;
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        Ok(info.set_redis_settings(settings.set_lib_name("workwire", env!("CARGO_PKG_VERSION"))))
    }

    /// The server without a name and a password, for people.
    pub(super) fn server(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("redis", &self.url));
        format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, server)| server))
    }
}

fn flag(name: &str, value: &str) -> Result<bool, String> {
    match value {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(format!("{name}: expected 1 or 0, found {value:?}")),
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("server", &self.server())
            .field("prefix", &self.prefix)
            .field("cluster", &self.cluster)
            .field("durable", &self.durable)
            .field("ca", &self.ca)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_says_what_one_is_and_not_the_password() {
        for (url, wanted) in [
            ("redis://", "expected redis://"),
            ("redis://a:hunter2@host:port", "expected redis://"),
            ("redis://host?cluster=yes", "cluster: expected 1 or 0, found \"yes\""),
            ("redis://host?prefix={a}", "prefix: expected up to 64"),
            ("redis://host?timeout_ms=0", "timeout_ms: expected 1 to 3600000"),
            ("redis://host?ca=/x.pem", "ca: expected a rediss: address"),
        ] {
            let error = RedisOptions::parse(url).unwrap_err();
            assert!(error.contains(wanted) && !error.contains("hunter2"), "{url}: {error}");
        }
        let options = RedisOptions::parse("redis://me:hunter2@host:1/2").unwrap();
        assert!(!format!("{options:?}").contains("hunter2"));
        assert_eq!(options.server(), "redis://host:1/2");
    }
}
