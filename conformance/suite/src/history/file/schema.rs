//! The lines of a file as a JSON Schema, for those who record histories elsewhere.

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Value, json};
use workwire::SchemaFile;

use super::line::{Demanded, Ending, Header, Step};

/// What each line of a history file is.
///
/// ```
/// assert_eq!(workwire_conformance::history::schema().path(), "history.json");
/// ```
#[must_use]
pub fn schema() -> SchemaFile {
    let lines = ["header", "operation", "demand", "end"].map(|line| json!({"$ref": format!("#/$defs/{line}")}));
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://workwire.dev/schemas/v1/history.json",
        "title": "history",
        "description": "A line of a history file (`*.history.jsonl`): the header, then operations, then demands, then the end.",
        "oneOf": lines,
        "$defs": {
            "header": of::<Header>(),
            "operation": of::<Step>(),
            "demand": of::<Demanded>(),
            "end": of::<Ending>()
        }
    });
    SchemaFile::new("history.json", &schema)
}

fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = SchemaGenerator::new(settings).subschema_for::<T>().to_value();
    plain(&mut schema);
    schema
}

/// Takes out what validators disagree about, and line ends in texts.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.remove("format");
            if let Some(Value::String(description)) = members.get_mut("description") {
                *description = description.replace('\n', " ");
            }
            members.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}
