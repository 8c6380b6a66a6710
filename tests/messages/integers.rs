//! Integers by their exact value, whatever their spelling.

use workwire::{
    ChannelPriority, DurationMs, ExitCode, MessageEnvelope, Percent, Priority, ProtocolError, StepNumber, WorkResult,
};

use crate::bodies::{places, request, work_result};

fn priority(spelling: &str) -> Result<MessageEnvelope, ProtocolError> {
    let text = request().text();
    MessageEnvelope::from_json(&format!(r#"{},"priority":{spelling}}}"#, text.strip_suffix('}').unwrap()))
}

fn duration(spelling: &str) -> Result<WorkResult, ProtocolError> {
    let text = work_result().without("/duration_ms").text();
    WorkResult::from_json(&format!(r#"{},"duration_ms":{spelling}}}"#, text.strip_suffix('}').unwrap()))
}

#[test]
fn integers_are_taken_in_every_spelling_and_written_in_one() {
    let zeros = "0".repeat(500);
    let long = [format!("3.{zeros}"), format!("3{zeros}e-500"), format!("0.{zeros}3e501")];
    let short = ["3", "3.0", "3e0", "3E+00", "30e-1", "0.3e1", "0.003E3"].map(str::to_owned);
    for spelling in long.into_iter().chain(short) {
        let text = priority(&spelling).unwrap_or_else(|error| panic!("{spelling}: {error}")).to_json();
        assert!(text.contains(r#""priority":3,"#), "{text}");
    }
    for spelling in ["0", "-0", "0.0", "-0e5", "0e999999999999", "0.000e-7"] {
        assert_eq!(duration(spelling).unwrap().duration_ms().get(), 0, "{spelling}");
    }
}

#[test]
fn integers_are_told_from_what_only_rounds_to_them() {
    let broken = |spelling: &str| {
        let error = priority(spelling).expect_err(spelling);
        assert_eq!((error.total(), error.violations()[0].pointer()), (1, "/priority"));
        error.violations()[0].rule().id()
    };
    assert_eq!(broken("3.00000000000000000001"), "NUM-2");
    assert_eq!(broken(&format!("3.{}1", "0".repeat(100_000))), "NUM-2");
    assert_eq!(broken("3.5"), "NUM-1");
    assert_eq!(broken("30e-2"), "NUM-1");
    assert_eq!(broken("5.00000000000000000001"), "NUM-2");
    assert_eq!(broken("6"), "ENV-4");
    assert_eq!(broken("1e300"), "ENV-4");
    assert_eq!(broken("-1e300"), "ENV-4");
    assert_eq!(broken("1e-400"), "ENV-4");
    assert_eq!(broken("1e400"), "JSN-11");
}

#[test]
fn integers_end_at_2_to_53() {
    assert_eq!(duration("9007199254740991").unwrap().duration_ms(), &DurationMs::MAX);
    for spelling in ["9007199254740992", "9007199254740993", "1e16", "123456789012345678901234567890"] {
        assert_eq!(places(&duration(spelling).unwrap_err()), [("/duration_ms", "NUM-3")], "{spelling}");
    }
    assert_eq!(places(&duration("9007199254740990.9").unwrap_err()), [("/duration_ms", "NUM-2")]);
    assert_eq!(places(&duration("-1").unwrap_err()), [("/duration_ms", "WRS-5")]);
}

#[test]
fn integers_with_a_range_know_its_ends() {
    assert_eq!((Priority::MIN.get(), Priority::MAX.get()), (1, 5));
    assert_eq!((ChannelPriority::MIN.get(), ChannelPriority::MAX.get()), (1, 10));
    assert_eq!((Percent::MIN.get(), Percent::MAX.get()), (0, 100));
    assert_eq!((ExitCode::MIN.get(), ExitCode::MAX.get()), (i32::MIN, i32::MAX));
    assert_eq!((StepNumber::MIN.get(), StepNumber::MAX.get()), (0, 9_007_199_254_740_991));
    let defaults = (Priority::default().get(), ChannelPriority::default().get(), Percent::default().get());
    assert_eq!(defaults, (3, 5, 0));
    assert_eq!(StepNumber::new(u64::MAX).unwrap_err().violations()[0].rule().id(), "NUM-3");
    assert_eq!(Percent::try_from(101).unwrap_err().violations()[0].rule().id(), "WST-3");
}

#[test]
fn integers_are_printed_parsed_and_carried_by_serde() {
    assert_eq!(ExitCode::new(-7).unwrap().to_string(), "-7");
    assert_eq!("-7".parse::<ExitCode>().unwrap().get(), -7);
    assert_eq!(u8::from("5".parse::<Priority>().unwrap()), 5);
    assert_eq!("6".parse::<Priority>().unwrap_err().violations()[0].rule().id(), "ENV-4");
    assert_eq!("five".parse::<Priority>().unwrap_err().violations()[0].rule().id(), "NUM-1");
    assert_eq!("-2147483649".parse::<ExitCode>().unwrap_err().violations()[0].rule().id(), "WRS-3");
    assert_eq!(serde_json::to_string(&Priority::MAX).unwrap(), "5");
    for spelling in ["5", "5.0", "5e0"] {
        assert_eq!(serde_json::from_str::<Priority>(spelling).unwrap(), Priority::MAX, "{spelling}");
    }
    for broken in ["0", "5.5", "1e300", "18446744073709551615", "\"5\"", "null"] {
        assert!(serde_json::from_str::<Priority>(broken).is_err(), "{broken}");
    }
}

#[test]
fn integers_are_parsed_as_json_writes_them() {
    for text in ["+3", "03"] {
        assert!(text.parse::<Priority>().is_err(), "{text}");
    }
}
