//! An address as people write it, and what is read out of it.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::config::SslMode;

/// How the connection is made safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Encryption {
    /// Not at all.
    Disable,
    /// Where the server can; whoever it is.
    #[default]
    Prefer,
    /// Always; whoever the server is.
    Require,
    /// Always, with a server whose certificate is trusted and names it.
    VerifyFull,
}

/// Which server, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Where the server is, and who asks. It never shows its password.
    pub(super) server: Box<tokio_postgres::Config>,
    /// The schema that the tables are in.
    pub(super) schema: String,
    /// How the connection is made safe.
    pub(super) encryption: Encryption,
    /// Whom to trust; the system's roots where no file is named.
    pub(super) ca: Option<PathBuf>,
    /// How many connections there are at most, beside the one that listens.
    pub(super) pool: usize,
    /// How long one operation may take.
    pub(super) timeout: Duration,
}

/// The schema where none is named.
pub(super) const SCHEMA: &str = "workwire";

const KNOWN: &str = "schema, sslmode, ca, pool, timeout_ms, or what libpq knows, such as application_name";

impl PostgresOptions {
    /// Reads an address as people write it, `postgres://…`.
    ///
    /// # Errors
    /// Says what is wrong with it, without its password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (server, query) = url.split_once('?').unwrap_or((url, ""));
        let mut options = PostgresOptions {
            server: Box::default(),
            schema: SCHEMA.to_owned(),
            encryption: Encryption::default(),
            ca: None,
            pool: 8,
            timeout: Duration::from_secs(15),
        };
        let mut foreign: Vec<&str> = Vec::new();
        let mut encryption = None;
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let value = percent_decode_str(value).decode_utf8().map_err(|_| format!("{name}: expected UTF-8"))?;
            match name {
                "schema" => options.schema = schema(&value)?,
                "sslmode" => encryption = Some(self::encryption(&value)?),
                "ca" if value.is_empty() => return Err("ca: expected the path of a PEM file, found nothing".to_owned()),
                "ca" => options.ca = Some(PathBuf::from(value.as_ref())),
                "pool" => options.pool = within(name, &value, 2, 1_000)?,
                "timeout_ms" => options.timeout = Duration::from_millis(within(name, &value, 100, 3_600_000)?),
                _ => foreign.push(option),
            }
        }
        options.encryption = match (encryption, &options.ca) {
            (None, Some(_)) => Encryption::VerifyFull,
            (Some(Encryption::VerifyFull), _) | (_, None) => encryption.unwrap_or_default(),
            _ => return Err("ca: expected sslmode=verify-full beside it, since nothing else looks at it".to_owned()),
        };
        let rest = if foreign.is_empty() { server.to_owned() } else { format!("{server}?{}", foreign.join("&")) };
        *options.server = rest.parse().map_err(|error| in_words(&error))?;
        if options.server.get_hosts().is_empty() && options.server.get_hostaddrs().is_empty() {
            return Err("expected a host, such as postgres://me@localhost/work".to_owned());
        }
        options.prepare();
        Ok(options)
    }

    /// What all connections have in common.
    fn prepare(&mut self) {
        self.server.ssl_mode(match self.encryption {
            Encryption::Disable => SslMode::Disable,
            Encryption::Prefer => SslMode::Prefer,
            Encryption::Require | Encryption::VerifyFull => SslMode::Require,
        });
        if self.server.get_connect_timeout().is_none() {
            self.server.connect_timeout(self.timeout.min(Duration::from_secs(10)));
        }
        self.server.tcp_user_timeout(self.timeout);
        self.server.keepalives_idle(Duration::from_secs(15));
        if self.server.get_application_name().is_none() {
            self.server.application_name("workwire");
        }
        // Plans are made once, when the tables may be empty: they have to be right for full ones too.
        let settings = format!(
            "-c synchronous_commit=on -c statement_timeout={} -c enable_seqscan=off -c plan_cache_mode=force_generic_plan \
             -c jit=off -c default_transaction_isolation=read\\ committed",
            // The server gives up before it is given up: so it is known that nothing happened.
            self.timeout.as_millis() * 9 / 10
        );
        let own = self.server.get_options().map(|own| format!("{own} ")).unwrap_or_default();
        self.server.options(format!("{own}{settings}"));
    }

    /// The server as a person would name it.
    pub(super) fn place(&self) -> String {
        use tokio_postgres::config::Host;
        let host = match self.server.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => self.server.get_hostaddrs().first().map(ToString::to_string).unwrap_or_default(),
        };
        let port = self.server.get_ports().first().copied().unwrap_or(5432);
        format!("postgres at {host}:{port}")
    }
}

/// A schema that needs no quotes, short enough for the names that are made of it.
pub(super) fn schema(name: &str) -> Result<String, String> {
    let right = (1..=48).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !name.starts_with("pg_");
    if right {
        Ok(name.to_owned())
    } else {
        let expected = "a name of 1 to 48 of a-z 0-9 _ that begins with a letter, and not with pg_";
        Err(format!("schema: expected {expected}, found {name:?}"))
    }
}

fn encryption(value: &str) -> Result<Encryption, String> {
    match value {
        "disable" => Ok(Encryption::Disable),
        "prefer" => Ok(Encryption::Prefer),
        "require" => Ok(Encryption::Require),
        "verify-full" => Ok(Encryption::VerifyFull),
        _ => Err(format!("sslmode: expected disable, prefer, require or verify-full, found {value:?}")),
    }
}

fn within<T: TryFrom<u64>>(name: &str, value: &str, least: u64, most: u64) -> Result<T, String> {
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| format!("{name}: expected a number from {least} to {most}, found {value:?}"))
}

/// What the driver says of an address, and what may be written.
fn in_words(error: &tokio_postgres::Error) -> String {
    let why = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{why}; expected postgres://USER:PASSWORD@HOST:PORT/DATABASE, with options of {KNOWN}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_says_what_one_is_and_no_password() {
        for (text, wanted) in [
            ("postgres://me:secret@h/d?schema=Work", "schema: expected a name"),
            ("postgres://me:secret@h/d?schema=pg_work", "schema: expected a name"),
            ("postgres://me:secret@h/d?sslmode=maybe", "sslmode: expected disable, prefer, require or verify-full"),
            ("postgres://me:secret@h/d?pool=0", "pool: expected a number from 2 to 1000, found \"0\""),
            ("postgres://me:secret@h/d?timeout_ms=soon", "timeout_ms: expected a number"),
            ("postgres://me:secret@h/d?sslmode=require&ca=x.pem", "ca: expected sslmode=verify-full"),
            ("postgres://me:secret@h/d?colour=red", "colour"),
            ("postgres://me:secret@h:many/d", "expected postgres://USER"),
            ("postgres:///d", "expected a host"),
        ] {
            let error = PostgresOptions::parse(text).unwrap_err();
            assert!(error.contains(wanted) && !error.contains("secret"), "{text}: {error}");
        }
    }

    #[test]
    fn options_are_read_and_the_password_is_not_shown() {
        let text = "postgres://me:secret@db.example:5433/work?schema=jobs&ca=/etc/ca%20.pem&pool=3&application_name=x";
        let options = PostgresOptions::parse(text).unwrap();
        assert_eq!((options.schema.as_str(), options.pool, options.encryption), ("jobs", 3, Encryption::VerifyFull));
        assert_eq!(options.ca, Some(PathBuf::from("/etc/ca .pem")));
        assert_eq!(options.server.get_application_name(), Some("x"));
        assert_eq!(options.place(), "postgres at db.example:5433");
        assert!(!format!("{options:?}").contains("secret"), "{options:?}");
    }
}
