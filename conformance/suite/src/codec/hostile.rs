//! Bytes made to exhaust their reader. Whatever is answered is right, as long as it is an answer.

use bytes::Bytes;
use workwire_broker::BrokerError;
use workwire_broker::adapter::wire::{Decoded, Kind};

use super::case::Miss;
use super::run::Told;

/// The clause that they show.
pub(super) const CLAUSE: &str = "COD-6";

/// Their names and bytes. Each fits into one line of the adapter protocol.
pub(super) fn inputs() -> Vec<(&'static str, Kind, Bytes)> {
    const MANY: usize = 1 << 20;
    let texts = [
        ("a million opened lists", "[".repeat(MANY)),
        ("a million opened objects", "{\"a\":".repeat(MANY / 5)),
        ("a million closed lists", "]".repeat(MANY)),
        ("a number of a million digits", "1".repeat(MANY)),
        ("a fraction of a million digits", format!("0.{}", "9".repeat(MANY))),
        ("a string of a million escapes", format!("\"{}\"", "\\u0000".repeat(MANY / 6))),
        ("a string that never ends", format!("{{\"type\":\"{}", "x".repeat(MANY))),
        ("a hundred thousand unknown fields", unknown_fields(100_000)),
        ("one key a hundred thousand times", format!("{{{}\"a\":1}}", "\"a\":1,".repeat(100_000))),
        ("a million blanks", " ".repeat(MANY)),
    ];
    let bytes = |(name, text): (&'static str, String)| (name, Kind::Envelope, Bytes::from(text));
    let mut all: Vec<_> = texts.into_iter().map(bytes).collect();
    all.push(("a megabyte of zeros", Kind::Channel, Bytes::from(vec![0; MANY])));
    all.push(("a megabyte of continuation bytes", Kind::Event, Bytes::from(vec![0x80; MANY])));
    all
}

fn unknown_fields(count: usize) -> String {
    let fields: Vec<String> = (0..count).map(|number| format!("\"field_{number}\":0")).collect();
    format!("{{{}}}", fields.join(","))
}

/// None of them is a message.
pub(super) fn judged(name: &str, answer: Result<Decoded, BrokerError>) -> Told {
    let found = match answer {
        Ok(Decoded::Refused { .. }) => return Told::Right,
        Ok(Decoded::Accepted { .. }) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    };
    Told::Wrong(Miss { vector: name.to_owned(), expected: "refused, in bounded time".to_owned(), found })
}
