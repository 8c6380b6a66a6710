//! Numbers of millions of digits, as integers, as measures and as free content.

use workwire::Payload;

use super::inputs::{with_content, with_fields, with_hints};
use crate::{at_two_sizes, finishes, read, refused};

/// Digits are looked at one by one, which takes its time without optimisation.
const MANY: usize = if cfg!(debug_assertions) { 12_000_000 } else { 60_000_000 };

fn zeros(times: usize) -> String {
    "0".repeat(times)
}

fn nines(times: usize) -> String {
    "9".repeat(times)
}

fn priority(number: &str) -> String {
    with_fields(&format!(r#","priority":{number}"#))
}

#[test]
fn digits_of_an_integer_are_read_to_the_last() {
    at_two_sizes(MANY, |size| {
        assert_eq!(read(&priority(&format!("3.{}", zeros(size)))).unwrap().priority().get(), 3);
        refused(&priority(&format!("3.{}1", zeros(size))), "NUM-2", 1);
        refused(&priority(&nines(size)), "JSN-11", 1);
        refused(&priority(&format!("0.{}", nines(size))), "NUM-2", 1);
    });
}

#[test]
fn integers_with_their_point_far_away_are_read() {
    at_two_sizes(1_600_000, |size| {
        assert_eq!(read(&priority(&format!("3{}e-{size}", zeros(size)))).unwrap().priority().get(), 3);
        assert_eq!(read(&priority(&format!("0.{}3e{}", zeros(size), size + 1))).unwrap().priority().get(), 3);
    });
}

#[test]
fn digits_of_an_exponent_are_read() {
    at_two_sizes(MANY, |size| {
        refused(&priority(&format!("1e{}", nines(size))), "JSN-11", 1);
        refused(&priority(&format!("1e-{}", nines(size))), "ENV-4", 1);
        assert_eq!(read(&priority(&format!("3e{}", zeros(size)))).unwrap().priority().get(), 3);
        refused(&with_hints(&format!(r#""deadline_seconds":1e-{}"#, nines(size))), "WRQ-4", 1);
        assert!(read(&with_content(&format!("1e-{}", nines(size)))).is_ok());
    });
}

#[test]
fn digits_of_a_hint_are_read() {
    at_two_sizes(MANY, |size| {
        let hint = |number: &str| with_hints(&format!(r#""deadline_seconds":{number}"#));
        let message = read(&hint(&format!("1.{}", nines(size)))).unwrap();
        let Payload::WorkRequest(request) = message.payload() else { panic!("a request") };
        assert_eq!(request.hints().deadline_seconds(), Some(2.0));
        refused(&hint(&nines(size)), "JSN-11", 1);
        refused(&hint(&format!("0.{}1", zeros(size))), "WRQ-4", 1);
        refused(&hint(&format!("-1.{}1", zeros(size))), "WRQ-4", 1);
    });
}

#[test]
fn digits_in_free_content_are_kept() {
    at_two_sizes(MANY, |size| {
        let text = with_content(&format!("0.{}1", zeros(size)));
        assert!(read(&text).unwrap().to_json().len() > size);
        refused(&with_content(&nines(size)), "JSN-11", 1);
    });
}

#[test]
fn numbers_near_nothing_are_numbers() {
    finishes(|| {
        for number in ["1e-400", "1e-99999999999999999999", "-0.0e999999999999", "4.9e-324", "1e308"] {
            assert!(read(&with_content(number)).is_ok(), "{number}");
        }
        for number in ["1e309", "1e400", "-1e99999999999999999999", "1.8e308"] {
            refused(&with_content(number), "JSN-11", 1);
        }
        refused(&with_hints(r#""max_memory_mb":1e-400"#), "WRQ-4", 1);
        refused(&priority("1e-400"), "ENV-4", 1);
    });
}

#[test]
fn numbers_that_break_off_are_refused() {
    finishes(|| {
        for end in [".", "e", "e+", "x", "-"] {
            refused(&priority(&format!("3{}{end}", zeros(1 << 20))), "JSN-1", 1);
        }
    });
}
