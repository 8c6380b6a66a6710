//! Error codes, their names and what to do about them.

use workwire::{Category, ErrorCode};

const CATALOGUE: &[(u16, &str, bool)] = &[
    (1000, "malformed JSON", false),
    (1001, "unknown work type or no agent type for it", false),
    (1002, "invalid message", false),
    (1003, "unsupported protocol version", false),
    (1004, "not authenticated", false),
    (1005, "not allowed", false),
    (1006, "too large", false),
    (1007, "rate limit exceeded", true),
    (2001, "task not found", false),
    (2002, "task is in a state that does not allow this", false),
    (2003, "deadline exceeded", true),
    (2004, "agent unavailable", true),
    (2005, "agent resource limit exceeded", true),
    (2006, "work failed", false),
    (3000, "internal error", true),
    (3001, "broker unavailable", true),
    (3002, "store unavailable", true),
    (3003, "queue full", true),
    (3004, "request id was used for a different request", false),
];

#[test]
fn error_catalogue_holds_each_code_with_its_name_and_advice() {
    let known: Vec<_> =
        ErrorCode::CATALOGUE.iter().map(|code| (code.get(), code.name().unwrap(), code.may_retry().unwrap())).collect();
    assert_eq!(known, CATALOGUE);
}

#[test]
fn error_codes_have_the_category_of_their_range() {
    let ranges = [
        (1000, 1999, Category::Protocol),
        (2000, 2999, Category::Agent),
        (3000, 3999, Category::Orchestrator),
        (4000, 9999, Category::Application),
    ];
    for (first, last, category) in ranges {
        for code in [first, first + 1, last] {
            assert_eq!(ErrorCode::new(code).unwrap().category(), category, "{code}");
        }
    }
}

#[test]
fn error_codes_outside_of_the_catalogue_have_no_name_and_no_advice() {
    for code in [1008, 2000, 2007, 3005, 4000, 9999] {
        let code = ErrorCode::new(code).unwrap();
        assert_eq!((code.name(), code.may_retry()), (None, None), "{code}");
    }
}

#[test]
fn error_codes_are_told_by_their_constants() {
    assert_eq!(ErrorCode::new(1007).unwrap(), ErrorCode::RATE_LIMITED);
    assert_eq!(ErrorCode::new(2003).unwrap(), ErrorCode::DEADLINE_EXCEEDED);
    assert_eq!(ErrorCode::new(3004).unwrap(), ErrorCode::REQUEST_ID_REUSED);
    assert_eq!(u16::from(ErrorCode::WORK_FAILED), 2006);
    assert_eq!(ErrorCode::try_from(3000).unwrap(), ErrorCode::INTERNAL);
}

#[test]
fn error_codes_are_printed_parsed_and_carried_by_serde() {
    let code = ErrorCode::QUEUE_FULL;
    assert_eq!(code.to_string(), "3003");
    assert_eq!("3003".parse::<ErrorCode>().unwrap(), code);
    for (broken, rule) in [
        ("", "NUM-1"),
        ("queue full", "NUM-1"),
        ("3003.0", "NUM-1"),
        ("999", "ERR-2"),
        ("10000", "ERR-2"),
        ("70000", "ERR-2"),
        ("-1", "ERR-2"),
    ] {
        let error = broken.parse::<ErrorCode>().unwrap_err();
        assert_eq!(error.violations()[0].rule().id(), rule, "{broken}");
    }
    assert_eq!(serde_json::to_string(&code).unwrap(), "3003");
    assert_eq!(serde_json::from_str::<ErrorCode>("3003").unwrap(), code);
    let error = serde_json::from_str::<ErrorCode>("999").unwrap_err().to_string();
    assert!(error.contains("expected an integer from 1000 to 9999, found 999 (ERR-2)"), "{error}");
}

#[test]
fn error_codes_written_with_a_fraction_are_read_by_serde() {
    assert_eq!(serde_json::from_str::<ErrorCode>("3003.0").unwrap(), ErrorCode::QUEUE_FULL);
}
