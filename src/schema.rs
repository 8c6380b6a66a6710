//! From the types to JSON Schema 2020-12 and `AsyncAPI` 3.
//!
//! Of each document there are two forms: one to validate with, whose errors name the exact place,
//! and one to generate types from, which says less and takes more. [`schemas`] gives the files.

mod asyncapi;
mod generating;
mod print;

use serde_json::{Map, Value, json};

use crate::channel::ChannelMessage;
use crate::codec::DocumentKind;
use crate::document::{FieldInfo, Need};
use crate::envelope::MessageEnvelope;
use crate::event::AgentEvent;
use crate::field::Field;
use crate::payload::payload_schemas;
use crate::work::Step;

pub(crate) use generating::NOT_CARRIED;
use print::{ORDER, print};

/// What a schema is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Accepts what a strict reader accepts.
    Strict,
    /// Accepts what a lenient reader accepts.
    Open,
    /// Describes types to generators; accepts a superset.
    Generating,
}

/// A file below `schemas/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFile {
    path: String,
    text: String,
}

impl SchemaFile {
    /// A schema in the form of the others: the keys in the order in which a person reads them.
    #[must_use]
    pub fn new(path: impl Into<String>, schema: &Value) -> Self {
        SchemaFile { path: path.into(), text: print(schema) }
    }

    /// Where it lies, relative to `schemas/`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What it holds.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Every schema file of this crate, made from the types.
///
/// ```
/// let files = workwire::schemas();
/// assert!(files.iter().any(|file| file.path() == "envelope.json"));
/// ```
#[must_use]
pub fn schemas() -> Vec<SchemaFile> {
    vec![
        SchemaFile::new("envelope.json", &document(DocumentKind::Envelope, Form::Strict)),
        SchemaFile::new("channel.json", &document(DocumentKind::Channel, Form::Strict)),
        SchemaFile::new("event.json", &document(DocumentKind::Event, Form::Strict)),
        SchemaFile::new("open/envelope.json", &document(DocumentKind::Envelope, Form::Open)),
        SchemaFile::new("open/channel.json", &document(DocumentKind::Channel, Form::Open)),
        SchemaFile::new("open/event.json", &document(DocumentKind::Event, Form::Open)),
        SchemaFile::new("generate/envelope.json", &document(DocumentKind::Envelope, Form::Generating)),
        SchemaFile::new("generate/channel.json", &document(DocumentKind::Channel, Form::Generating)),
        SchemaFile::new("generate/event.json", &document(DocumentKind::Event, Form::Generating)),
        SchemaFile::new("asyncapi.json", &asyncapi::document()),
    ]
}

/// The rules marked `schema` that the form for generators does not carry; with CHN-4, also that an
/// answer's `artifact_path` is a string (FLD-1).
#[must_use]
pub fn not_in_generating_form() -> &'static [crate::Rule] {
    NOT_CARRIED
}

const BASE: &str = "https://workwire.dev/schemas/v1/";

/// The `$id` of the strict validating schema.
pub(crate) fn schema_id(kind: DocumentKind) -> String {
    format!("{BASE}{kind}.json")
}

fn document(kind: DocumentKind, form: Form) -> Value {
    let mut schema = match (kind, form) {
        (DocumentKind::Envelope, Form::Generating) => generating::envelope(),
        (DocumentKind::Envelope, _) => envelope(form),
        (DocumentKind::Channel, _) => ChannelMessage::schema(form),
        (DocumentKind::Event, _) => AgentEvent::schema(form),
    };
    let (folder, title, purpose) = match form {
        Form::Strict => ("", "", "Accepts what a strict reader accepts."),
        Form::Open => ("open/", ", open", "Accepts what a lenient reader accepts: unknown fields too."),
        Form::Generating => {
            ("generate/", ", to generate types from", "Says less than the validating form, and accepts more.")
        }
    };
    let (name, docs) = match kind {
        DocumentKind::Envelope => ("MessageEnvelope", MessageEnvelope::DOCS),
        DocumentKind::Channel => ("ChannelMessage", ChannelMessage::DOCS),
        DocumentKind::Event => ("AgentEvent", AgentEvent::DOCS),
    };
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(format!("{BASE}{folder}{kind}.json"));
    // Generators name the type after the title.
    schema["title"] = json!(if form == Form::Generating { name.to_owned() } else { format!("{name}{title}") });
    schema["description"] = json!(format!("{} {purpose}", sentence(docs)));
    schema
}

/// The schema of a type by itself, for `schemars`.
pub(crate) fn of<T: Field>() -> schemars::Schema {
    let mut schema = T::schema(Form::Strict);
    let definitions = schema.as_object_mut().and_then(|members| members.remove("$defs")).unwrap_or_default();
    inline(&mut schema, &definitions);
    print::strip_order(&mut schema);
    schemars::Schema::try_from(schema).unwrap_or_default()
}

/// Puts definitions in the place of the references to them.
fn inline(schema: &mut Value, definitions: &Value) {
    match schema {
        Value::Object(members) => {
            let target = members.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix("#/$defs/"));
            if let Some(definition) = target.and_then(|name| definitions.get(name)) {
                *schema = definition.clone();
                return inline(schema, definitions);
            }
            members.values_mut().for_each(|member| inline(member, definitions));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| inline(item, definitions)),
        _ => {}
    }
}

fn sentence(docs: &[&str]) -> String {
    docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// Adds the documentation of a type to its schema.
pub(crate) fn described(mut schema: Value, docs: &[&str]) -> Value {
    schema["description"] = json!(sentence(docs));
    schema
}

/// `null` as absence, beside what the schema says.
fn nullable(mut schema: Value) -> Value {
    if let Some(kind) = schema.get("type").and_then(Value::as_str) {
        schema["type"] = json!([kind, "null"]);
    }
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    schema
}

/// An object from the table of its fields, with the rules across fields and about unknown ones.
pub(crate) fn object(docs: &[&str], table: Vec<FieldInfo>, form: Form) -> Value {
    let names: Vec<&str> = table.iter().map(|field| field.name).collect();
    let mut schema = described(plain_object(table, form), docs);
    if form != Form::Generating {
        schema["allOf"] = Value::Array(across_fields(&names, form));
        if schema["allOf"].as_array().is_some_and(Vec::is_empty)
            && let Some(members) = schema.as_object_mut()
        {
            members.remove("allOf");
        }
    }
    schema
}

/// An object from the table of its fields. Fields that are not in it are left open.
pub(crate) fn plain_object(table: Vec<FieldInfo>, form: Form) -> Value {
    let mut required = Vec::new();
    let mut properties = Map::new();
    let mut order = Vec::new();
    for field in table {
        order.push(json!(field.name));
        let mut schema = match &field.need {
            Need::Required => {
                required.push(json!(field.name));
                field.schema
            }
            Need::Optional | Need::Default(_) => nullable(field.schema),
        };
        if let Need::Default(default) = &field.need {
            schema["default"] = serde_json::from_str(default).unwrap_or_default();
        }
        if let Some(example) = field.example.and_then(|example| serde_json::from_str::<Value>(example).ok()) {
            schema["examples"] = json!([example]);
        }
        schema["description"] = json!(sentence(field.docs));
        if form != Form::Generating {
            // A generator would make a type of its own of everything that has a title.
            schema["title"] = json!(field.name.replace('_', " "));
        }
        properties.insert(field.name.to_owned(), schema);
    }
    let mut schema = json!({"type": "object", "properties": properties, ORDER: order});
    if !required.is_empty() {
        schema["required"] = Value::Array(required);
    }
    schema
}

/// Holds only in documents of the version that this library knows.
fn in_known_version(version_field: &str, then: &Value) -> Value {
    let version = crate::version::Version::CURRENT.to_string();
    json!({"if": {"properties": {version_field: {"enum": [version, null]}}}, "then": then})
}

/// These fields, whatever they hold.
pub(crate) fn named(names: &[&str]) -> Value {
    let properties: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), json!(true))).collect();
    json!({"properties": properties, ORDER: names})
}

/// No other fields than these.
fn closed(names: &[&str]) -> Value {
    let mut schema = named(names);
    schema["type"] = json!("object");
    schema["additionalProperties"] = json!(false);
    schema
}

/// What JSON Schema can say of a document beyond its fields one by one. The documents are known by
/// the names of their fields.
fn across_fields(names: &[&str], form: Form) -> Vec<Value> {
    let mut rules = Vec::new();
    let has = |name: &str| names.contains(&name);
    if has("work_type") {
        rules.push(json!({
            "if": {"properties": {"work_type": {"const": "cancel"}}, "required": ["work_type"]},
            "then": {
                "required": ["parameters"],
                "properties": {"parameters": {
                    "type": "object", "required": ["task_id"],
                    "properties": {"task_id": crate::id::TaskId::schema(form)}
                }}
            }
        }));
    }
    if has("exit_code") {
        rules.push(json!({
            "if": {"properties": {"status": {"const": "failed"}}, "required": ["status"]},
            "then": {
                "required": ["error_message"],
                "properties": {"error_message": {"type": "string", "minLength": 1}}
            }
        }));
    }
    if has("channel") {
        let path = nullable(crate::name::ArtifactPath::schema(form));
        rules.push(json!({
            "if": {"properties": {"type": {"type": "string", "pattern": "\\.response$"}}, "required": ["type"]},
            "then": {"properties": {"payload": {"type": "object", "properties": {"artifact_path": path}}}}
        }));
    }
    if form == Form::Strict && has("version") {
        rules.push(in_known_version("version", &closed(names)));
    }
    rules
}

/// The envelope in a form to validate with: the payload by its type, so that an error names the
/// place in the payload.
pub(crate) fn envelope(form: Form) -> Value {
    let table = MessageEnvelope::table(form);
    let names: Vec<&str> = table.iter().map(|field| field.name).collect();
    let mut schema = plain_object(table, form);
    schema["properties"]["payload"]["minProperties"] = json!(1);
    let mut definitions = Map::new();
    let mut rules = Vec::new();
    let mut closed_payloads = Vec::new();
    let when = |message_type: &str, then: Value| {
        json!({
            "if": {"properties": {"type": {"const": message_type}}, "required": ["type"]},
            "then": {"properties": {"payload": then}}
        })
    };
    for (message_type, name, mut payload) in payload_schemas(form) {
        payload["title"] = json!(name);
        closed_payloads.push(when(message_type.as_str(), closed_payload(&payload)));
        definitions.insert(name.to_owned(), payload);
        rules.push(when(message_type.as_str(), json!({"$ref": format!("#/$defs/{name}")})));
    }
    if form == Form::Strict {
        let mut then = closed(&names);
        then["allOf"] = Value::Array(closed_payloads);
        rules.push(in_known_version("protocol_version", &then));
    }
    schema["allOf"] = Value::Array(rules);
    schema["$defs"] = Value::Object(definitions);
    schema
}

fn closed_payload(payload: &Value) -> Value {
    let names = |schema: &Value| -> Vec<String> {
        let order = schema[ORDER].as_array();
        order.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    };
    let close = |schema: &Value| closed(&names(schema).iter().map(String::as_str).collect::<Vec<_>>());
    let mut schema = close(payload);
    if payload["properties"].get("step").is_some() {
        schema["properties"]["step"] = close(&Step::schema(Form::Strict));
    }
    schema
}
