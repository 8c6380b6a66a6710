//! Schemas as text, with the keys in the order in which a person reads them.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Beside `properties`: the order of the fields. Never printed.
pub(super) const ORDER: &str = "\u{0}order";

/// Keywords in reading order; `properties` keeps the order of its fields, everything else comes by
/// name behind these.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    // AsyncAPI
    "asyncapi", "info", "defaultContentType", "channels", "operations", "components",
    // what it is
    "$schema", "$id", "$ref", "name", "title", "version", "summary", "description",
    "contentType", "payload", "schemaFormat", "schema", "address", "parameters", "messages", "action", "channel",
    // what it demands
    "type", "const", "enum", "pattern", "minLength", "maxLength", "minimum", "exclusiveMinimum", "maximum",
    "minItems", "items", "minProperties", "required", "properties", "additionalProperties",
    "if", "then", "allOf", "oneOf", "discriminator",
    // how it looks
    "default", "examples", "$defs",
];

/// What fits into so many characters stands on one line.
const WIDTH: usize = 100;

pub(super) fn print(schema: &Value) -> String {
    let mut out = String::new();
    write(&mut out, schema, 0, &[]);
    out.push('\n');
    out
}

/// Takes the marks of order out.
pub(super) fn strip_order(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.remove(ORDER);
            members.values_mut().for_each(strip_order);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_order),
        _ => {}
    }
}

/// A value on lines of its own, or on the current one where it fits.
fn write(out: &mut String, value: &Value, depth: usize, fields: &[Value]) {
    let column = out.len() - out.rfind('\n').map_or(0, |at| at + 1);
    let short = one_line(value, fields);
    if depth > 0 && column + short.chars().count() <= WIDTH {
        out.push_str(&short);
        return;
    }
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('{');
            for (index, key) in keys(members, fields).into_iter().enumerate() {
                line(out, index, depth + 1);
                let _ = write!(out, "{}: ", Value::from(key.as_str()));
                write(out, &members[key], depth + 1, fields_of(members, key));
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

fn one_line(value: &Value, fields: &[Value]) -> String {
    match value {
        Value::Object(members) => {
            let member = |key: &String| {
                format!("{}: {}", Value::from(key.as_str()), one_line(&members[key], fields_of(members, key)))
            };
            let members: Vec<String> = keys(members, fields).into_iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| one_line(item, &[])).collect();
            format!("[{}]", items.join(", "))
        }
        _ => value.to_string(),
    }
}

/// The keys of an object in their order: fields as they are listed, keywords, everything else.
fn keys<'v>(members: &'v Map<String, Value>, fields: &[Value]) -> Vec<&'v String> {
    let field = |key: &str| fields.iter().position(|name| name == key);
    let keyword = |key: &str| KEYWORDS.iter().position(|name| *name == key).unwrap_or(KEYWORDS.len());
    let mut keys: Vec<&String> = members.keys().filter(|key| *key != ORDER).collect();
    keys.sort_by_key(|key| (field(key).unwrap_or_else(|| fields.len() + keyword(key)), (*key).clone()));
    keys
}

/// The order of what a member holds, where that is marked beside it; else those come first that
/// have to be there.
fn fields_of<'v>(members: &'v Map<String, Value>, key: &str) -> &'v [Value] {
    let order = members.get(ORDER).or_else(|| members.get("required")).filter(|_| key == "properties");
    order.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
