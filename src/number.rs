//! Integers with a range, each a type of its own.

use crate::error::ProtocolError;
use crate::field::{IntegerRange, MAX_SAFE, refusal};
use crate::rule::Rule;

macro_rules! integer_value {
    (
        $(#[doc = $doc:literal])+
        $Name:ident($Int:ty), $min:literal to $max:expr, below: $below:expr, above: $above:expr,
        example: $example:literal $(, default: $default:literal)? $(,)?
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $Name($Int);

        impl $Name {
            #[allow(clippy::cast_possible_wrap, clippy::cast_lossless, reason = "the greatest fits an i64")]
            const RANGE: IntegerRange = IntegerRange { min: $min, max: $max as i64, below: $below, above: $above };

            /// The smallest.
            pub const MIN: Self = $Name($min);
            /// The greatest.
            pub const MAX: Self = $Name($max);

            /// Checks the number against the range.
            ///
            /// # Errors
            /// Says the rule, the range and the number found.
            pub fn new(value: $Int) -> Result<Self, $crate::ProtocolError> {
                Self::from_wide(i64::try_from(value).unwrap_or(i64::MAX))
            }

            fn from_wide(value: i64) -> Result<Self, $crate::ProtocolError> {
                let broken = if value < Self::RANGE.min {
                    Self::RANGE.below
                } else if value > Self::RANGE.max {
                    Self::RANGE.above
                } else {
                    return Ok(Self::within(value));
                };
                Err($crate::ProtocolError::value(broken.rule, broken.expected, &value.to_string()))
            }

            /// Of a value that lies in the range, and so in the integer.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
            const fn within(value: i64) -> Self {
                $Name(value as $Int)
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> $Int {
                self.0
            }
        }

        $(impl Default for $Name {
            fn default() -> Self {
                $Name($default)
            }
        })?

        impl $crate::field::Field for $Name {
            fn read(
                reader: &mut $crate::json::Reader<'_>,
                at: &$crate::violation::Path<'_>,
            ) -> $crate::json::Walk<Option<Self>> {
                Ok($crate::field::read_integer(reader, at, &Self::RANGE)?.map(Self::within))
            }

            #[allow(clippy::cast_possible_wrap, clippy::cast_lossless, reason = "the greatest fits an i64")]
            fn write(&self, out: &mut $crate::json::Out) {
                out.integer(self.0 as i64);
            }

            fn schema(_: $crate::schema::Form) -> ::serde_json::Value {
                $crate::schema::described(
                    ::serde_json::json!({
                        "type": "integer", "minimum": Self::RANGE.min, "maximum": Self::RANGE.max, "examples": [$example]
                    }),
                    &[$($doc),+],
                )
            }
        }

        impl TryFrom<$Int> for $Name {
            type Error = $crate::ProtocolError;

            fn try_from(value: $Int) -> Result<Self, Self::Error> {
                $Name::new(value)
            }
        }

        impl From<$Name> for $Int {
            fn from(value: $Name) -> $Int {
                value.0
            }
        }

        impl ::std::str::FromStr for $Name {
            type Err = $crate::ProtocolError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::from_wide(integer_from_text(text)?)
            }
        }

        impl ::std::fmt::Display for $Name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl ::serde::Serialize for $Name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $Name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = deserializer.deserialize_any(AnyInteger)?;
                Self::from_wide(value).map_err(::serde::de::Error::custom)
            }
        }

        $crate::field::impl_json_schema!($Name);
    };
}

/// An integer written as the canonical form writes it.
pub(crate) fn integer_from_text(text: &str) -> Result<i64, ProtocolError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !digits.starts_with('0'));
    if !canonical {
        return Err(ProtocolError::value(Rule::Num1, "an integer", &format!("{text:?}")));
    }
    text.parse().map_err(|_| ProtocolError::value(Rule::Num3, "an integer between -2^53 and 2^53", text))
}

/// An integer in whatever form a format holds it, `3.0` included.
pub(crate) struct AnyInteger;

impl serde::de::Visitor<'_> for AnyInteger {
    type Value = i64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an integer")
    }

    fn visit_i64<E>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<i64, E> {
        Ok(i64::try_from(value).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<i64, E> {
        // Beyond this no integer field has its range, and the cast would not be exact.
        const FAR: f64 = 9_007_199_254_740_992.0;
        #[allow(clippy::cast_possible_truncation, reason = "whole, and within 2^53")]
        if value.fract() == 0.0 && value.abs() <= FAR {
            Ok(value as i64)
        } else {
            Err(E::invalid_value(serde::de::Unexpected::Float(value), &self))
        }
    }
}

integer_value! {
    /// How urgent a task message is: 1 to 5, 5 the most urgent.
    Priority(u8), 1 to 5,
    below: refusal(Rule::Env4, "an integer from 1 to 5"), above: refusal(Rule::Env4, "an integer from 1 to 5"),
    example: 3, default: 3,
}

integer_value! {
    /// How urgent a channel message is: 1 to 10, 10 the most urgent.
    ChannelPriority(u8), 1 to 10,
    below: refusal(Rule::Chn3, "an integer from 1 to 10"), above: refusal(Rule::Chn3, "an integer from 1 to 10"),
    example: 5, default: 5,
}

integer_value! {
    /// How much of a task is done, in percent.
    Percent(u8), 0 to 100,
    below: refusal(Rule::Wst3, "an integer from 0 to 100"), above: refusal(Rule::Wst3, "an integer from 0 to 100"),
    example: 40, default: 0,
}

integer_value! {
    /// The number of a step, counted by the agent.
    StepNumber(u64), 0 to MAX_SAFE.cast_unsigned(),
    below: refusal(Rule::Wst4, "an integer of at least 0"), above: TOO_LARGE,
    example: 2, default: 0,
}

integer_value! {
    /// How long something took, in milliseconds.
    DurationMs(u64), 0 to MAX_SAFE.cast_unsigned(),
    below: refusal(Rule::Wrs5, "an integer of at least 0"), above: TOO_LARGE,
    example: 1250, default: 0,
}

integer_value! {
    /// What the work's program ended with; 0 means success.
    ExitCode(i32), -2_147_483_648 to i32::MAX,
    below: EXIT_CODE, above: EXIT_CODE,
    example: 0, default: 0,
}

const TOO_LARGE: crate::field::Refusal = refusal(Rule::Num3, "an integer of at most 9007199254740991");
const EXIT_CODE: crate::field::Refusal = refusal(Rule::Wrs3, "an integer from -2147483648 to 2147483647");

impl From<std::time::Duration> for DurationMs {
    /// Durations beyond 285 000 years are held at the greatest.
    fn from(duration: std::time::Duration) -> Self {
        DurationMs(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).min(Self::MAX.0))
    }
}
