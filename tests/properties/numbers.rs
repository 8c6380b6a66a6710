//! Integers by their exact value.

use proptest::prelude::*;
use workwire::{ExitCode, WorkResult};

use crate::config;

/// A result with an exit code and a duration in these spellings.
fn result(exit_code: &str, duration: &str) -> Result<WorkResult, workwire::ProtocolError> {
    WorkResult::from_json(&format!(
        r#"{{"task_id":"01890a5d-ac96-774b-bcce-b302099a8059","status":"completed","exit_code":{exit_code},"duration_ms":{duration},"agent_id":"01890a5d-ac96-774b-bcce-b302099a805a"}}"#
    ))
}

/// The number with its point moved to the left, and an exponent that moves it back.
fn moved(value: u64, places: usize, zeros: usize) -> String {
    let digits = format!("{value:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let fraction = format!("{fraction}{}", "0".repeat(zeros));
    if fraction.is_empty() { format!("{whole}e{places}") } else { format!("{whole}.{fraction}E+{places}") }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn integers_are_the_same_wherever_their_point_stands(
        duration in 0..(1u64 << 53),
        places in 0..400usize,
        zeros in 0..50usize,
    ) {
        for spelling in [moved(duration, places, zeros), format!("{duration}{}e-{zeros}", "0".repeat(zeros))] {
            let read = result("0", &spelling).map(|result| result.duration_ms().get());
            prop_assert_eq!(read, Ok(duration), "{}", spelling);
        }
    }

    #[test]
    fn integers_with_anything_behind_the_point_are_refused(
        duration in 0..(1u64 << 53),
        zeros in 0..400usize,
        digit in 1..=9u8,
    ) {
        let spelling = format!("{duration}.{}{digit}", "0".repeat(zeros));
        let error = result("0", &spelling).unwrap_err();
        let rule = error.violations()[0].rule().id();
        prop_assert!(rule == "NUM-1" || rule == "NUM-2" || (rule == "NUM-3" && duration > (1 << 53) - 3), "{}", error);
    }

    #[test]
    fn integers_are_parsed_and_read_alike(code in any::<i64>()) {
        let read = result(&code.to_string(), "0").map(|result| *result.exit_code()).ok();
        prop_assert_eq!(read, code.to_string().parse::<ExitCode>().ok());
        prop_assert_eq!(read, serde_json::from_str::<ExitCode>(&code.to_string()).ok());
        prop_assert_eq!(read, i32::try_from(code).ok().map(|code| ExitCode::new(code).unwrap()));
    }
}
