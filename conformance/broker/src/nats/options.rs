//! The address of a server, as people write it.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

/// Which server, and how it is used.
#[derive(Clone, PartialEq, Eq)]
pub struct NatsOptions {
    /// Servers, without user and password.
    pub(super) servers: Vec<String>,
    pub(super) sign_in: SignIn,
    /// Whether nothing is said before TLS is there.
    pub(super) tls: bool,
    /// Certificates to trust besides the system's.
    pub(super) ca: Option<PathBuf>,
    /// What every stream and subject begins with.
    pub(super) namespace: String,
    /// On how many servers each stream is kept.
    pub(super) replicas: u32,
}

/// How a connection says who it is.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum SignIn {
    Nobody,
    Token(String),
    User {
        name: String,
        password: String,
    },
    /// A file with a user's JWT and key.
    Credentials(PathBuf),
}

impl NatsOptions {
    /// Reads an address as people write it,
    /// `nats://[USER:PASSWORD@|TOKEN@]HOST[:PORT][,HOST…][?ns=NAME&replicas=N&ca=FILE&creds=FILE]`, or the
    /// same with `tls://`.
    ///
    /// # Errors
    /// Says what is wrong with it, without its password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or("expected nats://HOST or tls://HOST")?;
        let tls = match scheme {
            "nats" => false,
            "tls" => true,
            _ => return Err(format!("expected nats:// or tls://, found {scheme:?}")),
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (who, hosts) = place.rsplit_once('@').map_or((None, place), |(who, hosts)| (Some(who), hosts));
        let mut options = NatsOptions {
            servers: servers(hosts.trim_end_matches('/'))?,
            sign_in: who.map_or(Ok(SignIn::Nobody), sign_in)?,
            tls,
            ca: None,
            namespace: "ww".to_owned(),
            replicas: 1,
        };
        for option in query.split('&').filter(|option| !option.is_empty()) {
            options.set(option)?;
        }
        Ok(options)
    }

    fn set(&mut self, option: &str) -> Result<(), String> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = decoded(value)?;
        match name {
            "ns" => {
                let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
                if !(1..=32).contains(&value.len()) || !value.bytes().all(is_plain) {
                    return Err(format!("ns: expected 1 to 32 of A-Z a-z 0-9 _ -, found {value:?}"));
                }
                self.namespace = value;
            }
            "replicas" => {
                let number = value.parse().ok().filter(|number| (1..=5).contains(number));
                self.replicas = number.ok_or_else(|| format!("replicas: expected 1 to 5, found {value:?}"))?;
            }
            "ca" => self.ca = Some(PathBuf::from(value)),
            "creds" => self.sign_in = SignIn::Credentials(PathBuf::from(value)),
            _ => return Err(format!("expected ns, replicas, ca or creds, found {name:?}")),
        }
        Ok(())
    }
}

impl std::fmt::Debug for NatsOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsOptions")
            .field("servers", &self.servers)
            .field("tls", &self.tls)
            .field("namespace", &self.namespace)
            .field("replicas", &self.replicas)
            .finish_non_exhaustive()
    }
}

fn servers(hosts: &str) -> Result<Vec<String>, String> {
    let mut servers = Vec::new();
    for host in hosts.split(',') {
        let server = format!("nats://{host}");
        let right = !host.is_empty() && server.parse::<async_nats::ServerAddr>().is_ok();
        if !right {
            return Err(format!("expected HOST or HOST:PORT, found {host:?}"));
        }
        servers.push(server);
    }
    Ok(servers)
}

fn sign_in(who: &str) -> Result<SignIn, String> {
    Ok(match who.split_once(':') {
        Some((name, password)) => SignIn::User { name: decoded(name)?, password: decoded(password)? },
        None => SignIn::Token(decoded(who)?),
    })
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| "expected UTF-8 behind each %".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let options = NatsOptions::parse("nats://a%40b:p%3Aw@one:4223,two?ns=team&replicas=3&ca=/x.pem").unwrap();
        assert_eq!(options.servers, ["nats://one:4223", "nats://two"]);
        assert!(options.sign_in == SignIn::User { name: "a@b".to_owned(), password: "p:w".to_owned() });
        assert_eq!((options.namespace.as_str(), options.replicas, options.tls), ("team", 3, false));
        assert!(NatsOptions::parse("tls://secret@one").unwrap().sign_in == SignIn::Token("secret".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, wanted) in [
            ("nats://", "expected HOST"),
            ("nats://u:secret@one,", "expected HOST"),
            ("nats://u:secret@one?ns=a.b", "ns: expected 1 to 32"),
            ("nats://u:secret@one?replicas=9", "replicas: expected 1 to 5"),
            ("nats://u:secret@one?mode=x", "expected ns, replicas, ca or creds, found \"mode\""),
        ] {
            let error = NatsOptions::parse(url).unwrap_err();
            assert!(error.contains(wanted) && !error.contains("secret"), "{url}: {error}");
        }
        assert!(!format!("{:?}", NatsOptions::parse("nats://u:secret@one").unwrap()).contains("secret"));
    }
}
