//! The form of the reports as JSON Schemas, for those who read them by a script.

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Value, json};
use workwire::SchemaFile;

use super::proof::ProofReport;
use super::run::RunReport;

/// One file for each kind of report.
///
/// ```
/// let files = workwire_conformance::reports::schemas();
/// assert!(files.iter().any(|file| file.path() == "report/run.json"));
/// ```
#[must_use]
pub fn schemas() -> Vec<SchemaFile> {
    vec![
        of::<RunReport>("run", "What a run against a broker came to."),
        of::<ProofReport>("proof", "Whether every case can fail: what `selftest` came to."),
    ]
}

/// What is written: each member that is always there is required.
fn of<T: JsonSchema>(name: &str, what: &str) -> SchemaFile {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<T>().to_value();
    plain(&mut schema);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(format!("https://workwire.dev/schemas/v1/report/{name}.json"));
    schema["title"] = json!(format!("{name} report"));
    schema["description"] = json!(what);
    SchemaFile::new(format!("report/{name}.json"), &schema)
}

/// Takes out the formats that validators disagree about, and the line ends of comments.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("format").is_some_and(Value::is_string) {
                members.remove("format");
            }
            if let Some(Value::String(description)) = members.get_mut("description") {
                *description = description.replace('\n', " ");
            }
            members.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}
