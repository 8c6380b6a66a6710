//! The index of the vectors: what a test in another language reads first.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Generated, tree};
use crate::exit::Failure;

/// The folders of the vectors, by verdict.
pub(super) const VERDICTS: [&str; 2] = ["valid", "invalid"];

/// Of a vector's file what the index tells. A member that is not known is a typing error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    kind: String,
    mode: String,
    clauses: Vec<String>,
    accepted: bool,
    #[serde(default)]
    violations: Vec<Place>,
    #[serde(rename = "note")]
    _note: String,
    #[serde(default, rename = "body")]
    _body: serde::de::IgnoredAny,
    #[serde(default, rename = "body_base64")]
    _body_base64: serde::de::IgnoredAny,
    #[serde(default, rename = "body_parts")]
    _body_parts: serde::de::IgnoredAny,
    #[serde(default, rename = "canonical")]
    _canonical: serde::de::IgnoredAny,
    #[serde(default, rename = "warnings")]
    _warnings: serde::de::IgnoredAny,
}

#[derive(Deserialize)]
struct Place {
    rule: String,
}

/// One line of the index.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    name: String,
    kind: String,
    mode: String,
    accepted: bool,
    clauses: Vec<String>,
    /// The rules of its violations, each once.
    rules: Vec<String>,
    /// Where it lies, from the index.
    file: String,
}

/// The index of the vectors in a folder of schemas; nothing where there are none.
pub(super) fn generate(folder: &Path) -> Result<Option<Generated>, Failure> {
    let vectors = folder.join("vectors");
    if !vectors.is_dir() {
        return Ok(None);
    }
    let mut entries = Vec::new();
    for verdict in VERDICTS {
        let of_verdict = vectors.join(verdict);
        if of_verdict.is_dir() {
            for path in tree::json_files(&of_verdict, &[])? {
                entries.push(entry(&path, &vectors, verdict)?);
            }
        }
    }
    entries.sort();
    Ok(Some((Path::new("vectors").join("index.json"), print(&entries)?)))
}

fn entry(path: &Path, vectors: &Path, verdict: &str) -> Result<Entry, Failure> {
    let broken = |reason: String| Failure::file("take for a vector", path, reason);
    let text = fs::read(path).map_err(|error| Failure::file("read", path, error))?;
    let vector: Vector = serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))?;
    let below = path.strip_prefix(vectors).map_or_else(|_| PathBuf::new(), Path::to_owned);
    let file = below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
    if file != format!("{verdict}/{}.json", vector.name) {
        return Err(broken(format!("it is named {:?}", vector.name)));
    }
    if vector.accepted != (verdict == "valid") {
        return Err(broken(format!("`accepted` is {} in the folder {verdict:?}", vector.accepted)));
    }
    let mut rules: Vec<String> = Vec::new();
    for Place { rule } in vector.violations {
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    let Vector { name, kind, mode, accepted, clauses, .. } = vector;
    Ok(Entry { name, kind, mode, accepted, clauses, rules, file })
}

/// One vector a line, so that a difference between two indexes can be read.
fn print(entries: &[Entry]) -> Result<String, Failure> {
    let lines: Result<Vec<String>, _> = entries.iter().map(serde_json::to_string).collect();
    let lines = lines.map_err(|error| Failure::new(format!("cannot write the index: {error}")))?;
    Ok(format!("{{\"format\":1,\"vectors\":[\n{}\n]}}\n", lines.join(",\n")))
}
