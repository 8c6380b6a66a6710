//! Timestamps: what is taken, and how it is written.

use chrono::{DateTime, TimeZone, Utc};
use workwire::Timestamp;

use crate::bodies::{places, request};

fn written(text: &str) -> String {
    let by_parsing = text.parse::<Timestamp>().unwrap_or_else(|error| panic!("{error}")).to_string();
    let in_a_message = request().with("/timestamp", text).read().timestamp().to_string();
    assert_eq!(in_a_message, by_parsing);
    by_parsing
}

#[track_caller]
fn refused(rule: &str, texts: &[&str]) {
    for text in texts {
        request().with("/timestamp", *text).breaks(&[("/timestamp", rule)]);
        assert_eq!(places(&text.parse::<Timestamp>().unwrap_err()), [("", rule)], "{text}");
    }
}

#[test]
fn timestamp_without_zone() {
    assert_eq!(written("2026-03-01T09:30:00"), "2026-03-01T09:30:00Z");
    assert_eq!(written("2026-03-01T09:30:00.123456"), "2026-03-01T09:30:00.123456Z");
}

#[test]
fn timestamp_with_z() {
    assert_eq!(written("2026-03-01T09:30:00Z"), "2026-03-01T09:30:00Z");
}

#[test]
fn timestamp_with_offset_is_written_in_utc() {
    assert_eq!(written("2026-03-01T00:30:00+01:00"), "2026-02-28T23:30:00Z");
    assert_eq!(written("2024-02-28T23:30:00-01:00"), "2024-02-29T00:30:00Z");
    assert_eq!(written("2026-03-01T09:30:00-00:00"), "2026-03-01T09:30:00Z");
    assert_eq!(written("2026-03-01T09:30:00+23:59"), "2026-02-28T09:31:00Z");
}

#[test]
fn timestamp_has_0_3_6_or_9_fraction_digits() {
    let fractions = [
        (".0", ""),
        (".000000000", ""),
        (".5", ".500"),
        (".050", ".050"),
        (".1230", ".123"),
        (".1234", ".123400"),
        (".1234560", ".123456"),
        (".1234567", ".123456700"),
        (".000000001", ".000000001"),
    ];
    for (given, expected) in fractions {
        assert_eq!(written(&format!("2026-03-01T09:30:00{given}Z")), format!("2026-03-01T09:30:00{expected}Z"));
    }
}

#[test]
fn timestamp_lies_in_the_years_1_to_9999() {
    assert_eq!(written("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00Z");
    assert_eq!(written("9999-12-31T23:59:59.999999999Z"), "9999-12-31T23:59:59.999999999Z");
    refused("TIM-3", &["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"]);
    refused("TIM-2", &["0000-12-31T23:59:59Z"]);
}

#[test]
fn broken_timestamp_refused() {
    refused("TIM-1", &["", "2026-03-01", "2026-03-01 09:30:00Z", "2026-03-01t09:30:00Z", "2026-03-01T09:30:00z"]);
    refused("TIM-1", &["2026-W09-7T09:30:00Z", "2026-060T09:30:00Z", "20260301T093000Z", "+2026-03-01T09:30:00Z"]);
    refused("TIM-1", &["2026-03-01T09:30Z", "2026-03-01T09:30:00.Z", "2026-03-01T09:30:00.1234567890Z"]);
    refused("TIM-1", &["2026-03-01T09:30:00+01", "2026-03-01T09:30:00+0100", "2026-03-01T09:30:00Z ", "yesterday"]);
    refused("TIM-2", &["2026-13-01T09:30:00Z", "2026-00-01T09:30:00Z", "2026-02-29T09:30:00Z", "2026-04-31T09:30:00Z"]);
    refused("TIM-2", &["2026-03-01T24:00:00Z", "2026-03-01T09:60:00Z", "2026-03-01T23:59:60Z", "2026-03-00T09:30:00Z"]);
    refused("TIM-2", &["2026-03-01T09:30:00+24:00", "2026-03-01T09:30:00-01:60", "1900-02-29T00:00:00Z"]);
    request().with("/timestamp", 1_772_357_400).breaks(&[("/timestamp", "FLD-1")]);
}

#[test]
fn timestamp_is_made_of_a_moment() {
    let moment = Utc.with_ymd_and_hms(2026, 3, 1, 9, 30, 0).unwrap();
    let timestamp = Timestamp::new(moment).unwrap();
    assert_eq!(timestamp.as_datetime(), &moment);
    assert_eq!(DateTime::<Utc>::from(timestamp), moment);
    assert_eq!(Timestamp::try_from(moment).unwrap(), timestamp);
    let beyond =
        [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC, Utc.with_ymd_and_hms(10_000, 1, 1, 0, 0, 0).unwrap()];
    for moment in beyond {
        assert_eq!(places(&Timestamp::new(moment).unwrap_err()), [("", "TIM-3")], "{moment}");
    }
    let leap_second = DateTime::<Utc>::from_timestamp(1_483_228_799, 1_500_000_000).unwrap();
    assert_eq!(places(&Timestamp::new(leap_second).unwrap_err()), [("", "TIM-2")]);
}

#[test]
fn timestamps_are_ordered_and_carried_by_serde() {
    let early: Timestamp = "2026-03-01T09:30:00+01:00".parse().unwrap();
    let late: Timestamp = "2026-03-01T09:30:00".parse().unwrap();
    assert!(early < late);
    assert_eq!(serde_json::to_string(&early).unwrap(), r#""2026-03-01T08:30:00Z""#);
    assert_eq!(serde_json::from_str::<Timestamp>(r#""2026-03-01T08:30:00.0Z""#).unwrap(), early);
    let error = serde_json::from_str::<Timestamp>(r#""soon""#).unwrap_err().to_string();
    assert!(error.contains("TIM-1"), "{error}");
}
