//! Reading JSON text into a type, so that what does not fit is told by the member that it stands in.
//!
//! An object is an object here. What serde derives for a struct also takes an array of its members
//! in their order, which no schema says.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::value::StrDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_path_to_error::{Path, Segment, Track};

/// Text that is not what it must be: where, and what was expected and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    member: String,
    why: String,
    syntax: bool,
}

impl Mismatch {
    /// A value that is wrong beyond its type.
    #[must_use]
    pub fn new(member: impl Into<String>, why: impl Into<String>) -> Self {
        Mismatch { member: member.into(), why: why.into(), syntax: false }
    }

    /// The member, as a path from the object that was read: `deliveries[0].tag`. Empty for the
    /// object itself.
    #[must_use]
    pub fn member(&self) -> &str {
        &self.member
    }

    /// Whether the text is no JSON at all.
    #[must_use]
    pub fn is_syntax(&self) -> bool {
        self.syntax
    }

    /// The same, seen from where the object is the member `name`.
    #[must_use]
    pub fn under(self, name: &str) -> Self {
        Mismatch { member: join(name, &self.member), ..self }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.member.is_empty() {
            write!(f, "{}: ", self.member)?;
        }
        f.write_str(&self.why)
    }
}

impl std::error::Error for Mismatch {}

fn join(outer: &str, inner: &str) -> String {
    match (outer, inner) {
        ("", _) => inner.to_owned(),
        (_, "") => outer.to_owned(),
        _ if inner.starts_with('[') => format!("{outer}{inner}"),
        _ => format!("{outer}.{inner}"),
    }
}

/// Reads a text that is one object, and nothing behind it.
///
/// ```
/// use workwire_broker::adapter::wire::{Extend, read};
/// let text = r#"{"client": "a", "queue": {"name": "tasks"}, "tag": 7, "lease_ms": 500, "colour": "red"}"#;
/// let mismatch = read::<Extend>(text).unwrap_err();
/// assert_eq!(mismatch.to_string(), "tag: invalid type: integer `7`, expected a string");
/// ```
///
/// # Errors
/// Says which member is missing or is not what it must be, or why the text is no JSON.
pub fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Mismatch> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = object(&mut json).and_then(|value| json.end().map(|()| value));
    // Keeping track of the path takes time, which only what is refused has to take.
    value.map_err(|error| mismatch::<T>(text, &error))
}

fn mismatch<'de, T: Deserialize<'de>>(text: &'de str, error: &serde_json::Error) -> Mismatch {
    // The reading may have ended before the text was no JSON any more.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return Mismatch { member: String::new(), why: error.to_string(), syntax: true };
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    // The second reading fails where the first did.
    let _: Result<T, _> = object(tracked);
    let member = path(&track.path());
    let words = error.to_string();
    let why = words.rsplit_once(" at line ").map_or(&*words, |(why, _)| why);
    match why.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        Some(missing) => Mismatch::new(join(&member, missing), "missing"),
        None => Mismatch::new(member, why),
    }
}

fn path(path: &Path) -> String {
    path.iter().fold(String::new(), |path, segment| match segment {
        Segment::Seq { index } => format!("{path}[{index}]"),
        Segment::Map { key } => join(&path, key),
        Segment::Enum { .. } | Segment::Unknown => path,
    })
}

/// For a member that is an object.
pub(super) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(Object(PhantomData))
}

/// For a member that is an object or `null`, or is not there.
pub(super) fn optional<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_option(Optional(PhantomData))
}

/// For a member that is a list of objects.
pub(super) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(List(Object(PhantomData)))
}

/// For a member that is one of several words.
pub(super) fn word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_str(Word(PhantomData))
}

/// For a member that is a list of words.
pub(super) fn words<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(List(Word(PhantomData)))
}

struct Object<T>(PhantomData<T>);

impl<T> Clone for Object<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Object<T> {}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Object<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        object(deserializer)
    }
}

struct Optional<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Optional<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or null")
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_none<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        object(deserializer).map(Some)
    }
}

struct Word<T>(PhantomData<T>);

impl<T> Clone for Word<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Word<T> {}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Word<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::deserialize(StrDeserializer::new(text))
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Word<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        word(deserializer)
    }
}

/// A list of what `S` reads.
struct List<S>(S);

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for List<S> {
    type Value = Vec<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.0)? {
            list.push(item);
        }
        Ok(list)
    }
}
