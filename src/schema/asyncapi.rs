//! The bus as an `AsyncAPI` 3 document: which queue carries what.

use serde_json::{Map, Value, json};

use super::{Form, generating, inline};
use crate::channel::ChannelMessage;
use crate::event::AgentEvent;
use crate::field::Field;
use crate::name::AgentType;

/// A queue or stream: what it is called here and on a broker, and what it carries.
struct Channel {
    key: String,
    address: String,
    docs: String,
    messages: &'static [&'static str],
    /// The parts of the address in braces.
    parameters: &'static [(&'static str, &'static str)],
}

fn channel(key: &str, docs: &str, messages: &'static [&'static str]) -> Channel {
    Channel { key: key.to_owned(), address: key.to_owned(), docs: docs.to_owned(), messages, parameters: &[] }
}

/// Channels as the protocol names them.
fn channels() -> Vec<Channel> {
    let agents = AgentType::ALL.iter().filter(|agent| **agent != AgentType::Orchestrator);
    let mut channels: Vec<Channel> = agents
        .map(|agent| Channel {
            key: format!("work_queue_{agent}"),
            address: format!("work_queue.{agent}"),
            ..channel("", &format!("Requests to agents of type {agent}."), &["WorkRequestEnvelope"])
        })
        .collect();
    channels.push(channel(
        "reply_queue",
        "Results, progress, heartbeats and errors, to the orchestrator.",
        &["WorkStatusEnvelope", "WorkResultEnvelope", "StatusUpdateEnvelope", "ErrorMessageEnvelope"],
    ));
    channels.push(channel(
        "broadcast",
        "Cancels and announcements; each agent reads in a group of its own.",
        &["WorkRequestEnvelope"],
    ));
    channels.push(Channel {
        address: "channel.{name}".to_owned(),
        parameters: &[("name", "What the messages on it hold as their `channel`.")],
        ..channel("channel", "Messages between agents on a named channel.", &["ChannelMessage"])
    });
    channels.push(Channel {
        address: "t.{tenant}.events.{stream}".to_owned(),
        parameters: &[
            ("tenant", "What the events on it hold as their `tenant_id`."),
            ("stream", "The name of one of the tenant's streams, for example `tasks`."),
        ],
        ..channel("tenant_events", "Events of one tenant.", &["AgentEvent"])
    });
    channels
}

fn channel_item(channel: &Channel) -> Value {
    let message = |name: &&str| ((*name).to_owned(), json!({"$ref": format!("#/components/messages/{name}")}));
    let messages: Map<String, Value> = channel.messages.iter().map(message).collect();
    let mut item = json!({"address": channel.address, "description": channel.docs, "messages": messages});
    if !channel.parameters.is_empty() {
        let parameter = |(name, docs): &(&str, &str)| ((*name).to_owned(), json!({"description": docs}));
        item["parameters"] = channel.parameters.iter().map(parameter).collect::<Map<_, _>>().into();
    }
    item
}

/// Whoever speaks the protocol may stand at either end.
fn operations(channel: &Channel) -> impl Iterator<Item = (String, Value)> {
    ["send", "receive"].into_iter().map(|action| {
        let operation = json!({
            "action": action,
            "channel": {"$ref": format!("#/channels/{}", channel.key)},
            "summary": format!("{action} on {}", channel.address),
        });
        (format!("{action}_{}", channel.key), operation)
    })
}

pub(super) fn document() -> Value {
    let channels = channels();
    let items: Map<String, Value> = channels.iter().map(|each| (each.key.clone(), channel_item(each))).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Workwire",
            "version": crate::version::Version::CURRENT.to_string(),
            "description": "The wire protocol for work between agents.",
            "license": {"name": "MIT OR Apache-2.0"}
        },
        "defaultContentType": "application/json",
        "channels": items,
        "operations": channels.iter().flat_map(operations).collect::<Map<_, _>>(),
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
