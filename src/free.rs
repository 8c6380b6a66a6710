//! Free content: what the protocol carries and does not describe, kept as it came.

use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeOwned;

use crate::error::ProtocolError;
use crate::field::impl_json_schema;
use crate::json::{Frame, Kind, Limits, MAX_DEPTH, Mode, Out, Reader, Walk, open};
use crate::rule::Rule;
use crate::violation::Path;

/// A JSON object of the sender's own: `parameters`, `data`, `payload` of a channel message.
///
/// It nests up to 63 deep, and so fits into a document; it keeps the order of its keys and the spelling of its numbers, and is read on demand into
/// types of the caller's. Two are equal when they would be written the same.
///
/// ```
/// use workwire::FreeObject;
/// let object: FreeObject = r#"{ "amount": 10.50, "id": 12345678901234567890 }"#.parse()?;
/// assert_eq!(object.as_str(), r#"{"amount":10.50,"id":12345678901234567890}"#);
/// let id: u64 = object.get("id").expect("it is there").read()?;
/// assert_eq!(id, 12_345_678_901_234_567_890);
/// assert!(r#"{"a": 1, "\u0061": 2}"#.parse::<FreeObject>().is_err());
/// # Ok::<(), workwire::ProtocolError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct FreeObject {
    /// The canonical text; nothing for the empty object, which most are.
    text: String,
}

impl FreeObject {
    /// The empty object.
    #[must_use]
    pub const fn new() -> Self {
        FreeObject { text: String::new() }
    }

    pub(crate) fn from_canonical(text: String) -> Self {
        if text == "{}" { FreeObject::new() } else { FreeObject { text } }
    }

    /// Makes one from a value of the caller's that serializes to an object, as `serde_json` writes
    /// it: a float that is not finite becomes `null`.
    ///
    /// # Errors
    /// Refuses what is no object, repeats a key, nests too deep or holds a number without bounds.
    pub fn from_value<T: serde::Serialize + ?Sized>(value: &T) -> Result<Self, ProtocolError> {
        serde_json::to_string(value).map_err(ProtocolError::content)?.parse()
    }

    /// Its canonical JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        if self.text.is_empty() { "{}" } else { &self.text }
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Reads it into a type of the caller's.
    ///
    /// # Errors
    /// Says why it does not fit.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ProtocolError> {
        serde_json::from_str(self.as_str()).map_err(ProtocolError::content)
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<FreeValue<'_>> {
        self.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Its members in their order.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, FreeValue<'_>)> {
        Members::of(self.as_str())
    }

    /// The same object with a key set: in its place if it is there, else at the end. The value is
    /// written as [`from_value`](Self::from_value) does.
    ///
    /// # Errors
    /// Refuses a value that does not serialize to strict JSON.
    pub fn with<T: serde::Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<Self, ProtocolError> {
        let value = serde_json::to_string(value).map_err(ProtocolError::content)?;
        let mut out = Out::with_capacity(self.text.len() + key.len() + value.len() + 8);
        let mut found = false;
        out.raw("{");
        for (name, old) in self.iter() {
            let this = name == key;
            found |= this;
            member(&mut out, &name, if this { &value } else { old.as_str() });
        }
        if !found {
            member(&mut out, key, &value);
        }
        out.raw("}");
        out.into_text().parse()
    }

    /// The same object without some keys that hold `null`.
    pub(crate) fn without_nulls(self, keys: &[&str]) -> Self {
        if !self.iter().any(|(name, value)| value.is_null() && keys.contains(&&*name)) {
            return self;
        }
        let mut out = Out::with_capacity(self.text.len());
        out.raw("{");
        for (name, value) in self.iter() {
            if !(value.is_null() && keys.contains(&&*name)) {
                member(&mut out, &name, value.as_str());
            }
        }
        out.raw("}");
        FreeObject::from_canonical(out.into_text())
    }
}

fn member(out: &mut Out, key: &str, value: &str) {
    out.comma();
    out.string(key);
    out.raw(":");
    out.raw(value);
}

/// Reads the whole of a text as one object, strictly, and of any size.
pub(crate) fn parse_object_in(text: &str, mode: Mode) -> Result<FreeObject, ProtocolError> {
    let text = open(text.as_bytes(), Limits::default().with_max_bytes(usize::MAX))?;
    let mut reader = Reader::new(text, mode);
    let object = reader.free_object(&Path::Root).and_then(|object| reader.end().map(|()| object));
    match object {
        Ok(Some(object)) if reader.report.is_empty() => Ok(FreeObject::from_canonical(object)),
        Ok(_) => Err(ProtocolError::refused(reader.report.finish())),
        Err(syntax) => Err(syntax.into_error(text.as_bytes())),
    }
}

impl std::str::FromStr for FreeObject {
    type Err = ProtocolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_object_in(text, Mode { max_depth: MAX_DEPTH - 1, ..Mode::default() })
    }
}

impl fmt::Display for FreeObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for FreeObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FreeObject({})", self.as_str())
    }
}

impl serde::Serialize for FreeObject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::codec::serialize_text(self.as_str(), serializer)
    }
}

impl<'de> serde::Deserialize<'de> for FreeObject {
    /// From `serde_json` alone, whose raw text it takes: other formats could not keep it as it came.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::codec::deserialize_text(deserializer)?.get().parse().map_err(serde::de::Error::custom)
    }
}

impl_json_schema!(FreeObject);

/// A value inside free content, as text until it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeValue<'a> {
    text: &'a str,
}

impl<'a> FreeValue<'a> {
    /// Its canonical JSON text.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.text
    }

    /// Reads it into a type of the caller's.
    ///
    /// # Errors
    /// Says why it does not fit.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, ProtocolError> {
        serde_json::from_str(self.text).map_err(ProtocolError::content)
    }

    /// The string that it is.
    #[must_use]
    pub fn as_text(self) -> Option<Cow<'a, str>> {
        let mut reader = Reader::new(self.text, Mode::default());
        if reader.kind().ok()? == Kind::String { reader.string().ok() } else { None }
    }

    /// The nearest double of the number that it is.
    #[must_use]
    pub fn as_number(self) -> Option<f64> {
        let mut reader = Reader::new(self.text, Mode::default());
        if reader.kind().ok()? == Kind::Number { Some(reader.number().ok()?.double()) } else { None }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.text == "null"
    }

    pub(crate) fn is_object(self) -> bool {
        self.text.starts_with('{')
    }

    pub(crate) fn items(self) -> Option<Vec<FreeValue<'a>>> {
        let mut reader = Reader::new(self.text, Mode::default());
        if reader.kind().ok()? != Kind::Array {
            return None;
        }
        reader.open_array().ok()?;
        let (mut items, mut first) = (Vec::new(), true);
        while reader.next_item(&mut first).ok()? {
            let start = reader.offset();
            reader.pass(&Path::Root).ok()?;
            items.push(FreeValue { text: reader.between(start, reader.offset()) });
        }
        Some(items)
    }
}

/// The members of an object's canonical text.
struct Members<'a> {
    reader: Reader<'a>,
    first: bool,
}

impl<'a> Members<'a> {
    fn of(text: &'a str) -> Self {
        let mut reader = Reader::new(text, Mode::default());
        // The text is canonical: it begins with a brace, which depth 64 allows.
        let opened = reader.open_object();
        debug_assert!(opened.is_ok(), "canonical text is an object");
        Members { reader, first: true }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, FreeValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.reader.next_key(&mut self.first).ok()??;
        let start = self.reader.offset();
        self.reader.pass(&Path::Root).ok()?;
        Some((key, FreeValue { text: self.reader.between(start, self.reader.offset()) }))
    }
}

/// What is said of a field that is refused because it is not known.
pub(crate) const UNKNOWN: &str = "not a field of this version";

/// Fields of a document that this version does not know: refused, dropped or kept, as the mode and
/// the document's version say.
#[derive(Default)]
pub(crate) struct Unknown<'a> {
    frame: Option<Frame<'a>>,
    kept: Vec<(String, String)>,
}

impl<'a> Unknown<'a> {
    /// Takes the value of a field that is not known.
    #[cold]
    pub(crate) fn take(&mut self, reader: &mut Reader<'a>, at: &Path<'_>, key: Cow<'a, str>) -> Walk<()> {
        let offset = reader.key_offset();
        let place = at.key(&key);
        let frame = self.frame.get_or_insert_with(|| reader.keys.enter());
        if !reader.keys.insert(frame, &key) {
            reader.repeated(&place);
            return reader.pass(&place);
        }
        if reader.is_later() {
            let value = reader.free_value(&place)?;
            self.kept.push((key.into_owned(), value));
            return Ok(());
        }
        if !reader.mode.lenient {
            reader.report.add(offset, &place, Rule::Fld2, UNKNOWN, None);
        }
        reader.pass(&place)
    }

    /// The fields that were kept, once their object has ended.
    pub(crate) fn finish(self, reader: &mut Reader<'a>) -> Extra {
        if let Some(frame) = &self.frame {
            reader.keys.leave(frame);
        }
        Extra::new(self.kept)
    }
}

/// Fields of a later minor version, kept to be written back.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Extra(Vec<(String, String)>);

impl Extra {
    pub(crate) fn new(fields: Vec<(String, String)>) -> Self {
        Extra(fields)
    }

    pub(crate) fn write(&self, out: &mut Out) {
        for (key, value) in &self.0 {
            member(out, key, value);
        }
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    pub(crate) fn get(&self, key: &str) -> Option<FreeValue<'_>> {
        let (_, text) = self.0.iter().find(|(name, _)| name == key)?;
        Some(FreeValue { text })
    }
}
