//! Reading messages of the wire protocol, for adapters in front of a codec.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};
use workwire::{Decoder, Document, DocumentKind, ProtocolError};

use super::body::Encoding;
use super::object;

/// Reads a message strictly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decode {
    /// As what it is read.
    #[serde(deserialize_with = "object::word")]
    pub kind: Kind,
    /// Its bytes.
    pub body: String,
    /// How they are written.
    #[serde(deserialize_with = "object::word")]
    pub encoding: Encoding,
}

/// A kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A task message between an orchestrator and its agents.
    Envelope,
    /// A message between agents on a named channel.
    Channel,
    /// An event of a tenant.
    Event,
}

impl From<DocumentKind> for Kind {
    fn from(kind: DocumentKind) -> Self {
        match kind {
            DocumentKind::Envelope => Kind::Envelope,
            DocumentKind::Channel => Kind::Channel,
            DocumentKind::Event => Kind::Event,
        }
    }
}

/// What reading it gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// A message.
    Accepted {
        /// The message as a writer makes it.
        canonical: String,
    },
    /// None.
    Refused {
        /// All that is wrong with it.
        violations: Vec<Violation>,
    },
}

/// What is wrong at one place of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Violation {
    /// The place, as a JSON Pointer.
    pub pointer: String,
    /// The rule's id.
    pub rule: String,
    /// What was expected, and what was found.
    pub message: String,
}

impl Decoded {
    /// Reads a message as this project does.
    #[must_use]
    pub fn of(kind: Kind, body: &[u8]) -> Self {
        fn canonical<D: Document>(body: &[u8]) -> Result<String, ProtocolError> {
            Decoder::strict().decode::<D>(body).map(|document| document.to_json())
        }
        let canonical = match kind {
            Kind::Envelope => canonical::<workwire::MessageEnvelope>(body),
            Kind::Channel => canonical::<workwire::ChannelMessage>(body),
            Kind::Event => canonical::<workwire::AgentEvent>(body),
        };
        match canonical {
            Ok(canonical) => Decoded::Accepted { canonical },
            Err(error) => Decoded::Refused {
                violations: error
                    .violations()
                    .iter()
                    .map(|violation| Violation {
                        pointer: violation.pointer().to_owned(),
                        rule: violation.rule().id().to_owned(),
                        message: violation.message(),
                    })
                    .collect(),
            },
        }
    }
}

/// As it is written: `accepted` says which of the others is there.
#[derive(Serialize, Deserialize)]
struct Written {
    accepted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    canonical: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_list")]
    violations: Option<Vec<Violation>>,
}

fn some_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Violation>>, D::Error> {
    object::list(deserializer).map(Some)
}

impl Serialize for Decoded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match self {
            Decoded::Accepted { canonical } => {
                Written { accepted: true, canonical: Some(canonical.clone()), violations: None }
            }
            Decoded::Refused { violations } => {
                Written { accepted: false, canonical: None, violations: Some(violations.clone()) }
            }
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written { accepted: true, canonical: Some(canonical), .. } => Ok(Decoded::Accepted { canonical }),
            Written { accepted: false, violations: Some(violations), .. } => Ok(Decoded::Refused { violations }),
            Written { accepted: true, .. } => Err(D::Error::missing_field("canonical")),
            Written { accepted: false, .. } => Err(D::Error::missing_field("violations")),
        }
    }
}

impl JsonSchema for Decoded {
    fn schema_name() -> Cow<'static, str> {
        "Decoded".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let violations = generator.subschema_for::<Vec<Violation>>();
        json_schema!({
            "oneOf": [
                {
                    "description": "It is a message.",
                    "type": "object",
                    "required": ["accepted", "canonical"],
                    "properties": {
                        "accepted": {"const": true},
                        "canonical": {"description": "The message as a writer makes it.", "type": "string"}
                    }
                },
                {
                    "description": "It is none.",
                    "type": "object",
                    "required": ["accepted", "violations"],
                    "properties": {"accepted": {"const": false}, "violations": violations}
                }
            ]
        })
    }
}
