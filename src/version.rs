//! Versions of the protocol, `MAJOR.MINOR`.

use std::fmt;

use serde_json::{Value, json};

use crate::error::ProtocolError;
use crate::field::{Field, Refusal, impl_json_schema, read_text, refusal};
use crate::json::{Out, Reader, Walk};
use crate::rule::Rule;
use crate::schema::Form;
use crate::violation::Path;

/// The minor version whose fields this library knows.
const KNOWN_MINOR: u32 = 0;

/// The version of a document: always major version 1.
///
/// ```
/// use workwire::Version;
/// assert_eq!(Version::default().to_string(), "1.0");
/// assert!("1.7".parse::<Version>()?.is_later());
/// assert!("2.0".parse::<Version>().is_err());
/// # Ok::<(), workwire::ProtocolError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Version {
    minor: u32,
}

impl Version {
    /// The version that this library speaks, 1.0.
    pub const CURRENT: Version = Version { minor: KNOWN_MINOR };

    /// The major version, 1.
    #[must_use]
    pub const fn major(self) -> u32 {
        1
    }

    /// The minor version.
    #[must_use]
    pub const fn minor(self) -> u32 {
        self.minor
    }

    /// Whether it may hold fields that this library does not know.
    #[must_use]
    pub const fn is_later(self) -> bool {
        self.minor > KNOWN_MINOR
    }
}

const FORM: Refusal = refusal(Rule::Ver1, "MAJOR.MINOR, each up to nine digits without a leading zero");
const MAJOR: Refusal = refusal(Rule::Ver2, "major version 1");

fn number(text: &str) -> Option<u32> {
    let plain = (1..=9).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

fn parse(text: &str) -> Result<Version, Refusal> {
    let (major, minor) =
        text.split_once('.').and_then(|(major, minor)| Some((number(major)?, number(minor)?))).ok_or(FORM)?;
    if major == 1 { Ok(Version { minor }) } else { Err(MAJOR) }
}

/// Whether a text is a version in which unknown fields are no mistake.
pub(crate) fn is_later_minor(text: &str) -> bool {
    parse(text).is_ok_and(Version::is_later)
}

impl std::str::FromStr for Version {
    type Err = ProtocolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(|broken| ProtocolError::value(broken.rule, broken.expected, &format!("{text:?}")))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("1.{}", self.minor))
    }
}

impl serde::Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl_json_schema!(Version);

impl Field for Version {
    fn read(reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<Option<Self>> {
        read_text(reader, at, |text| parse(&text))
    }

    fn write(&self, out: &mut Out) {
        out.raw("\"1.");
        out.integer(i64::from(self.minor));
        out.raw("\"");
    }

    fn schema(_: Form) -> Value {
        json!({
            "type": "string",
            "description": "The version of the protocol, MAJOR.MINOR. A later minor version may hold more fields.",
            "pattern": "^1\\.(?:0|[1-9][0-9]{0,8})$",
            "examples": ["1.0"]
        })
    }
}
