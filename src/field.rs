//! How a value of a field is read, written and described: one trait, and the macros that make a
//! checked value of each kind from one table of what it is.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::free::FreeObject;
use crate::json::{Kind, Out, Reader, Walk, Whole, levels};
use crate::rule::Rule;
use crate::schema::Form;
use crate::violation::Path;

/// A type that can stand in a field of a document.
pub(crate) trait Field: Sized {
    /// Reads the value that comes next. Nothing, and a report, if it is refused.
    fn read(reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<Option<Self>>;

    /// Writes the canonical form.
    fn write(&self, out: &mut Out);

    /// About how many bytes the canonical form takes, with the key and the punctuation around it.
    fn room(&self) -> usize {
        64
    }

    /// How many levels of objects and arrays are in it.
    fn depth(&self) -> u32 {
        0
    }

    /// The JSON Schema of the value.
    fn schema(form: Form) -> Value;
}

/// Reads a text and checks it.
pub(crate) fn read_text<T>(
    reader: &mut Reader<'_>,
    at: &Path<'_>,
    check: impl FnOnce(Cow<'_, str>) -> Result<T, Refusal>,
) -> Walk<Option<T>> {
    if reader.kind()? != Kind::String {
        reader.mismatch(at, "a string")?;
        return Ok(None);
    }
    let start = reader.offset();
    let text = reader.string()?;
    match check(text) {
        Ok(value) => Ok(Some(value)),
        Err(refusal) => {
            reader.refuse(start, at, refusal.rule, refusal.expected);
            Ok(None)
        }
    }
}

/// The rule that a value breaks, and what the rule asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal {
    pub(crate) rule: Rule,
    pub(crate) expected: &'static str,
}

pub(crate) const fn refusal(rule: Rule, expected: &'static str) -> Refusal {
    Refusal { rule, expected }
}

/// The range and the rule of an integer field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IntegerRange {
    pub(crate) min: i64,
    pub(crate) max: i64,
    pub(crate) below: Refusal,
    pub(crate) above: Refusal,
}

/// Integers beyond ±(2^53−1) are not the same in every language.
pub(crate) const MAX_SAFE: i64 = (1 << 53) - 1;

/// Reads an integer by its exact decimal value.
#[allow(clippy::cast_precision_loss, reason = "the bounds lie within 2^53, where every integer is a double")]
pub(crate) fn read_integer(reader: &mut Reader<'_>, at: &Path<'_>, range: &IntegerRange) -> Walk<Option<i64>> {
    if reader.kind()? != Kind::Number {
        reader.mismatch(at, "an integer")?;
        return Ok(None);
    }
    let start = reader.offset();
    let number = reader.number()?;
    let broken = match number.whole() {
        Whole::Exact(value) if value < range.min => range.below,
        Whole::Exact(value) if value > range.max => range.above,
        Whole::Exact(value) => return Ok(Some(value)),
        Whole::Rounded(double) if !double.is_finite() => {
            reader.check_finite(start, number, at);
            return Ok(None);
        }
        Whole::Rounded(double) if double < range.min as f64 => range.below,
        Whole::Rounded(double) if double > range.max as f64 => range.above,
        Whole::Rounded(_) => refusal(Rule::Num2, "an integer, to the last digit"),
        Whole::Broken(_) => refusal(Rule::Num1, "an integer"),
    };
    reader.refuse(start, at, broken.rule, broken.expected);
    Ok(None)
}

impl Field for String {
    fn read(reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<Option<Self>> {
        read_text(reader, at, |text| Ok(text.into_owned()))
    }

    fn write(&self, out: &mut Out) {
        out.string(self);
    }

    fn room(&self) -> usize {
        // Escapes take some more.
        self.len() + self.len() / 8 + 32
    }

    fn schema(_: Form) -> Value {
        json!({"type": "string"})
    }
}

impl Field for FreeObject {
    fn read(reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<Option<Self>> {
        Ok(reader.free_object(at)?.map(FreeObject::from_canonical))
    }

    fn write(&self, out: &mut Out) {
        out.raw(self.as_str());
    }

    fn room(&self) -> usize {
        self.as_str().len() + 32
    }

    fn depth(&self) -> u32 {
        levels(self.as_str())
    }

    fn schema(_: Form) -> Value {
        json!({"type": "object", "additionalProperties": true})
    }
}

/// A list, each item read as its type says.
pub(crate) fn read_list<T: Field>(reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<Option<Vec<T>>> {
    if reader.kind()? != Kind::Array {
        reader.mismatch(at, "an array")?;
        return Ok(None);
    }
    reader.open_array()?;
    let (mut list, mut index, mut first) = (Vec::new(), 0, true);
    while reader.next_item(&mut first)? {
        list.extend(T::read(reader, &at.index(index))?);
        index += 1;
    }
    Ok((list.len() == index).then_some(list))
}

pub(crate) fn write_list<T: Field>(list: &[T], out: &mut Out) {
    out.raw("[");
    for item in list {
        out.comma();
        item.write(out);
    }
    out.raw("]");
}

/// Gives a value type that is read, written and described by [`Field`] its `JsonSchema`.
macro_rules! impl_json_schema {
    ($($Type:ident)*) => {$(
        impl ::schemars::JsonSchema for $Type {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($Type).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                $crate::schema::of::<$Type>()
            }
        }
    )*};
}
pub(crate) use impl_json_schema;

/// A checked text: a private string that was found right when it was made.
macro_rules! text_value {
    (
        $(#[doc = $doc:literal])+
        $Name:ident, check: $check:path, schema: $schema:expr $(,)?
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $Name(String);

        impl $Name {
            /// Checks the text and keeps it.
            ///
            /// # Errors
            /// Says which rule the text breaks, what was expected and what was found.
            pub fn new(text: impl Into<String>) -> Result<Self, $crate::ProtocolError> {
                let text = text.into();
                match $check(&text) {
                    Ok(()) => Ok($Name(text)),
                    Err(broken) => Err($crate::ProtocolError::value(broken.rule, broken.expected, &format!("{text:?}"))),
                }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl $crate::field::Field for $Name {
            fn read(
                reader: &mut $crate::json::Reader<'_>,
                at: &$crate::violation::Path<'_>,
            ) -> $crate::json::Walk<Option<Self>> {
                $crate::field::read_text(reader, at, |text| $check(&text).map(|()| $Name(text.into_owned())))
            }

            fn write(&self, out: &mut $crate::json::Out) {
                out.string(&self.0);
            }

            fn schema(_: $crate::schema::Form) -> ::serde_json::Value {
                $crate::schema::described($schema, &[$($doc),+])
            }
        }

        $crate::field::text_traits!($Name);
    };
}
pub(crate) use text_value;

/// What every value has that is a text on the wire: parsing, printing, serde.
macro_rules! text_traits {
    ($Name:ident) => {
        impl ::std::str::FromStr for $Name {
            type Err = $crate::ProtocolError;

            fn from_str(text: &str) -> Result<Self, $crate::ProtocolError> {
                $Name::new(text)
            }
        }

        impl TryFrom<&str> for $Name {
            type Error = $crate::ProtocolError;

            fn try_from(text: &str) -> Result<Self, $crate::ProtocolError> {
                $Name::new(text)
            }
        }

        impl TryFrom<String> for $Name {
            type Error = $crate::ProtocolError;

            fn try_from(text: String) -> Result<Self, $crate::ProtocolError> {
                $Name::new(text)
            }
        }

        impl AsRef<str> for $Name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::fmt::Display for $Name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::serde::Serialize for $Name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $Name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str> as ::serde::Deserialize>::deserialize(deserializer)?;
                $Name::new(text).map_err(::serde::de::Error::custom)
            }
        }

        $crate::field::impl_json_schema!($Name);
    };
}
pub(crate) use text_traits;

/// A closed set of words.
macro_rules! word_value {
    (
        $(#[doc = $doc:literal])+
        $Name:ident, rule: $rule:ident, expected: $expected:literal,
        { $($(#[doc = $word_doc:literal])+ $Word:ident = $word:literal,)+ }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $Name { $($(#[doc = $word_doc])+ $Word,)+ }

        impl $Name {
            /// All of them.
            pub const ALL: &'static [$Name] = &[$($Name::$Word,)+];

            /// Takes the word as it is on the wire.
            ///
            /// # Errors
            /// Any other word is refused.
            pub fn new(text: impl AsRef<str>) -> Result<Self, $crate::ProtocolError> {
                let text = text.as_ref();
                Self::from_word(text).ok_or_else(|| {
                    $crate::ProtocolError::value($crate::Rule::$rule, $expected, &format!("{text:?}"))
                })
            }

            pub(crate) fn from_word(text: &str) -> Option<Self> {
                match text {
                    $($word => Some($Name::$Word),)+
                    _ => None,
                }
            }

            /// The word on the wire.
            #[must_use]
            pub const fn as_str(&self) -> &'static str {
                match self { $($Name::$Word => $word,)+ }
            }

            pub(crate) const REFUSAL: $crate::field::Refusal =
                $crate::field::refusal($crate::Rule::$rule, $expected);
        }

        $crate::field::text_traits!($Name);

        impl $Name {
            pub(crate) fn words_schema() -> ::serde_json::Value {
                $crate::schema::described(
                    ::serde_json::json!({"type": "string", "enum": [$($word),+]}),
                    &[$($doc),+],
                )
            }
        }
    };
}
pub(crate) use word_value;

/// Reads, writes and describes a closed set of words the usual way.
macro_rules! word_field {
    ($($Name:ident)*) => {$(
        impl $crate::field::Field for $Name {
            fn read(
                reader: &mut $crate::json::Reader<'_>,
                at: &$crate::violation::Path<'_>,
            ) -> $crate::json::Walk<Option<Self>> {
                $crate::field::read_text(reader, at, |text| $Name::from_word(&text).ok_or($Name::REFUSAL))
            }

            fn write(&self, out: &mut $crate::json::Out) {
                out.plain(self.as_str());
            }

            fn schema(_: $crate::schema::Form) -> ::serde_json::Value {
                $Name::words_schema()
            }
        }
    )*};
}
pub(crate) use word_field;
