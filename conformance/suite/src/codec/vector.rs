//! The vectors: messages with their verdicts, written from the specification.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use workwire_broker::adapter::wire::Kind;

/// What has to come of a vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// It is a message, and this is how a writer writes it.
    Accepted {
        /// The canonical form.
        canonical: String,
    },
    /// It is none: where, and by which rule, in document order.
    Refused {
        /// Pointers and rules.
        violations: Vec<(String, String)>,
    },
}

/// A message with its verdict.
#[derive(Debug, Clone)]
pub struct Vector {
    /// Its name, that of its file below `schemas/vectors`.
    pub name: String,
    /// As what it is read.
    pub kind: Kind,
    /// The clauses that it shows.
    pub clauses: Vec<String>,
    /// Why, in one sentence.
    pub note: String,
    /// Its bytes.
    pub body: Bytes,
    /// What has to come of it.
    pub expected: Expected,
}

/// Every vector that can be put to a strict reader of the three kinds of document.
///
/// # Panics
/// Never: the file is a part of this crate, and a test reads all of it.
#[must_use]
pub fn vectors() -> &'static [Vector] {
    static VECTORS: LazyLock<Vec<Vector>> =
        LazyLock::new(|| include_str!("../../vectors.jsonl").lines().filter_map(read).collect());
    &VECTORS
}

#[derive(Deserialize)]
struct Written {
    name: String,
    kind: Kind,
    clauses: Vec<String>,
    note: String,
    body: Option<String>,
    body_base64: Option<String>,
    body_parts: Option<Vec<Part>>,
    canonical: Option<String>,
    #[serde(default)]
    violations: Vec<Place>,
}

#[derive(Deserialize)]
struct Part {
    text: String,
    times: usize,
}

#[derive(Deserialize)]
struct Place {
    pointer: String,
    rule: String,
}

fn read(line: &str) -> Option<Vector> {
    let written: Written = serde_json::from_str(line).ok()?;
    let body = match (written.body, written.body_base64, written.body_parts) {
        (Some(text), ..) => text.into_bytes(),
        (_, Some(text), _) => STANDARD.decode(text).ok()?,
        (.., Some(parts)) => parts.iter().map(|part| part.text.repeat(part.times)).collect::<String>().into_bytes(),
        _ => return None,
    };
    let place = |place: Place| (place.pointer, place.rule);
    let expected = match written.canonical {
        Some(canonical) => Expected::Accepted { canonical },
        None => Expected::Refused { violations: written.violations.into_iter().map(place).collect() },
    };
    Some(Vector {
        name: written.name,
        kind: written.kind,
        clauses: written.clauses,
        note: written.note,
        body: body.into(),
        expected,
    })
}
