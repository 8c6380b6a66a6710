//! Which server, and how it is used: what stands in an `amqp://` address.

use std::fmt;
use std::time::Duration;

use percent_encoding::percent_decode_str;

/// What kind of queue carries the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QueueKind {
    /// Classic queues: with priorities, on one node.
    #[default]
    Classic,
    /// Quorum queues: replicated, without priorities.
    Quorum,
}

/// Which server, and how it is used.
#[derive(Clone, PartialEq, Eq)]
pub struct RabbitMqOptions {
    /// The server's host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// A file of certificates to trust besides the system's.
    pub ca: Option<String>,
    /// Who connects.
    pub user: String,
    /// The password. It is never shown.
    pub password: String,
    /// The virtual host.
    pub vhost: String,
    /// What the names of this broker's queues begin with; `workwire`, and nothing for the queues of the
    /// work bus, where none is given.
    pub namespace: Option<String>,
    /// What kind of queue carries the messages.
    pub queue: QueueKind,
    /// How long an operation waits for the server, besides what it is told to wait.
    pub timeout: Duration,
    /// How often the connection is heard of; one that is silent for twice as long is lost.
    pub heartbeat: Duration,
}

const KNOWN: &str = "ns, queue, timeout_ms, heartbeat_s or ca";

impl RabbitMqOptions {
    /// Reads an address as people write it: `amqp://user:password@host:port/vhost?ns=work&queue=quorum`.
    ///
    /// # Errors
    /// Says what is wrong with it, without its password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or("expected amqp://HOST or amqps://HOST")?;
        let tls = scheme == "amqps";
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (userinfo, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        let (host, port) = host_and_port(address, if tls { 5671 } else { 5672 })?;
        let mut options = RabbitMqOptions {
            host,
            port,
            tls,
            ca: None,
            user: if user.is_empty() { "guest".to_owned() } else { decoded("the user", user)? },
            password: if userinfo.is_empty() { "guest".to_owned() } else { decoded("the password", password)? },
            vhost: if path.is_empty() { "/".to_owned() } else { decoded("the virtual host", path)? },
            namespace: None,
            queue: QueueKind::Classic,
            timeout: Duration::from_secs(15),
            heartbeat: Duration::from_secs(10),
        };
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            options.set(name, &decoded(name, value)?)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "ns" => self.namespace = Some(namespace(value)?),
            "queue" => {
                self.queue = match value {
                    "classic" => QueueKind::Classic,
                    "quorum" => QueueKind::Quorum,
                    _ => return Err(format!("queue: expected classic or quorum, found {value:?}")),
                }
            }
            "timeout_ms" => self.timeout = Duration::from_millis(number(name, value, 100, 3_600_000)?),
            "heartbeat_s" => self.heartbeat = Duration::from_secs(number(name, value, 1, 3_600)?),
            "ca" if value.is_empty() => return Err("ca: expected a file of certificates, found nothing".to_owned()),
            "ca" => self.ca = Some(value.to_owned()),
            _ => return Err(format!("expected {KNOWN}, found {name:?}")),
        }
        Ok(())
    }

    /// The address as it may be shown.
    pub(super) fn shown(&self) -> String {
        let scheme = if self.tls { "amqps" } else { "amqp" };
        format!("{scheme}://{}@{}:{}/{}", self.user, self.host, self.port, self.vhost)
    }
}

/// Without the password.
impl fmt::Debug for RabbitMqOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitMqOptions")
            .field("address", &self.shown())
            .field("ca", &self.ca)
            .field("namespace", &self.namespace)
            .field("queue", &self.queue)
            .field("timeout", &self.timeout)
            .field("heartbeat", &self.heartbeat)
            .finish_non_exhaustive()
    }
}

fn host_and_port(address: &str, usual: u16) -> Result<(String, u16), String> {
    // An address of IPv6 stands in brackets, since it has colons of its own.
    let (host, port) = match address.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or(port))),
        None => address.rsplit_once(':').map_or((address, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        None => usual,
        Some(port) => port.parse().map_err(|_| format!("expected a port of 1 to 65535, found {port:?}"))?,
    };
    Ok((if host.is_empty() { "localhost".to_owned() } else { host.to_owned() }, port))
}

fn decoded(what: &str, text: &str) -> Result<String, String> {
    let text = percent_decode_str(text).decode_utf8();
    text.map(std::borrow::Cow::into_owned).map_err(|_| format!("{what}: expected UTF-8 behind the percent signs"))
}

fn number(name: &str, value: &str, least: u64, most: u64) -> Result<u64, String> {
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("{name}: expected a number from {least} to {most}, found {value:?}"))
}

/// No colon, which parts the namespace from the name, and short enough for AMQP's 255 bytes.
fn namespace(value: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if (1..=40).contains(&value.len()) && value.bytes().all(plain) {
        Ok(value.to_owned())
    } else {
        Err(format!("ns: expected 1 to 40 of A-Z a-z 0-9 . _ -, found {value:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_what_it_leaves_out() {
        let plain = RabbitMqOptions::parse("amqp://localhost").unwrap();
        assert_eq!((plain.port, plain.vhost.as_str(), plain.user.as_str()), (5672, "/", "guest"));
        assert_eq!((plain.password.as_str(), plain.namespace), ("guest", None));
        let full = "amqps://ada:p%40ss@[::1]:99/%2fwork?ns=team&queue=quorum&timeout_ms=500&heartbeat_s=3&ca=a%20b.pem";
        let full = RabbitMqOptions::parse(full).unwrap();
        assert_eq!((full.host.as_str(), full.port, full.tls), ("::1", 99, true));
        assert_eq!((full.user.as_str(), full.password.as_str(), full.vhost.as_str()), ("ada", "p@ss", "/work"));
        assert_eq!((full.namespace.as_deref(), full.queue), (Some("team"), QueueKind::Quorum));
        assert_eq!((full.timeout.as_millis(), full.heartbeat.as_secs()), (500, 3));
        assert_eq!(full.ca.as_deref(), Some("a b.pem"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, wanted) in [
            ("amqp://u:secret@h:99999", "a port of 1 to 65535"),
            ("amqp://u:secret@h/?ns=a:b", "ns: expected 1 to 40"),
            ("amqp://u:secret@h/?queue=stream", "classic or quorum"),
            ("amqp://u:secret@h/?timeout_ms=1", "timeout_ms: expected a number from 100"),
            ("amqp://u:secret@h/?colour=red", "expected ns, queue, timeout_ms, heartbeat_s or ca"),
            ("amqp://u:secret@h/%ff", "the virtual host: expected UTF-8"),
        ] {
            let error = RabbitMqOptions::parse(url).unwrap_err();
            assert!(error.contains(wanted) && !error.contains("secret"), "{url}: {error}");
        }
        let options = RabbitMqOptions::parse("amqp://u:secret@h").unwrap();
        assert!(!format!("{options:?}").contains("secret"));
    }
}
