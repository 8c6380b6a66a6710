//! Schemas as text, with the keys in the order in which a person reads them.

use std::fmt::Write;

use serde_json::Value;

/// Beside `properties`: the order of the fields. Never printed.
pub(super) const ORDER: &str = "\u{0}order";

/// Keywords in reading order; `properties` keeps the order of its fields, everything else comes by
/// name behind these.
const KEYWORDS: &[&str] = &[
    "asyncapi",
    "info",
    "defaultContentType",
    "$schema",
    "$id",
    "$ref",
    "name",
    "title",
    "summary",
    "description",
    "address",
    "action",
    "type",
    "const",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "minItems",
    "items",
    "minProperties",
    "required",
    "properties",
    "additionalProperties",
    "dependentRequired",
    "if",
    "then",
    "allOf",
    "oneOf",
    "discriminator",
    "default",
    "examples",
    "$defs",
];

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

fn write(out: &mut String, value: &Value, depth: usize, fields: &[Value]) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let field = |key: &str| fields.iter().position(|name| name == key);
            let keyword = |key: &str| KEYWORDS.iter().position(|name| *name == key).unwrap_or(KEYWORDS.len());
            let mut keys: Vec<&String> = members.keys().filter(|key| *key != ORDER).collect();
            keys.sort_by_key(|key| (field(key).unwrap_or_else(|| fields.len() + keyword(key)), (*key).clone()));
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                line(out, index, depth + 1);
                let _ = write!(out, "{}: ", Value::from(key.as_str()));
                let order = members.get(ORDER).and_then(Value::as_array).filter(|_| key == "properties");
                write(out, &members[key], depth + 1, order.map_or(&[], Vec::as_slice));
            }
            line(out, 0, depth);
            out.push('}');
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                line(out, index, depth + 1);
                write(out, item, depth + 1, &[]);
            }
            line(out, 0, depth);
            out.push(']');
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(Value::to_string).collect();
            let _ = write!(out, "[{}]", items.join(", "));
        }
        _ => {
            let _ = write!(out, "{value}");
        }
    }
}

fn line(out: &mut String, index: usize, depth: usize) {
    out.push_str(if index > 0 { ",\n" } else { "\n" });
    out.push_str(&"  ".repeat(depth));
}
