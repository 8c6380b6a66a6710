//! What a server must be before it is used, and what it can promise.

use std::collections::HashMap;
use std::time::Duration;

use ::redis::{Client, ErrorKind, RedisError, TlsCertificates, Value};
use tokio::time::Instant;

use crate::open_error::OpenError;
use crate::redis::link::Link;
use crate::redis::options::RedisOptions;
use crate::redis::reply::{array, text};
use crate::redis::script;

/// The oldest server that has what the scripts use.
const OLDEST: (u32, u32) = (7, 0);

const UNKNOWN_USER: &str = "the server does not know this name and password";

const OLDER: &str = "expected a server of version 7.0 or later, found an older one";

/// A client of the library for this address.
pub(super) fn client(options: &RedisOptions) -> Result<Client, OpenError> {
    let info = options.connection().map_err(OpenError::wrong_use)?;
    let is_tls = options.server().starts_with("rediss:");
    if !is_tls {
        return Client::open(info).map_err(|error| OpenError::wrong_use(words(&error)));
    }
    // Where the program has chosen its cryptography already, that is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root_cert = options.ca.as_ref().map(std::fs::read).transpose().map_err(|error| {
        let file = options.ca.as_deref().unwrap_or(std::path::Path::new("")).display();
        OpenError::setup(format!("{file}: the authorities' certificates cannot be read: {error}"))
    })?;
    let certificates = TlsCertificates { client_tls: None, root_cert };
    Client::build_with_tls(info, certificates).map_err(|error| OpenError::setup(words(&error)))
}

/// Looks whether the server can be used, and answers whether what it confirms survives its death.
pub(super) async fn check(link: &Link, options: &RedisOptions) -> Result<bool, OpenError> {
    let server = options.server();
    let trouble = |error: &RedisError| OpenError::setup(format!("{server}: {}", why(error, &server)));
    link.connected(Instant::now() + options.timeout).await.map_err(|error| trouble(&error))?;
    let hello = link.ask(&::redis::cmd("HELLO")).await.map_err(|error| trouble(&error))?;
    let hello = pairs(hello);
    let told = |name: &str| hello.get(name).map_or("", String::as_str);
    if let Some(version) = too_old(told("version")) {
        let (major, minor) = OLDEST;
        return Err(OpenError::setup(format!(
            "{server}: expected a server of version {major}.{minor} or later, found {version}"
        )));
    }
    if told("role") == "replica" || told("role") == "slave" {
        return Err(OpenError::setup(format!("{server}: expected a primary, found a read-only replica")));
    }
    if told("mode") == "cluster" && !options.cluster {
        return Err(OpenError::setup(format!("{server}: the server is a cluster: the address has to say ?cluster=1")));
    }
    for script in script::all() {
        let mut load = ::redis::cmd("SCRIPT");
        load.arg("LOAD").arg(script.text);
        link.ask(&load).await.map_err(|error| trouble(&error))?;
    }
    Ok(options.durable || is_durable(link).await)
}

/// Whether each write is synced before it is answered, and none is evicted.
async fn is_durable(link: &Link) -> bool {
    let mut settings = ::redis::cmd("CONFIG");
    settings.arg("GET").arg("append*").arg("maxmemory*");
    let Ok(settings) = link.ask(&settings).await else { return false };
    let settings = pairs(settings);
    let is = |name: &str, wanted: &str| settings.get(name).is_some_and(|value| value == wanted);
    let evicts =
        !is("maxmemory", "0") && settings.get("maxmemory-policy").is_none_or(|policy| policy.starts_with("allkeys"));
    is("appendonly", "yes") && is("appendfsync", "always") && !evicts
}

fn pairs(answer: Value) -> HashMap<String, String> {
    let pairs: Vec<(Value, Value)> = match answer {
        Value::Map(pairs) => pairs,
        other => {
            let mut items = array(other).unwrap_or_default().into_iter();
            std::iter::from_fn(|| Some((items.next()?, items.next()?))).collect()
        }
    };
    pairs.into_iter().filter_map(|(name, value)| Some((text(name).ok()?, text(value).ok()?))).collect()
}

/// The version, where it is older than what is needed.
fn too_old(version: &str) -> Option<&str> {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (found < OLDEST).then_some(version)
}

/// Why a server cannot be used.
fn why(error: &RedisError, server: &str) -> String {
    let is_tls = server.starts_with("rediss:");
    match error.kind() {
        ErrorKind::AuthenticationFailed => UNKNOWN_USER.to_owned(),
        _ if error.code() == Some("WRONGPASS") => UNKNOWN_USER.to_owned(),
        ErrorKind::RESP3NotSupported => OLDER.to_owned(),
        _ if error.detail().is_some_and(|detail| detail.contains("unknown command")) => OLDER.to_owned(),
        _ if error.code() == Some("NOAUTH") => "the server wants a password".to_owned(),
        _ if error.is_connection_refusal() => format!("nobody listens there: {error}"),
        ErrorKind::Io if is_tls => {
            format!("no TLS connection: the certificate is not trusted, or the server speaks no TLS there: {error}")
        }
        ErrorKind::Io => format!("no connection, or the server speaks TLS there: {error}"),
        _ => words(error),
    }
}

fn words(error: &RedisError) -> String {
    match error.detail() {
        Some(detail) => format!("{} ({})", error.category(), detail.trim()),
        None => error.to_string(),
    }
}

/// How long a farewell may take.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(too_old("6.2.14"), Some("6.2.14"));
        assert_eq!(too_old(""), Some(""));
        assert!(too_old("7.0.15").is_none() && too_old("8.0").is_none() && too_old("10.1.0").is_none());
    }
}
