//! Numbers, about every bound and in every spelling.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// Marks a string that stands for the spelling of a number: [`spell`] puts the number there.
const NUMBER: &str = "\u{10FFFF}";

/// A number in a spelling of its own, which no [`Value`] would keep.
pub(crate) fn number(text: impl std::fmt::Display) -> Value {
    Value::from(format!("{NUMBER}{text}"))
}

/// The text of a document, with its numbers as they were spelled.
pub(crate) fn spell(document: &Value) -> String {
    let (text, mark) = (document.to_string(), format!("\"{NUMBER}"));
    let mut parts = text.split(&mark);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once('"').unwrap();
        out.push_str(number);
        out.push_str(rest);
    }
    out
}

/// Integers of a range, some of them spelled as if they were none.
pub(crate) fn integers(range: std::ops::RangeInclusive<i64>) -> BoxedStrategy<Value> {
    let spelling = prop_oneof![8 => Just(""), 1 => Just(".0"), 1 => Just("e0"), 1 => Just("0.0E-1")];
    (range, spelling).prop_map(|(value, spelling)| number(format!("{value}{spelling}"))).boxed()
}

/// Numbers about every bound that a field has, in every spelling.
pub(crate) fn numbers() -> BoxedStrategy<Value> {
    #[rustfmt::skip]
    const BOUNDS: &[i64] = &[
        -9_007_199_254_740_993, -9_007_199_254_740_991, -2_147_483_649, -2_147_483_648, -1, 0, 1, 5, 6, 10, 11, 99,
        100, 101, 999, 1000, 9999, 10_000, 2_147_483_647, 2_147_483_648, 9_007_199_254_740_990,
        9_007_199_254_740_991, 9_007_199_254_740_992, 9_007_199_254_740_993, i64::MAX, i64::MIN,
    ];
    const SPELLINGS: &[&str] =
        &["", "", "", ".0", "e0", "E+0", ".5", ".4", ".00000000000000000001", "e1", "e-1", "e-400", ".0e00"];
    #[rustfmt::skip]
    const OTHERS: &[&str] = &[
        "-0", "-0.0", "1e300", "-1e300", "1e-400", "5e-324", "2e-324", "4.9e-324", "1e309", "1e400", "-1e400",
        "0e999", "123456789012345678901234567890", "0.99999999999999999999", "100.00000000000000000001",
        "1.7976931348623157e308", "1.7976931348623159e308", "4.99999999999999999999e0", "0.3e1", "30e-1",
        "2.2250738585072011e-308",
    ];
    prop_oneof![
        4 => (select(BOUNDS), select(SPELLINGS)).prop_map(|(bound, spelling)| number(format!("{bound}{spelling}"))),
        2 => select(OTHERS).prop_map(number),
        1 => prop::num::f64::NORMAL.prop_map(Value::from),
    ]
    .boxed()
}
