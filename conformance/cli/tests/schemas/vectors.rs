//! The vectors, as far as JSON Schema can judge them.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;
use workwire::{DocumentKind, Rule, Scope};

use super::files::folder;

/// A vector of a document that is strict JSON.
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) kind: DocumentKind,
    pub(crate) lenient: bool,
    pub(crate) body: Value,
    /// The rules that it breaks and where, none where it is accepted.
    pub(crate) broken: Vec<(Rule, String)>,
}

impl Vector {
    /// Whether it breaks a rule, and no other.
    pub(crate) fn breaks_alone(&self, rule: Rule) -> bool {
        !self.broken.is_empty() && self.broken.iter().all(|(broken, _)| *broken == rule)
    }

    pub(crate) fn is_accepted(&self) -> bool {
        self.broken.is_empty()
    }

    /// Whether the validating schema is to refuse it.
    pub(crate) fn is_for_schemas(&self) -> bool {
        self.broken.iter().any(|(rule, _)| rule.scope() == Scope::Schema)
    }
}

#[derive(Deserialize)]
struct File {
    name: String,
    kind: String,
    mode: String,
    accepted: bool,
    body: Option<String>,
    body_parts: Option<Vec<Part>>,
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

/// All of them, by the index that the command writes.
pub(crate) fn all() -> &'static [Vector] {
    static ALL: LazyLock<Vec<Vector>> = LazyLock::new(|| {
        let vectors = folder().join("vectors");
        let index: Value = serde_json::from_slice(&fs::read(vectors.join("index.json")).unwrap()).unwrap();
        let files = index["vectors"].as_array().unwrap();
        files.iter().filter_map(|entry| read(&vectors.join(entry["file"].as_str().unwrap()))).collect()
    });
    &ALL
}

fn read(path: &Path) -> Option<Vector> {
    let file: File = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let kind = *DocumentKind::ALL.iter().find(|kind| kind.as_str() == file.kind)?;
    let place = |place: Place| (place.rule.parse().unwrap(), place.pointer);
    let broken: Vec<(Rule, String)> = file.violations.into_iter().map(place).collect();
    assert_eq!(file.accepted, broken.is_empty(), "{}", file.name);
    if broken.iter().any(|(rule, _)| is_about_bytes(*rule)) {
        return None;
    }
    let parts = |parts: Vec<Part>| parts.iter().map(|part| part.text.repeat(part.times)).collect::<String>();
    let body = file.body.or_else(|| file.body_parts.map(parts)).unwrap_or_else(|| panic!("{}: no text", file.name));
    let body = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{}: {error}", file.name));
    Some(Vector { name: file.name, kind, lenient: file.mode == "lenient", body, broken })
}

/// Rules that decide whether bytes are JSON at all: a schema sees values, and so none that breaks them.
pub(crate) fn is_about_bytes(rule: Rule) -> bool {
    rule.id().starts_with("JSN-") && rule != Rule::Jsn10
}
