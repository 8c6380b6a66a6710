//! Arbitrary JSON, in arbitrary spelling.

use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use workwire::FreeObject;

pub(crate) fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..10).prop_map(String::from_iter)
}

pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// A string of JSON in which every character is an escape.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::from("\"");
    for unit in text.encode_utf16() {
        write!(out, "\\u{unit:04X}").unwrap();
    }
    out.push('"');
    out
}

/// A string of JSON: with the shortest escapes, or with all that there are.
pub(crate) fn string() -> impl Strategy<Value = String> {
    (text(), any::<bool>()).prop_map(|(text, with_escapes)| if with_escapes { escaped(&text) } else { quoted(&text) })
}

/// A number of JSON that a double can hold.
pub(crate) fn number() -> impl Strategy<Value = String> {
    let double = proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO;
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        double.prop_map(|number| format!("{number:?}")),
        double.prop_map(|number| format!("{number:E}")),
        (-1000..1000i32, 0..9u8).prop_map(|(whole, digit)| format!("{whole}.{digit}0")),
        select(vec!["-0", "0e9", "1E+2", "1e-400", "12345678901234567890123", "0.10", "1.0"]).prop_map(str::to_owned),
    ]
}

/// Any value.
pub(crate) fn json() -> BoxedStrategy<String> {
    let word = select(vec!["null", "true", "false", "{}", "[]", "\"\""]).prop_map(str::to_owned);
    let leaf = prop_oneof![word, number(), string()];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            vec((string(), inner), 0..4).prop_map(|members| join(&members)),
        ]
    })
    .boxed()
}

/// An object of members of which the first of each name is taken.
pub(crate) fn join(members: &[(String, String)]) -> String {
    let mut names = std::collections::HashSet::new();
    let name = |key: &str| serde_json::from_str::<String>(key).unwrap();
    let kept = members.iter().filter(|(key, _)| names.insert(name(key)));
    let members: Vec<String> = kept.map(|(key, value)| format!("{key}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}

pub(crate) fn object_text() -> impl Strategy<Value = String> {
    vec((string(), json()), 0..4).prop_map(|members| join(&members))
}

pub(crate) fn object() -> impl Strategy<Value = FreeObject> {
    object_text().prop_map(|text| text.parse().unwrap())
}
