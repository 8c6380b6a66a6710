//! A schema in few words: each property, its type, and what is asked of it.

use std::fmt::Write;

use serde_json::Value;

pub(crate) fn outline(schema: &Value) -> String {
    let mut out = String::new();
    properties(&mut out, schema, 1);
    for (name, definition) in members(&schema["$defs"]) {
        writeln!(out, "  {name}").unwrap();
        properties(&mut out, definition, 2);
    }
    for (name, channel) in members(&schema["channels"]) {
        let carried: Vec<&String> = members(&channel["messages"]).map(|(name, _)| name).collect();
        writeln!(out, "  channel {name}: {carried:?}").unwrap();
    }
    for (name, operation) in members(&schema["operations"]) {
        writeln!(out, "  operation {name}: {}", operation["action"]).unwrap();
    }
    for (name, message) in members(&schema["components"]["messages"]) {
        let carried = &message["payload"]["schema"];
        let payload: Vec<&String> =
            members(&carried["properties"]["payload"]["properties"]).map(|(name, _)| name).collect();
        writeln!(out, "  message {name}: {} {payload:?}", carried["title"]).unwrap();
    }
    out
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn properties(out: &mut String, schema: &Value, depth: usize) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, property) in members(&schema["properties"]) {
        let marks = marks(property, required.contains(&Value::from(name.as_str())));
        writeln!(out, "{}{name}: {}{marks}", "  ".repeat(depth), kind(property)).unwrap();
        properties(out, property, depth + 1);
    }
    if let Some(rules) = schema["allOf"].as_array() {
        for rule in rules {
            writeln!(out, "{}if {} then {}", "  ".repeat(depth), keys(&rule["if"]), keys(&rule["then"])).unwrap();
        }
    }
    if schema["additionalProperties"] == false {
        writeln!(out, "{}nothing else", "  ".repeat(depth)).unwrap();
    }
}

/// The type, or what stands for one.
fn kind(property: &Value) -> String {
    let kind = match &property["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => property["$ref"].as_str().unwrap_or("anything").to_owned(),
    };
    match property["items"]["type"].as_str() {
        Some(item) => format!("{kind} of {item}"),
        None => kind,
    }
}

fn marks(property: &Value, required: bool) -> String {
    let mut marks = String::new();
    if required {
        marks.push_str(", required");
    }
    for keyword in ["const", "enum", "pattern", "minLength", "maxLength", "minItems", "minProperties"] {
        if property.get(keyword).is_some() {
            write!(marks, ", {keyword}").unwrap();
        }
    }
    for keyword in ["minimum", "exclusiveMinimum", "maximum", "default"] {
        if let Some(value) = property.get(keyword) {
            write!(marks, ", {keyword} {value}").unwrap();
        }
    }
    for keyword in ["description", "examples"] {
        if property.get(keyword).is_none() && property.get("$ref").is_none() {
            write!(marks, ", no {keyword}").unwrap();
        }
    }
    marks
}

/// What a condition or a consequence speaks of.
fn keys(schema: &Value) -> String {
    let mut keys: Vec<String> = members(&schema["properties"])
        .map(|(name, property)| match property.get("const").or(property.get("enum")) {
            Some(value) => format!("{name} is {value}"),
            None => match property["$ref"].as_str() {
                Some(target) => format!("{name} is {target}"),
                None => name.clone(),
            },
        })
        .collect();
    keys.extend(schema["required"].as_array().into_iter().flatten().map(|name| format!("has {name}")));
    if schema["additionalProperties"] == false {
        keys.push("nothing else".to_owned());
    }
    keys.join(", ")
}
