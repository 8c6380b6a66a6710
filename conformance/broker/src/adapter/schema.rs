//! The shapes of the protocol as JSON Schemas, for those who write an adapter in another language.

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};
use workwire::SchemaFile;

use super::wire::{Answer, Call, Request, Visit, each};

/// One file for each method, and one for the frame around all of them.
///
/// ```
/// let files = workwire_broker::adapter::schemas();
/// assert!(files.iter().any(|file| file.path() == "adapter/fetch.json"));
/// ```
#[must_use]
pub fn schemas() -> Vec<SchemaFile> {
    let mut methods = Methods(vec![frame()]);
    each(&mut methods);
    methods.0
}

struct Methods(Vec<SchemaFile>);

impl Visit for Methods {
    fn visit<C: Call>(&mut self) {
        self.0.push(method::<C>());
    }
}

/// A method's parameters and its result, as the members of one object: each can be referred to by
/// itself (`#/properties/params`), and a request is validated together with its answer.
fn method<C: Call>() -> SchemaFile {
    let pair = json!({
        "type": "object",
        "required": ["params", "result"],
        "properties": {"params": of::<C>(), "result": of::<C::Result>()}
    });
    file(C::METHOD.as_str(), C::METHOD.what(), pair)
}

fn frame() -> SchemaFile {
    let lines = json!({
        "oneOf": [{"$ref": "#/$defs/request"}, {"$ref": "#/$defs/answer"}],
        "$defs": {"request": of::<Request<Map<String, Value>>>(), "answer": of::<Answer<Map<String, Value>>>()}
    });
    file("frame", "A line: what the runner writes, or what the adapter does.", lines)
}

fn file(name: &str, what: &str, mut schema: Value) -> SchemaFile {
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(format!("https://workwire.dev/schemas/v1/adapter/{name}.json"));
    schema["title"] = json!(name);
    schema["description"] = json!(what);
    SchemaFile::new(format!("adapter/{name}.json"), &schema)
}

/// What is read, since each side has to take what the other may write.
fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = SchemaGenerator::new(settings).subschema_for::<T>().to_value();
    plain(&mut schema);
    schema
}

/// Takes out what validators disagree about or know nothing of, and says in one list what is one of
/// several words.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.remove("format");
            if let Some(Value::String(description)) = members.get_mut("description") {
                *description = description.replace('\n', " ");
            }
            words(members);
            members.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

fn words(members: &mut Map<String, Value>) {
    let word = |choice: &Value| choice.get("type").and(choice.get("const")).filter(|word| word.is_string()).cloned();
    let choices = members.get("oneOf").and_then(Value::as_array);
    let Some(words) = choices.and_then(|choices| choices.iter().map(word).collect::<Option<Vec<_>>>()) else { return };
    members.remove("oneOf");
    members.insert("type".to_owned(), json!("string"));
    members.insert("enum".to_owned(), Value::Array(words));
}
