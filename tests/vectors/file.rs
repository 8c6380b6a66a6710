//! The vector files, as `schemas/vectors/README.md` describes them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use workwire::{AgentEvent, AnyDocument, Decoder, DocumentKind, ProtocolError, TraceParent};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) mode: String,
    pub(crate) clauses: Vec<String>,
    pub(crate) note: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    body_base64: Option<String>,
    #[serde(default)]
    body_parts: Option<Vec<Part>>,
    pub(crate) accepted: bool,
    #[serde(default)]
    pub(crate) canonical: Option<String>,
    #[serde(default, deserialize_with = "places")]
    pub(crate) warnings: Vec<(String, String)>,
    #[serde(default, deserialize_with = "places")]
    pub(crate) violations: Vec<(String, String)>,
}

#[derive(Debug, Deserialize)]
struct Part {
    text: String,
    times: usize,
}

#[derive(Deserialize)]
struct Place {
    pointer: String,
    rule: String,
}

fn places<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    let places = Vec::<Place>::deserialize(deserializer)?;
    Ok(places.into_iter().map(|place| (place.pointer, place.rule)).collect())
}

impl Vector {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match (&self.body, &self.body_base64, &self.body_parts) {
            (Some(body), None, None) => body.clone().into_bytes(),
            (None, Some(base64), None) => from_base64(base64),
            (None, None, Some(parts)) => {
                parts.iter().map(|part| part.text.repeat(part.times)).collect::<String>().into()
            }
            _ => panic!("{}: exactly one body", self.name),
        }
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter(|byte| *byte != b'=');
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for digit in digits {
        let value = DIGITS.iter().position(|d| *d == digit).expect("base64");
        bits = bits << 6 | u32::try_from(value).expect("six bits");
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xFF).expect("eight bits"));
        }
    }
    bytes
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/vectors")
}

/// All of them, by name.
pub(crate) fn load() -> Vec<Vector> {
    let mut paths = BTreeMap::new();
    for verdict in ["valid", "invalid"] {
        for kind in std::fs::read_dir(folder().join(verdict)).unwrap() {
            for file in std::fs::read_dir(kind.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                paths.insert(path.clone(), verdict);
            }
        }
    }
    let read = |(path, verdict): (PathBuf, &str)| {
        let vector: Vector = serde_json::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(path.ends_with(format!("{}.json", vector.name)), "{}: is named {}", path.display(), vector.name);
        assert_eq!(vector.accepted, verdict == "valid", "{}", vector.name);
        assert!(!vector.note.is_empty() && !vector.clauses.is_empty(), "{}", vector.name);
        vector
    };
    paths.into_iter().map(read).collect()
}

pub(crate) type Accepted = (String, Vec<(String, String)>);

/// The decoder's verdict: the canonical form and the warnings.
pub(crate) fn decode(vector: &Vector) -> Result<Accepted, ProtocolError> {
    let bytes = vector.bytes();
    let decoder = if vector.mode == "lenient" { Decoder::lenient() } else { Decoder::strict() };
    let of = |document: AnyDocument, prefix: &str| {
        let warnings = document.warnings();
        let warnings =
            warnings.iter().map(|v| (format!("{prefix}{}", v.pointer()), v.rule().id().to_owned())).collect();
        (document.to_json(), warnings)
    };
    match vector.kind.as_str() {
        "cloudevent" => Ok(of(AnyDocument::from_cloud_event(&decoder, &bytes)?, "/data")),
        "stream" => stream(&decoder, &bytes).map(|event| of(AnyDocument::Event(event), "")),
        "traceparent" => {
            let parent: TraceParent = std::str::from_utf8(&bytes).unwrap().parse()?;
            Ok((parent.trace_id().to_string(), Vec::new()))
        }
        kind => {
            let kind = DocumentKind::ALL.iter().find(|known| known.as_str() == kind).expect("a kind of document");
            Ok(of(kind.decode(&decoder, &bytes)?, ""))
        }
    }
}

/// A stream's fields are texts already in this library; the vectors hold them as a JSON object.
fn stream(decoder: &Decoder, bytes: &[u8]) -> Result<AgentEvent, ProtocolError> {
    decoder.decode_stream_json(bytes)
}
