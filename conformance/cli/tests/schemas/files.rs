//! The schema files, as they are made from the types.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder that they are committed in.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas")
}

/// A schema file by its path below the folder.
pub(crate) fn schema(path: &str) -> Value {
    let files = workwire::schemas();
    let file = files.iter().find(|file| file.path() == path).unwrap_or_else(|| panic!("{path}: there is none"));
    serde_json::from_str(file.text()).unwrap()
}

/// The schemas in all of the files, each with a name; of the `AsyncAPI` document, one of each message.
pub(crate) fn all() -> Vec<(String, Value)> {
    let mut schemas = Vec::new();
    for file in workwire::schemas() {
        let value: Value = serde_json::from_str(file.text()).unwrap();
        if file.path() == "asyncapi.json" {
            let messages = value["components"]["messages"].as_object().unwrap();
            let name = |name: &String| format!("asyncapi.json {name}");
            schemas.extend(messages.iter().map(|(key, message)| (name(key), message["payload"]["schema"].clone())));
        } else {
            schemas.push((file.path().to_owned(), value));
        }
    }
    schemas
}
