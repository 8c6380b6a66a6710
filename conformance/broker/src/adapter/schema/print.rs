//! Schemas as text, with the keys in the order in which a person reads them, whatever order the map
//! has that holds them.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Keywords in reading order; everything else comes by name behind these.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "$schema", "$id", "$ref", "title", "description",
    "type", "const", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "items",
    "required", "properties", "additionalProperties", "if", "then", "anyOf", "oneOf", "default", "examples", "$defs",
];

/// What fits into so many characters stands on one line.
const WIDTH: usize = 100;

pub(super) fn print(schema: &Value) -> String {
    let mut out = String::new();
    write(&mut out, schema, 0, &[]);
    out.push('\n');
    out
}

/// A value on lines of its own, or on the current one where it fits.
fn write(out: &mut String, value: &Value, depth: usize, first: &[Value]) {
    let column = out.len() - out.rfind('\n').map_or(0, |at| at + 1);
    let short = one_line(value, first);
    if depth > 0 && column + short.chars().count() <= WIDTH {
        out.push_str(&short);
        return;
    }
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('{');
            for (index, key) in keys(members, first).into_iter().enumerate() {
                line(out, index, depth + 1);
                let _ = write!(out, "{}: ", Value::from(key.as_str()));
                write(out, &members[key], depth + 1, first_of(members, key));
            }
            line(out, 0, depth);
            out.push('}');
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                line(out, index, depth + 1);
                write(out, item, depth + 1, &[]);
            }
            line(out, 0, depth);
            out.push(']');
        }
        _ => out.push_str(&short),
    }
}

fn line(out: &mut String, index: usize, depth: usize) {
    out.push_str(if index > 0 { ",\n" } else { "\n" });
    out.push_str(&"  ".repeat(depth));
}

fn one_line(value: &Value, first: &[Value]) -> String {
    match value {
        Value::Object(members) => {
            let member = |key: &String| {
                format!("{}: {}", Value::from(key.as_str()), one_line(&members[key], first_of(members, key)))
            };
            let members: Vec<String> = keys(members, first).into_iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| one_line(item, &[])).collect();
            format!("[{}]", items.join(", "))
        }
        _ => value.to_string(),
    }
}

/// The keys of an object in their order: the required members as they are listed, keywords,
/// everything else by name.
fn keys<'v>(members: &'v Map<String, Value>, first: &[Value]) -> Vec<&'v String> {
    let listed = |key: &str| first.iter().position(|name| name == key);
    let keyword = |key: &str| KEYWORDS.iter().position(|name| *name == key).unwrap_or(KEYWORDS.len());
    let mut keys: Vec<&String> = members.keys().collect();
    keys.sort_by_key(|key| (listed(key).unwrap_or_else(|| first.len() + keyword(key)), (*key).clone()));
    keys
}

/// What comes first among the properties of an object: those that have to be there.
fn first_of<'v>(members: &'v Map<String, Value>, key: &str) -> &'v [Value] {
    let required = members.get("required").and_then(Value::as_array).filter(|_| key == "properties");
    required.map_or(&[], Vec::as_slice)
}
