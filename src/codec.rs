//! Bytes to documents and back: the one public door.

use serde_json::value::RawValue;

use crate::channel::ChannelMessage;
use crate::document::Whole;
use crate::envelope::MessageEnvelope;
use crate::error::ProtocolError;
use crate::error_message::ErrorMessage;
use crate::event::AgentEvent;
use crate::field::{Field, impl_json_schema};
use crate::json::{Kind, Limits, Mode, Out, Reader, Walk, open};
use crate::rule::Rule;
use crate::status::StatusUpdate;
use crate::violation::{Path, Violations};
use crate::work::{Step, WorkRequest, WorkResult, WorkStatus};

mod sealed {
    pub trait Sealed: Sized {
        fn decode(decoder: &super::Decoder, bytes: &[u8]) -> Result<Self, crate::ProtocolError>;
        fn encode(&self) -> String;
    }
}

/// A document of the protocol: [`MessageEnvelope`], [`ChannelMessage`], [`AgentEvent`], and the
/// payloads of an envelope by themselves.
pub trait Document: sealed::Sealed {
    /// Reads a document strictly, within the default limits.
    ///
    /// # Errors
    /// Says everything that is wrong with it.
    fn from_slice(bytes: &[u8]) -> Result<Self, ProtocolError> {
        Decoder::strict().decode(bytes)
    }

    /// Reads a document strictly, within the default limits.
    ///
    /// # Errors
    /// Says everything that is wrong with it.
    fn from_json(text: &str) -> Result<Self, ProtocolError> {
        Decoder::strict().decode(text.as_bytes())
    }

    /// Writes the canonical form.
    fn to_json(&self) -> String {
        self.encode()
    }
}

/// How to read documents: strictly or leniently, and up to which size.
///
/// ```
/// use workwire::{Decoder, Limits, WorkRequest};
/// let text = r#"{"task_id": "0190a3c4-0000-7000-8000-000000000001", "work_type": "echo", "colour": "red"}"#;
/// let error = Decoder::strict().decode::<WorkRequest>(text.as_bytes()).unwrap_err();
/// assert_eq!(error.to_string(), "/colour: not a field of this version (FLD-2)");
/// assert!(Decoder::lenient().decode::<WorkRequest>(text.as_bytes()).is_ok());
/// let small = Decoder::strict().with_limits(Limits::default().with_max_bytes(16));
/// assert!(small.decode::<WorkRequest>(text.as_bytes()).unwrap_err().is_too_large());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decoder {
    lenient: bool,
    limits: Limits,
}

impl Decoder {
    /// Refuses fields that are not known. The default.
    #[must_use]
    pub fn strict() -> Self {
        Decoder::default()
    }

    /// Drops fields that are not known, and takes event types in any case.
    #[must_use]
    pub fn lenient() -> Self {
        Decoder { lenient: true, ..Decoder::default() }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Decoder { limits, ..self }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// Says everything that is wrong with it: one violation for bytes that are no JSON, else up to
    /// the first hundred of them and how many there are.
    pub fn decode<D: Document>(&self, bytes: &[u8]) -> Result<D, ProtocolError> {
        D::decode(self, bytes)
    }

    /// Reads an envelope, and keeps the output of a result in the bytes.
    pub(crate) fn decode_lending(
        self,
        bytes: &[u8],
    ) -> Result<(MessageEnvelope, Option<std::borrow::Cow<'_, str>>), ProtocolError> {
        let text = open(bytes, self.limits)?;
        let mut reader = Reader::new(text, self.mode(Some("protocol_version")));
        reader.ask_to_lend();
        let envelope = finish(whole(&mut reader), &mut reader)?;
        Ok((envelope, reader.take_lent()))
    }

    pub(crate) fn mode(self, version_field: Option<&'static str>) -> Mode {
        Mode { lenient: self.lenient, max_depth: self.limits.max_depth(), version_field }
    }

    pub(crate) fn is_lenient(self) -> bool {
        self.lenient
    }

    pub(crate) fn limits(self) -> Limits {
        self.limits
    }
}

fn decode<T: Field>(
    decoder: Decoder,
    bytes: &[u8],
    version_field: Option<&'static str>,
    level: u32,
) -> Result<T, ProtocolError> {
    let text = open(bytes, decoder.limits)?;
    let mut mode = decoder.mode(version_field);
    // A payload is read by itself as deep as it may stand in its envelope.
    mode.max_depth = mode.max_depth.saturating_sub(level - 1);
    let mut reader = Reader::new(text, mode);
    finish(whole(&mut reader), &mut reader)
}

/// A document that broke no rule, or why there is none.
fn finish<T>(walked: Walk<Option<T>>, reader: &mut Reader<'_>) -> Result<T, ProtocolError> {
    match walked {
        Ok(Some(document)) if reader.report.is_empty() => Ok(document),
        Ok(_) => Err(ProtocolError::refused(std::mem::take(&mut reader.report).finish())),
        Err(syntax) => Err(syntax.into_error(reader.source().as_bytes())),
    }
}

/// The root, and nothing behind it.
fn whole<T: Field>(reader: &mut Reader<'_>) -> Walk<Option<T>> {
    let document = if reader.kind()? == Kind::Object {
        T::read(reader, &Path::Root)?
    } else {
        let start = reader.offset();
        reader.pass(&Path::Root)?;
        reader.refuse(start, &Path::Root, Rule::Jsn10, "an object");
        None
    };
    reader.end()?;
    Ok(document)
}

fn encode<T: Field>(document: &T) -> String {
    let mut out = Out::with_capacity(document.room());
    document.write(&mut out);
    out.into_text()
}

pub(crate) fn serialize_text<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::Serialize;
    RawValue::from_string(text.to_owned()).map_err(serde::ser::Error::custom)?.serialize(serializer)
}

pub(crate) fn deserialize_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Box<RawValue>, D::Error> {
    serde::Deserialize::deserialize(deserializer)
}

macro_rules! documents {
    ($($Type:ident $version_field:expr, $level:expr;)*) => {$(
        impl sealed::Sealed for $Type {
            fn decode(decoder: &Decoder, bytes: &[u8]) -> Result<Self, ProtocolError> {
                decode(*decoder, bytes, $version_field, $level)
            }

            fn encode(&self) -> String {
                encode(self)
            }
        }

        impl Document for $Type {}

        impl $Type {
            /// Reads a document strictly, within the default limits.
            ///
            /// # Errors
            /// Says everything that is wrong with it.
            pub fn from_json(text: &str) -> Result<Self, ProtocolError> {
                Document::from_json(text)
            }

            /// Reads a document strictly, within the default limits.
            ///
            /// # Errors
            /// Says everything that is wrong with it.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, ProtocolError> {
                Document::from_slice(bytes)
            }

            /// Writes the canonical form.
            #[must_use]
            pub fn to_json(&self) -> String {
                Document::to_json(self)
            }
        }

        /// As raw JSON text: for `serde_json`, which alone carries it without loss.
        impl serde::Serialize for $Type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serialize_text(&self.to_json(), serializer)
            }
        }

        /// From raw JSON text, strictly: for `serde_json`, which alone carries it without loss.
        impl<'de> serde::Deserialize<'de> for $Type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::from_json(deserialize_text(deserializer)?.get()).map_err(serde::de::Error::custom)
            }
        }

        impl std::str::FromStr for $Type {
            type Err = ProtocolError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::from_json(text)
            }
        }

        impl_json_schema!($Type);
    )*};
}

documents! {
    MessageEnvelope Some("protocol_version"), 1;
    ChannelMessage Some("version"), ChannelMessage::LEVEL;
    AgentEvent Some("version"), AgentEvent::LEVEL;
    WorkRequest None, WorkRequest::LEVEL;
    WorkStatus None, WorkStatus::LEVEL;
    Step None, Step::LEVEL;
    WorkResult None, WorkResult::LEVEL;
    StatusUpdate None, StatusUpdate::LEVEL;
    ErrorMessage None, ErrorMessage::LEVEL;
}

/// One of the three documents that travel by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// [`MessageEnvelope`].
    Envelope,
    /// [`ChannelMessage`].
    Channel,
    /// [`AgentEvent`].
    Event,
}

impl DocumentKind {
    /// All of them.
    pub const ALL: &'static [DocumentKind] = &[DocumentKind::Envelope, DocumentKind::Channel, DocumentKind::Event];

    /// Its name in commands and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            DocumentKind::Envelope => "envelope",
            DocumentKind::Channel => "channel",
            DocumentKind::Event => "event",
        }
    }

    /// Reads bytes as such a document.
    ///
    /// # Errors
    /// Says everything that is wrong with it.
    pub fn decode(self, decoder: &Decoder, bytes: &[u8]) -> Result<AnyDocument, ProtocolError> {
        Ok(match self {
            DocumentKind::Envelope => AnyDocument::Envelope(decoder.decode(bytes)?),
            DocumentKind::Channel => AnyDocument::Channel(decoder.decode(bytes)?),
            DocumentKind::Event => AnyDocument::Event(decoder.decode(bytes)?),
        })
    }
}

impl std::str::FromStr for DocumentKind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = DocumentKind::ALL.iter().copied();
        known.clone().find(|kind| kind.as_str() == name).ok_or_else(|| UnknownKind(name.chars().take(40).collect()))
    }
}

/// The text names no kind of document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKind(String);

impl std::fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "expected envelope, channel or event, found {:?}", self.0)
    }
}

impl std::error::Error for UnknownKind {}

impl std::fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Any of the three documents.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "made once a message, and taken apart at once")]
pub enum AnyDocument {
    /// A task message.
    Envelope(MessageEnvelope),
    /// A channel message.
    Channel(ChannelMessage),
    /// An event.
    Event(AgentEvent),
}

impl From<MessageEnvelope> for AnyDocument {
    fn from(document: MessageEnvelope) -> Self {
        AnyDocument::Envelope(document)
    }
}

impl From<ChannelMessage> for AnyDocument {
    fn from(document: ChannelMessage) -> Self {
        AnyDocument::Channel(document)
    }
}

impl From<AgentEvent> for AnyDocument {
    fn from(document: AgentEvent) -> Self {
        AnyDocument::Event(document)
    }
}

impl AnyDocument {
    /// Which it is.
    #[must_use]
    pub const fn kind(&self) -> DocumentKind {
        match self {
            AnyDocument::Envelope(_) => DocumentKind::Envelope,
            AnyDocument::Channel(_) => DocumentKind::Channel,
            AnyDocument::Event(_) => DocumentKind::Event,
        }
    }

    /// Writes the canonical form.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            AnyDocument::Envelope(document) => document.to_json(),
            AnyDocument::Channel(document) => document.to_json(),
            AnyDocument::Event(document) => document.to_json(),
        }
    }

    /// What it should not do, though it may.
    #[must_use]
    pub fn warnings(&self) -> Violations {
        match self {
            AnyDocument::Envelope(document) => document.warnings(),
            AnyDocument::Channel(document) => document.warnings(),
            AnyDocument::Event(_) => Violations::default(),
        }
    }
}
