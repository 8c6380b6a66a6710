//! The bus as an `AsyncAPI` 3 document: which queue carries what.

use serde_json::{Map, Value, json};

use super::{Form, generating, inline};
use crate::channel::ChannelMessage;
use crate::event::AgentEvent;
use crate::field::Field;
use crate::name::AgentType;

/// Channels as the protocol names them, with the messages that they carry.
fn channels() -> Vec<(String, String, &'static [&'static str])> {
    let agents = AgentType::ALL.iter().filter(|agent| **agent != AgentType::Orchestrator);
    let mut channels: Vec<(String, String, &'static [&'static str])> = agents
        .map(|agent| {
            let address = format!("work_queue.{agent}");
            let docs = format!("Requests to agents of type {agent}.");
            (address, docs, &["WorkRequestEnvelope"][..])
        })
        .collect();
    channels.push((
        "reply_queue".to_owned(),
        "Results, progress, heartbeats and errors, to the orchestrator.".to_owned(),
        &["WorkStatusEnvelope", "WorkResultEnvelope", "StatusUpdateEnvelope", "ErrorMessageEnvelope"],
    ));
    channels.push((
        "broadcast".to_owned(),
        "Cancels and announcements; each agent reads in a group of its own.".to_owned(),
        &["WorkRequestEnvelope"],
    ));
    channels.push((
        "channel.{name}".to_owned(),
        "Messages between agents on a named channel.".to_owned(),
        &["ChannelMessage"],
    ));
    channels.push(("t.{tenant}.events.{stream}".to_owned(), "Events of one tenant.".to_owned(), &["AgentEvent"]));
    channels
}

fn key(address: &str) -> String {
    address.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

pub(super) fn document() -> Value {
    let mut channel_map = Map::new();
    let mut operations = Map::new();
    for (address, docs, carried) in channels() {
        let key = key(&address);
        let carried_refs: Map<String, Value> = carried
            .iter()
            .map(|name| ((*name).to_owned(), json!({"$ref": format!("#/components/messages/{name}")})))
            .collect();
        let mut channel = json!({"address": address, "description": docs, "messages": carried_refs});
        let parameters: Map<String, Value> = ["name", "tenant", "stream"]
            .iter()
            .filter(|name| address.contains(&format!("{{{name}}}")))
            .map(|name| ((*name).to_owned(), json!({"description": format!("The {name}.")})))
            .collect();
        if !parameters.is_empty() {
            channel["parameters"] = Value::Object(parameters);
        }
        channel_map.insert(key.clone(), channel);
        for action in ["send", "receive"] {
            operations.insert(
                format!("{action}_{key}"),
                json!({
                    "action": action,
                    "channel": {"$ref": format!("#/channels/{key}")},
                    "summary": format!("{action} on {address}"),
                }),
            );
        }
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Workwire",
            "version": crate::version::Version::CURRENT.to_string(),
            "description": "The wire protocol for work between agents.",
            "license": {"name": "MIT OR Apache-2.0"}
        },
        "defaultContentType": "application/json",
        "channels": channel_map,
        "operations": operations,
        "components": {"messages": messages()},
    })
}

/// Each message with its schema whole: parsers look for `#/$defs` in the document, not in the schema.
fn messages() -> Map<String, Value> {
    let (definitions, references) = generating::parts();
    let definitions = Value::Object(definitions);
    let mut schemas: Vec<Value> = references;
    for schema in &mut schemas {
        inline(schema, &definitions);
    }
    for (name, mut schema) in [
        ("ChannelMessage", ChannelMessage::schema(Form::Generating)),
        ("AgentEvent", AgentEvent::schema(Form::Generating)),
    ] {
        schema["title"] = json!(name);
        schemas.push(schema);
    }
    schemas
        .into_iter()
        .map(|schema| {
            let name = schema["title"].as_str().unwrap_or_default().to_owned();
            let message = json!({
                "name": name,
                "title": name,
                "summary": schema["description"],
                "contentType": "application/json",
                "payload": {
                    "schemaFormat": "application/schema+json;version=draft-2020-12",
                    "schema": schema
                }
            });
            (name, message)
        })
        .collect()
}
