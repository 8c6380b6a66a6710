//! Bodies are bytes, JSON has only text: a body that is text goes as it is, any other in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::object::Mismatch;

/// How a body's bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As the text that they are.
    Utf8,
    /// In base64 (RFC 4648, section 4), with its padding.
    Base64,
}

impl Encoding {
    /// Writes bytes: as text if they are UTF-8, else in base64.
    ///
    /// Text that would grow by more than half is written in base64 too, since JSON takes six
    /// characters for some of its characters: so the size of a line can be told from the sizes of
    /// the bodies in it.
    ///
    /// ```
    /// use workwire_broker::adapter::wire::Encoding;
    /// assert_eq!(Encoding::write("né".into()), ("né".to_owned(), Encoding::Utf8));
    /// assert_eq!(Encoding::write([0xff].as_slice().into()), ("/w==".to_owned(), Encoding::Base64));
    /// ```
    #[must_use]
    pub fn write(body: Bytes) -> (String, Encoding) {
        if !grows(&body) {
            match String::from_utf8(Vec::from(body)) {
                Ok(text) => return (text, Encoding::Utf8),
                Err(other) => return (STANDARD.encode(other.as_bytes()), Encoding::Base64),
            }
        }
        (STANDARD.encode(&body), Encoding::Base64)
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// Says why the text is no base64; `member` is where it stands.
    pub fn read(self, text: String, member: &str) -> Result<Bytes, Mismatch> {
        match self {
            Encoding::Utf8 => Ok(text.into()),
            Encoding::Base64 => match STANDARD.decode(text) {
                Ok(bytes) => Ok(bytes.into()),
                Err(error) => Err(Mismatch::new(member, format!("expected base64 with its padding: {error}"))),
            },
        }
    }
}

/// The most bytes of a line that a body of this length takes.
pub(crate) const fn room(length: usize) -> usize {
    length + length / 2 + SMALL
}

/// By how much any text may grow.
const SMALL: usize = 64;

fn grows(body: &[u8]) -> bool {
    let more: usize = body
        .iter()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 1,
            0..32 => 5,
            _ => 0,
        })
        .sum();
    body.len() + more > room(body.len())
}
