//! Timestamps against another library of time.

use chrono::{DateTime, FixedOffset, SecondsFormat};
use proptest::prelude::*;
use workwire::Timestamp;

use super::values::timestamp;
use crate::config;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn timestamps_are_read_as_they_are_written(timestamp in timestamp()) {
        let text = timestamp.to_string();
        prop_assert_eq!(text.parse::<Timestamp>(), Ok(timestamp));
        let moment = DateTime::parse_from_rfc3339(&text).unwrap();
        prop_assert_eq!(&moment, timestamp.as_datetime());
        prop_assert!(!text.ends_with("000Z") || !text.contains('.'), "{} could be shorter", text);
    }

    #[test]
    fn timestamps_of_any_offset_are_the_same_moment(timestamp in timestamp(), minutes in -1439..=1439i32) {
        let offset = FixedOffset::east_opt(minutes * 60).unwrap();
        let local = timestamp.as_datetime().with_timezone(&offset);
        let text = local.to_rfc3339_opts(SecondsFormat::AutoSi, false);
        prop_assume!(text.len() >= 25 && text.as_bytes()[4] == b'-' && !text.starts_with("0000"));
        prop_assert_eq!(text.parse::<Timestamp>(), Ok(timestamp), "{}", text);
    }

    #[test]
    fn timestamps_of_nearly_the_right_form_are_taken_as_rfc_3339_has_them(
        parts in [0..10u32, 0..14u32, 0..33u32, 0..26u32, 0..62u32, 0..62u32],
        zone in prop::sample::select(vec!["Z", "+00:00", "-00:00", "+23:59", "-24:00", "+09:60", "z"]),
    ) {
        let [year, month, day, hour, minute, second] = parts;
        let text = format!("{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}", 1996 + year);
        // That library takes a lower-case z and leap seconds, and so much is known of them.
        let other = DateTime::parse_from_rfc3339(&text).ok().filter(|_| zone != "z" && second != 60);
        prop_assert_eq!(text.parse::<Timestamp>().ok().map(DateTime::from), other.map(|moment| moment.to_utc()), "{}", text);
    }
}
