//! Timestamps: RFC 3339, strictly, and without a zone where the sender meant UTC.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use serde_json::{Value, json};

use crate::error::ProtocolError;
use crate::field::{Field, Refusal, impl_json_schema, read_text, refusal};
use crate::json::{Out, Reader, Walk};
use crate::rule::Rule;
use crate::schema::Form;
use crate::violation::Path;

const FORM: Refusal = refusal(Rule::Tim1, "a timestamp YYYY-MM-DDTHH:MM:SS[.fraction][Z|+HH:MM|-HH:MM]");
const PARTS: Refusal = refusal(Rule::Tim2, "a day and a time that exist");
const YEARS: Refusal = refusal(Rule::Tim3, "a moment in the years 0001 to 9999 of UTC");

/// A moment, to the nanosecond, in the years 0001 to 9999 of UTC.
///
/// ```
/// use workwire::Timestamp;
/// let time: Timestamp = "2024-02-29T23:30:00.50-01:00".parse()?;
/// assert_eq!(time.to_string(), "2024-03-01T00:30:00.500Z");
/// assert_eq!("2024-02-29T12:00:00".parse::<Timestamp>()?.to_string(), "2024-02-29T12:00:00Z");
/// assert!("2023-02-29T12:00:00Z".parse::<Timestamp>().is_err());
/// # Ok::<(), workwire::ProtocolError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// The machine's clock, now.
    #[must_use]
    pub fn now() -> Self {
        Timestamp(Utc::now())
    }

    /// Checks the year of a moment.
    ///
    /// # Errors
    /// Refuses moments outside the years 0001 to 9999, and leap seconds.
    pub fn new(moment: DateTime<Utc>) -> Result<Self, ProtocolError> {
        if moment.nanosecond() >= 1_000_000_000 {
            return Err(ProtocolError::value(PARTS.rule, PARTS.expected, &format!("{moment:?}")));
        }
        match moment.year() {
            1..=9999 => Ok(Timestamp(moment)),
            _ => Err(ProtocolError::value(YEARS.rule, YEARS.expected, &format!("{moment:?}"))),
        }
    }

    /// The moment itself.
    #[must_use]
    pub const fn as_datetime(&self) -> &DateTime<Utc> {
        &self.0
    }

    fn encode<'b>(&self, buffer: &'b mut [u8; 30]) -> &'b str {
        let (date, time) = (self.0.date_naive(), self.0.time());
        // A year of 0001 to 9999 is not negative.
        let parts = [(0, 4, date.year().unsigned_abs()), (5, 2, date.month()), (8, 2, date.day())];
        let clock = [(11, 2, time.hour()), (14, 2, time.minute()), (17, 2, time.second())];
        for (at, width, value) in parts.into_iter().chain(clock) {
            put(buffer, at, width, value);
        }
        for (at, byte) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
            buffer[at] = byte;
        }
        let nanos = time.nanosecond();
        let end = match nanos {
            0 => 19,
            _ if nanos % 1_000_000 == 0 => put_fraction(buffer, 3, nanos / 1_000_000),
            _ if nanos % 1_000 == 0 => put_fraction(buffer, 6, nanos / 1_000),
            _ => put_fraction(buffer, 9, nanos),
        };
        buffer[end] = b'Z';
        // Only ASCII was put there.
        std::str::from_utf8(&buffer[..=end]).unwrap_or_default()
    }
}

fn put_fraction(buffer: &mut [u8; 30], width: usize, value: u32) -> usize {
    buffer[19] = b'.';
    put(buffer, 20, width, value);
    20 + width
}

fn put(buffer: &mut [u8; 30], at: usize, width: usize, mut value: u32) {
    for byte in buffer[at..at + width].iter_mut().rev() {
        // A remainder of a division by ten.
        *byte = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Two digits at `at`, as their value.
fn two(bytes: &[u8], at: usize) -> Option<u32> {
    let digit = |at: usize| bytes.get(at).filter(|b| b.is_ascii_digit()).map(|b| u32::from(b - b'0'));
    Some(digit(at)? * 10 + digit(at + 1)?)
}

fn parse(text: &str) -> Result<Timestamp, Refusal> {
    let (parts, nanos, offset_minutes) = parts(text.as_bytes()).ok_or(FORM)?;
    let [century, year, month, day, hour, minute, second] = parts;
    let year = i32::try_from(century * 100 + year).map_err(|_| PARTS)?;
    let offset = offset_minutes.ok_or(PARTS)?;
    let date = NaiveDate::from_ymd_opt(year, month, day).filter(|_| year > 0).ok_or(PARTS)?;
    let time = NaiveTime::from_hms_nano_opt(hour, minute, second, nanos).ok_or(PARTS)?;
    let moment = NaiveDateTime::new(date, time).and_utc();
    if offset == 0 {
        return Ok(Timestamp(moment));
    }
    moment
        .checked_sub_signed(chrono::TimeDelta::minutes(offset))
        .filter(|moment| (1..=9999).contains(&moment.year()))
        .map(Timestamp)
        .ok_or(YEARS)
}

/// The numbers in a text of the right form: century to second, nanoseconds, and the offset in
/// minutes, which is missing where it does not exist.
fn parts(bytes: &[u8]) -> Option<([u32; 7], u32, Option<i64>)> {
    const PUNCTUATION: [(usize, u8); 5] = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if bytes.len() < 19 || PUNCTUATION.iter().any(|&(at, byte)| bytes[at] != byte) {
        return None;
    }
    let mut parts = [0; 7];
    for (part, at) in parts.iter_mut().zip([0, 2, 5, 8, 11, 14, 17]) {
        *part = two(bytes, at)?;
    }
    let mut rest = &bytes[19..];
    let mut nanos = 0;
    if let Some((b'.', fraction)) = rest.split_first() {
        let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        // Nine digits at most: below 10^9.
        nanos = fraction[..digits].iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        nanos *= 10u32.pow(9 - u32::try_from(digits).ok()?);
        rest = &fraction[digits..];
    }
    let offset = match *rest {
        [] | [b'Z'] => Some(0),
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (two(rest, 1)?, two(rest, 4)?);
            let offset = i64::from(hours * 60 + minutes);
            (hours < 24 && minutes < 60).then_some(if sign == b'-' { -offset } else { offset })
        }
        _ => return None,
    };
    Some((parts, nanos, offset))
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.encode(&mut [0; 30]))
    }
}

impl std::str::FromStr for Timestamp {
    type Err = ProtocolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(|broken| ProtocolError::value(broken.rule, broken.expected, &format!("{text:?}")))
    }
}

impl TryFrom<DateTime<Utc>> for Timestamp {
    type Error = ProtocolError;

    fn try_from(moment: DateTime<Utc>) -> Result<Self, Self::Error> {
        Timestamp::new(moment)
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.encode(&mut [0; 30]))
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl_json_schema!(Timestamp);

/// Days that exist, in years that are leap years or not.
fn pattern() -> String {
    let days_31 = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])";
    let days_30 = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)";
    let february = "02-(?:0[1-9]|1[0-9]|2[0-8])";
    let year = "(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})";
    let leap_year = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)";
    let clock = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?";
    let zone = "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?";
    format!("^(?:{year}-(?:{days_31}|{days_30}|{february})|{leap_year}-02-29)T{clock}{zone}$")
}

impl Field for Timestamp {
    fn read(reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<Option<Self>> {
        read_text(reader, at, |text| parse(&text))
    }

    fn write(&self, out: &mut Out) {
        out.plain(self.encode(&mut [0; 30]));
    }

    fn schema(_: Form) -> Value {
        json!({
            "type": "string",
            "description": "A moment: an RFC 3339 date-time with `T` and `Z` in upper case and up to 9 fraction digits; without a zone it is UTC.",
            "pattern": pattern(),
            "examples": ["2026-03-01T09:30:00.250Z"]
        })
    }
}
