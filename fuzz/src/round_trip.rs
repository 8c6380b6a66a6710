//! To every other form and back: nothing is lost, and what is written can be read.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use workwire::{AgentEvent, AnyDocument, Decoder, Document, DocumentKind, MessageEnvelope, Payload, Scope};

use crate::refusal;

/// Reads bytes in every form in which a document can come, and carries what is accepted through
/// all of them.
pub fn round_trip(data: &[u8]) {
    for decoder in [Decoder::strict(), Decoder::lenient()] {
        for kind in DocumentKind::ALL {
            if let Ok(document) = kind.decode(&decoder, data) {
                check(&document);
            }
        }
        match AnyDocument::from_cloud_event(&decoder, data) {
            Ok(document) => check(&document),
            // The document inside may be as deep as one by itself.
            Err(error) => refusal::check_in(data, &[64, 65], &error),
        }
        match decoder.decode_stream_json(data) {
            Ok(event) => check(&AnyDocument::Event(event)),
            Err(error) => refusal::check(&error),
        }
    }
}

fn check(document: &AnyDocument) {
    let text = document.to_json();
    serde_json::from_str::<Value>(&text).expect("what is written is JSON");
    for decoder in [Decoder::strict(), Decoder::lenient()] {
        let again = document.kind().decode(&decoder, text.as_bytes()).expect("what was written can be read");
        assert_eq!(&again, document);
        assert_eq!(again.to_json(), text, "the canonical form is a fixpoint");
    }
    for warning in &document.warnings() {
        assert_eq!(warning.rule().scope(), Scope::Warning, "{warning}");
    }
    cloud_event(document);
    match document {
        AnyDocument::Envelope(envelope) => {
            serde(envelope, &text);
            payload(envelope);
        }
        AnyDocument::Channel(message) => serde(message, &text),
        AnyDocument::Event(event) => {
            serde(event, &text);
            stream(event);
        }
    }
}

fn cloud_event(document: &AnyDocument) {
    let text = document.to_cloud_event();
    let again = AnyDocument::from_cloud_event(&Decoder::strict(), text.as_bytes()).expect("as a CloudEvent");
    assert_eq!(&again, document);
    assert_eq!(again.to_cloud_event(), text);
}

fn serde<D: Document + Serialize + DeserializeOwned + PartialEq + Debug>(document: &D, text: &str) {
    assert_eq!(serde_json::to_string(document).expect("serde writes it"), text);
    assert_eq!(&serde_json::from_str::<D>(text).expect("serde reads it"), document);
}

/// A payload is a document by itself. It has no version of its own, so that fields of a later one
/// are not known there.
fn payload(envelope: &MessageEnvelope) {
    fn alone<D: Document + PartialEq + Debug>(payload: &D) {
        assert_eq!(D::from_json(&payload.to_json()).as_ref(), Ok(payload));
    }
    if envelope.protocol_version().is_later() {
        return;
    }
    match envelope.payload() {
        Payload::WorkRequest(payload) => alone(payload),
        Payload::WorkStatus(payload) => alone(payload),
        Payload::WorkResult(payload) => alone(payload),
        Payload::StatusUpdate(payload) => alone(payload),
        Payload::Error(payload) => alone(payload),
    }
}

fn stream(event: &AgentEvent) {
    // In a stream such a name is the transport's (STR-2), so the field has no place there.
    let text: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&event.to_json()).expect("what is written is JSON");
    if text.keys().any(|key| key.starts_with('_')) {
        return;
    }
    let fields = event.to_stream();
    let borrowed = fields.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    assert_eq!(AgentEvent::from_stream(borrowed).as_ref(), Ok(event));
    let string = |text: &str| serde_json::to_string(text).expect("a text is JSON");
    let members: Vec<String> = fields.iter().map(|(key, value)| format!("{}:{}", string(key), string(value))).collect();
    let object = format!("{{{}}}", members.join(","));
    assert_eq!(Decoder::strict().decode_stream_json(object.as_bytes()).as_ref(), Ok(event));
}
