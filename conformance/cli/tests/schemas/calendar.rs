//! The pattern of timestamps knows the calendar, day by day.

use std::str::FromStr;

use serde_json::Value;
use workwire::Timestamp;

use super::files::schema;
use super::judges::compile;

/// Puts every text to the type and to its schema.
fn compare(texts: impl Iterator<Item = String>) {
    let schema = compile(&schema("event.json")["properties"]["timestamp"]);
    let mut verdicts = [0, 0];
    for text in texts {
        let accepted = Timestamp::from_str(&text).is_ok();
        verdicts[usize::from(accepted)] += 1;
        assert_eq!(schema.is_valid(&Value::from(text.as_str())), accepted, "{text}");
    }
    assert!(verdicts.iter().all(|count| *count > 10), "both verdicts: {verdicts:?}");
}

#[test]
fn every_year_has_its_leap_day_or_none() {
    compare((0..=9999).map(|year| format!("{year:04}-02-29T00:00:00Z")));
}

#[test]
fn every_month_has_its_days() {
    let years = [0, 1, 4, 100, 400, 1900, 2000, 2023, 2024, 9999];
    compare(years.into_iter().flat_map(|year| {
        (0..=13).flat_map(move |month| (0..=32).map(move |day| format!("{year:04}-{month:02}-{day:02}T12:00:00")))
    }));
}

#[test]
fn every_clock_and_zone_has_its_bounds() {
    compare((0..=99).flat_map(|number| {
        let digits = "1".repeat(number);
        [
            format!("2026-03-01T{number:02}:00:00Z"),
            format!("2026-03-01T00:{number:02}:00Z"),
            format!("2026-03-01T00:00:{number:02}Z"),
            format!("2026-03-01T00:00:00+{number:02}:00"),
            format!("2026-03-01T00:00:00-00:{number:02}"),
            format!("2026-03-01T00:00:00.{digits}Z"),
        ]
    }));
}

#[test]
fn every_character_in_every_place() {
    const RIGHT: &str = "2026-03-01T09:30:00.25+05:30";
    let others = (0..=0xFFu32).filter_map(char::from_u32).chain("\u{2028}\u{2212}３\u{1D7D7}".chars());
    compare(
        others.flat_map(|other| (0..RIGHT.len()).map(move |at| format!("{}{other}{}", &RIGHT[..at], &RIGHT[at + 1..]))),
    );
}
