//! Ids: each kind a type of its own, so that a task's cannot stand where a trace's belongs.

use serde_json::json;
use uuid::Uuid;

use crate::field::{Refusal, refusal};
use crate::rule::Rule;

const HYPHENATED: Refusal = refusal(Rule::Uid1, "a UUID with hyphens, 8-4-4-4-12 hexadecimal digits");

pub(crate) const NO_CONTROL: Refusal = refusal(Rule::Txt1, "no control character");

/// The hyphenated form alone; `uuid` itself takes braces, bare digits and `urn:uuid:` too.
pub(crate) fn parse(text: &str) -> Result<Uuid, Refusal> {
    // Of the forms that it takes, only the hyphenated one has 36 bytes.
    if text.len() == 36
        && let Ok(uuid) = Uuid::try_parse(text)
    {
        return Ok(uuid);
    }
    Err(if text.chars().any(char::is_control) { NO_CONTROL } else { HYPHENATED })
}

pub(crate) fn schema() -> serde_json::Value {
    json!({
        "type": "string",
        "pattern": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
        "examples": ["01890a5d-ac96-774b-bcce-b302099a8057"]
    })
}

macro_rules! uuid_value {
    ($(#[doc = $doc:literal])+ $Name:ident, $make:ident, $made:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $Name(Uuid);

        impl $Name {
            #[doc = $made]
            #[must_use]
            #[allow(clippy::new_without_default, reason = "a default that differs each time surprises")]
            pub fn new() -> Self {
                $Name(Uuid::$make())
            }

            /// Takes any UUID, whatever its version.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                $Name(uuid)
            }

            /// The UUID itself.
            #[must_use]
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl From<Uuid> for $Name {
            fn from(uuid: Uuid) -> Self {
                $Name(uuid)
            }
        }

        impl From<$Name> for Uuid {
            fn from(id: $Name) -> Uuid {
                id.0
            }
        }

        impl ::std::str::FromStr for $Name {
            type Err = $crate::ProtocolError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                parse(text).map($Name).map_err(|broken| {
                    $crate::ProtocolError::value(broken.rule, broken.expected, &format!("{text:?}"))
                })
            }
        }

        impl ::std::fmt::Display for $Name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl ::std::fmt::Debug for $Name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, concat!(stringify!($Name), "({})"), self.0)
            }
        }

        impl ::serde::Serialize for $Name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $Name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str> as ::serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }

        impl $crate::field::Field for $Name {
            fn read(
                reader: &mut $crate::json::Reader<'_>,
                at: &$crate::violation::Path<'_>,
            ) -> $crate::json::Walk<Option<Self>> {
                if let Some(uuid) = reader.uuid() {
                    return Ok(Some($Name(uuid)));
                }
                $crate::field::read_text(reader, at, |text| parse(&text).map($Name))
            }

            fn write(&self, out: &mut $crate::json::Out) {
                out.plain(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
            }

            fn schema(_: $crate::schema::Form) -> ::serde_json::Value {
                $crate::schema::described(schema(), &[$($doc),+])
            }
        }

        $crate::field::impl_json_schema!($Name);
    };
}

uuid_value! {
    /// Unique to one message.
    MessageId, now_v7, "Makes a fresh one (version 7, so they sort by time)."
}
uuid_value! {
    /// Unique to one task.
    TaskId, now_v7, "Makes a fresh one (version 7, so they sort by time)."
}
uuid_value! {
    /// One per flow from end to end; every message of the flow carries it.
    TraceId, new_v4, "Makes a fresh one (version 4)."
}
uuid_value! {
    /// One per request; the results carry it, and a repeated request is known by it.
    RequestId, now_v7, "Makes a fresh one (version 7, so they sort by time)."
}
uuid_value! {
    /// One agent, as long as it runs.
    AgentId, now_v7, "Makes a fresh one (version 7, so they sort by time)."
}
uuid_value! {
    /// Unique to one event.
    EventId, now_v7, "Makes a fresh one (version 7, so they sort by time)."
}
