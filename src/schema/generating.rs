//! The envelope in a form to generate types from: one standalone message type for each payload,
//! told apart by `type`, without conditions.

use serde_json::{Map, Value, json};

use super::{Form, plain_object};
use crate::envelope::MessageEnvelope;
use crate::field::Field;
use crate::name::AgentType;
use crate::payload::payload_schemas;
use crate::rule::Rule;
use crate::status::AgentStatus;
use crate::work::{Outcome, Progress, Step};

/// What needs a condition, or would close a type that later versions add to. (ENV-5 is carried: every
/// payload has fields that are required.)
pub(crate) const NOT_CARRIED: &[Rule] = &[Rule::Fld2, Rule::Wrq3, Rule::Wrs4, Rule::Stu3, Rule::Chn4];

pub(super) fn envelope() -> Value {
    let (mut definitions, messages) = parts();
    for (name, shared) in shared_types() {
        definitions.values_mut().for_each(|definition| refer(definition, name, &shared));
        definitions.insert(name.to_owned(), shared);
    }
    definitions.values_mut().for_each(without_default_of_map);
    json!({
        "oneOf": messages,
        "discriminator": {"propertyName": "type"},
        "$defs": definitions,
    })
}

/// The definitions, and references to the message types among them.
pub(super) fn parts() -> (Map<String, Value>, Vec<Value>) {
    let mut definitions = Map::new();
    let mut messages = Vec::new();
    for (message_type, name, mut payload) in payload_schemas(Form::Generating) {
        payload["title"] = json!(name);
        let mut message = plain_object(MessageEnvelope::table(Form::Generating), Form::Generating);
        message["properties"]["type"]["const"] = json!(message_type.as_str());
        message["properties"]["type"]["examples"] = json!([message_type.as_str()]);
        if let Some(members) = message["properties"]["type"].as_object_mut() {
            members.remove("enum");
        }
        message["properties"]["payload"] = json!({"$ref": format!("#/$defs/{name}")});
        let message_name = format!("{name}Envelope");
        message["title"] = json!(message_name);
        message["description"] = json!(format!("An envelope with a payload of type {message_type}."));
        messages.push(json!({"$ref": format!("#/$defs/{message_name}")}));
        definitions.insert(name.to_owned(), payload);
        definitions.insert(message_name, message);
    }
    (definitions, messages)
}

/// Types that a generator would otherwise make anew, under another name, for every field.
fn shared_types() -> Vec<(&'static str, Value)> {
    fn of<T: Field>(name: &'static str) -> (&'static str, Value) {
        let mut schema = T::schema(Form::Generating);
        schema["title"] = json!(name);
        (name, schema)
    }
    vec![
        of::<AgentType>("AgentType"),
        of::<AgentStatus>("AgentStatus"),
        of::<Progress>("Progress"),
        of::<Outcome>("Outcome"),
        of::<Step>("Step"),
    ]
}

/// Of a default beside keys of a type, typify makes code that does not compile.
fn without_default_of_map(definition: &mut Value) {
    for field in fields(definition).filter(|field| field["additionalProperties"].is_object()) {
        if let Some(members) = field.as_object_mut() {
            members.remove("default");
        }
    }
}

fn fields(definition: &mut Value) -> impl Iterator<Item = &mut Value> {
    let fields = definition.get_mut("properties").and_then(Value::as_object_mut);
    fields.into_iter().flatten().map(|(_, field)| field)
}

/// Puts references to a shared type in the place of the fields that are of it. They stand alone:
/// beside a description, generators make a type of its own of each.
fn refer(definition: &mut Value, name: &str, shared: &Value) {
    for field in fields(definition) {
        let same = |member: &str| shared.get(member).is_some() && field.get(member) == shared.get(member);
        if same("enum") || same("properties") {
            *field = json!({"$ref": format!("#/$defs/{name}")});
        }
    }
}
