//! What every refusal must be, whatever was refused.

use workwire::{ErrorMessage, ProtocolError, Rule, Scope, Violation};

use crate::plain;

/// Rules whose violation is the only one of a report, since nothing behind it can be trusted.
pub(crate) fn ends_reading(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::Jsn1 | Rule::Jsn2 | Rule::Jsn3 | Rule::Jsn4 | Rule::Jsn6 | Rule::Jsn7 | Rule::Jsn8 | Rule::Jsn9
    )
}

/// Rules about JSON itself, an object at the root aside.
pub(crate) fn of_json(rule: Rule) -> bool {
    ends_reading(rule) || matches!(rule, Rule::Jsn5 | Rule::Jsn11)
}

/// What can be said of a refusal without the bytes that were refused.
pub(crate) fn check(error: &ProtocolError) {
    let violations = error.violations();
    assert!(!violations.is_empty(), "a refusal says why");
    assert!(violations.len() <= 100, "{} violations are kept", violations.len());
    assert!(error.total() >= violations.len(), "the total counts the kept ones");
    for violation in violations {
        check_one(violation);
    }
    let text = error.to_string();
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "what is printed steers no terminal: {text:?}");
    // The answer to the sender is a document itself.
    let answer = ErrorMessage::from(error);
    assert_eq!(ErrorMessage::from_json(&answer.to_json()).as_ref(), Ok(&answer));
}

fn check_one(violation: &Violation) {
    let pointer = violation.pointer();
    assert!(pointer.is_empty() || pointer.starts_with('/'), "{pointer:?} is a pointer");
    let escapes = pointer.split('~').skip(1);
    assert!(escapes.into_iter().all(|rest| rest.starts_with(['0', '1'])), "{pointer:?} has its escapes");
    assert!(Rule::ALL.contains(&violation.rule()), "{violation}");
    assert_ne!(violation.rule().scope(), Scope::Warning, "nothing is refused for a warning: {violation}");
    assert!(!violation.expected().is_empty() && !violation.message().is_empty(), "{violation:?}");
    assert!(violation.found().is_none_or(|found| found.chars().count() <= 120), "{violation:?}");
}

/// The same, and each violation held against the bytes: it must be there, and in its order. The
/// bytes may nest so many `levels`, or more where that depends on the place.
pub(crate) fn check_in(bytes: &[u8], levels: &[usize], error: &ProtocolError) {
    check(error);
    let violations = error.violations();
    if violations.iter().any(|violation| ends_reading(violation.rule())) {
        assert_eq!((violations.len(), error.total()), (1, 1), "nothing else is said: {error}");
        return check_end(bytes, levels, &violations[0]);
    }
    let text = std::str::from_utf8(bytes).expect("other bytes end the reading");
    let mut last = 0;
    for violation in violations {
        assert_eq!(violation.position(), None, "{violation}");
        check_found(text, violation);
        if let Some(place) = place(text, violation) {
            assert!(last <= place, "violations come in the order of their places:\n{error}");
            last = place;
        }
    }
}

/// A violation that ends the reading has a position, and the bytes there are no strict JSON.
fn check_end(bytes: &[u8], levels: &[usize], violation: &Violation) {
    assert_eq!(violation.pointer(), "", "{violation}");
    let Some(position) = violation.position() else {
        return assert_eq!(violation.rule(), Rule::Jsn9, "all others have a position");
    };
    assert!(position.offset <= bytes.len(), "{violation}");
    let before = std::str::from_utf8(&bytes[..position.offset]).expect("the position is between characters");
    let line = before.rsplit('\n').next().unwrap_or_default();
    assert_eq!(position.line, before.split('\n').count(), "{violation}");
    assert_eq!(position.column, 1 + line.chars().count(), "{violation}");
    match violation.rule() {
        Rule::Jsn8 => {
            let depth = plain::depth(&bytes[..=position.offset]);
            assert!(levels.contains(&(depth - 1)), "{violation}, which is level {depth}");
        }
        Rule::Jsn7 => assert!(plain::is_grammatical(before.as_bytes()), "{violation}"),
        _ => {}
    }
    if violation.rule() != Rule::Jsn8 {
        assert!(serde_json::from_slice::<serde_json::Value>(bytes).is_err(), "serde_json takes it: {violation}");
    }
}

/// What a violation speaks of stands at its pointer.
fn check_found(text: &str, violation: &Violation) {
    let values = plain::resolve(text, violation.pointer());
    match violation.rule() {
        Rule::Jsn5 => assert!(values.len() > 1, "the key comes twice: {violation}"),
        Rule::Jsn11 => {
            let infinite = |value: &&str| value.parse::<f64>().is_ok_and(f64::is_infinite);
            assert!(values.iter().any(infinite), "no double holds it: {violation}");
        }
        Rule::Jsn10 => assert!(!values[0].starts_with('{'), "{violation}"),
        _ if violation.found().is_some() || violation.rule() == Rule::Fld2 => {
            assert!(!values.is_empty(), "it is there: {violation}")
        }
        // Of what comes twice the first one counts, and the other may have it.
        _ if values.len() > 1 || is_below_repeated(text, violation.pointer()) => {}
        // What is missing has no value, or one that is empty.
        _ => assert!(values.iter().all(|value| matches!(*value, "null" | "\"\"")), "it is missing: {violation}"),
    }
}

/// Where the value begins that a violation names, or the object ends in which it is missing;
/// nothing where a repeated key, or a `null` that may be no value, leaves that open.
fn place(text: &str, violation: &Violation) -> Option<usize> {
    let offset = |value: &str| value.as_ptr().addr() - text.as_ptr().addr();
    if is_below_repeated(text, violation.pointer()) {
        return None;
    }
    match plain::resolve(text, violation.pointer())[..] {
        ["null"] if violation.found().is_none() => None,
        [value] => Some(offset(value)),
        [] => {
            let object = ancestors(violation.pointer()).find_map(|pointer| plain::resolve(text, pointer).pop())?;
            (object != "null").then(|| offset(object) + object.len() - 1)
        }
        _ => None,
    }
}

fn is_below_repeated(text: &str, pointer: &str) -> bool {
    ancestors(pointer).any(|pointer| plain::resolve(text, pointer).len() > 1)
}

/// The pointers of the values that a value stands in, the innermost first.
fn ancestors(pointer: &str) -> impl Iterator<Item = &str> {
    pointer.rmatch_indices('/').map(|(end, _)| &pointer[..end])
}
