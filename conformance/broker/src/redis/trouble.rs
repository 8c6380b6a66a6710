//! What the server's and the connection's errors are in words of the contract.

use ::redis::{ErrorKind, RedisError};

use crate::error::{BrokerError, Code};

/// Errors by which the server says that it did nothing, what they are, and what is the matter.
const REFUSALS: &[(&str, Code, &str)] = &[
    ("OOM", Code::Full, "the server holds as much as its maxmemory allows"),
    ("MISCONF", Code::Full, "the server cannot write to its disk"),
    ("WRONGTYPE", Code::Conflict, "a key of another kind is in the way"),
    ("NOPERM", Code::Forbidden, "the server does not allow it to this user"),
    ("NOAUTH", Code::Forbidden, "the server wants a password"),
    ("WRONGPASS", Code::Forbidden, "the server does not know this name and password"),
    ("READONLY", Code::Forbidden, "the server is a read-only replica"),
    ("NOREPLICAS", Code::Forbidden, "the server has fewer good replicas than it wants"),
    ("CROSSSLOT", Code::Forbidden, "the server is a cluster, and the address does not say ?cluster=1"),
    ("MOVED", Code::Forbidden, "another node of the cluster has this queue"),
    ("CLUSTERDOWN", Code::Forbidden, "the cluster is down"),
];

/// Errors of a server that is not ready yet, or busy: it did nothing, and may later.
const NOT_YET: &[&str] = &["LOADING", "BUSY", "TRYAGAIN", "MASTERDOWN"];

/// What a script's error says when the user may not do what the script does.
const NOT_ALLOWED: &[&str] = &["can't run this command", "can't access at least one of the keys", "has no permissions"];

pub(super) fn is_not_yet(error: &RedisError) -> bool {
    error.code().is_some_and(|code| NOT_YET.contains(&code))
}

pub(super) fn is_no_script(error: &RedisError) -> bool {
    error.code() == Some("NOSCRIPT")
}

/// What became of an operation that the server or the connection did not answer well.
pub(super) fn of(error: &RedisError) -> BrokerError {
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::AuthenticationFailed => {
            refusal(Code::Forbidden, "the server does not know this name and password", "")
        }
        ErrorKind::InvalidClientConfig => refusal(Code::Forbidden, "the connection cannot be set up", detail),
        ErrorKind::Io => BrokerError::unavailable(format!("the connection to the server was lost: {error}")),
        _ => of_code(error.code().unwrap_or_default(), detail),
    }
}

/// The same of an error that a script caught, as the server writes it.
pub(super) fn of_text(text: &str) -> BrokerError {
    let (code, detail) = text.split_once(' ').unwrap_or((text, ""));
    of_code(code, detail)
}

fn of_code(code: &str, detail: &str) -> BrokerError {
    let known = REFUSALS.iter().find(|(name, ..)| *name == code || detail.starts_with(&format!("{name} ")));
    if let Some((name, kind, words)) = known {
        return refusal(*kind, words, &format!("{name} {detail}"));
    }
    if NOT_ALLOWED.iter().any(|words| detail.contains(words)) {
        return refusal(Code::Forbidden, "the server does not allow it to this user", detail);
    }
    BrokerError::unavailable(format!("the server answered with an error: {code} {}", cut(detail)))
}

fn refusal(code: Code, words: &str, detail: &str) -> BrokerError {
    let detail = cut(detail);
    BrokerError::new(code, if detail.is_empty() { words.to_owned() } else { format!("{words} ({detail})") })
}

fn cut(text: &str) -> String {
    text.trim().chars().take(160).collect()
}
