//! A message as the fields of a stream's entry, and back.
//!
//! An event goes as its stream form where that gives back the very same bytes; all else goes as `body`,
//! with `message_id` beside it. Fields that begin with `_` are ours. What others have added is read too.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use uuid::Uuid;
use workwire::{AgentEvent, Decoder, MessageEnvelope, TraceParent};

use crate::contract::Message;
use crate::redis::reply::Fields;

/// How canonical documents begin.
const EVENT: &[u8] = b"{\"event_id\":";
const ENVELOPE: &[u8] = b"{\"protocol_version\":";

/// Fields of ours that an event's stream form must not have.
const OURS: &[&str] = &["body", "message_id", "request_id", "traceparent", "expires_at"];

/// The most fields of a stream form: a later version may have more than a script can take in one call.
const MOST_FIELDS: usize = 500;

pub(super) struct Written {
    pub(super) fields: Vec<(Cow<'static, str>, Bytes)>,
    /// The name of the field in which its expiry goes.
    pub(super) expiry: &'static str,
}

pub(super) fn write(message: &Message, ttl_ms: Option<i64>) -> Written {
    let mut written = as_event(message).unwrap_or_else(|| as_body(message));
    if let Some(to) = &message.to {
        written.fields.push((Cow::Borrowed("_to"), Bytes::from(to.clone())));
    }
    if let Some(ttl) = ttl_ms {
        written.fields.push((Cow::Borrowed("_ttl_ms"), Bytes::from(ttl.to_string())));
    }
    written
}

fn as_event(message: &Message) -> Option<Written> {
    let text = message.body.starts_with(EVENT).then(|| std::str::from_utf8(&message.body).ok())??;
    let event = AgentEvent::from_json(text).ok()?;
    let stream = event.to_stream();
    let borrowed = stream.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    if AgentEvent::from_stream(borrowed).ok()?.to_json() != text {
        return None;
    }
    if stream.len() > MOST_FIELDS || stream.iter().any(|(name, _)| OURS.contains(&name.as_str())) {
        return None;
    }
    let mut fields: Vec<_> = stream.into_iter().map(|(name, value)| (Cow::Owned(name), Bytes::from(value))).collect();
    if event.event_id().as_uuid() != &message.id {
        fields.push((Cow::Borrowed("_id"), Bytes::from(message.id.to_string())));
    }
    Some(Written { fields, expiry: "_expires_at" })
}

fn as_body(message: &Message) -> Written {
    let mut fields = vec![(Cow::Borrowed("message_id"), Bytes::from(message.id.to_string()))];
    if let Ok(text) = std::str::from_utf8(&message.body) {
        fields.push((Cow::Borrowed("body"), message.body.clone()));
        fields.extend(correlation(text));
    } else {
        // Readers of the field take texts alone.
        fields.push((Cow::Borrowed("body"), Bytes::from(STANDARD.encode(&message.body))));
        fields.push((Cow::Borrowed("_encoding"), Bytes::from_static(b"base64")));
    }
    Written { fields, expiry: "expires_at" }
}

/// What an envelope is known by on the transport.
fn correlation(text: &str) -> Vec<(Cow<'static, str>, Bytes)> {
    let is_envelope = text.as_bytes().starts_with(ENVELOPE);
    let Some(envelope) = is_envelope.then(|| MessageEnvelope::from_json(text).ok()).flatten() else {
        return Vec::new();
    };
    let mut fields = vec![(Cow::Borrowed("request_id"), Bytes::from(envelope.request_id().to_string()))];
    let trace = TraceParent::of_message(&envelope);
    fields.extend(trace.map(|trace| (Cow::Borrowed("traceparent"), Bytes::from(trace.to_string()))));
    fields
}

/// A message as an entry tells it: its id and its bytes.
pub(super) fn read(entry: &str, fields: Fields) -> (Uuid, Bytes) {
    let id = id_of(entry, &fields);
    let is_base64 = fields.iter().any(|(name, value)| name == b"_encoding" && value == b"base64");
    if let Some(at) = fields.iter().position(|(name, _)| name == b"body") {
        let body = fields.into_iter().nth(at).map(|(_, value)| value).unwrap_or_default();
        let decoded = is_base64.then(|| STANDARD.decode(&body).ok()).flatten();
        return (id, Bytes::from(decoded.unwrap_or(body)));
    }
    (id, body_of(&fields))
}

/// The JSON of an event, or of what its fields say where they are none.
fn body_of(fields: &Fields) -> Bytes {
    let texts: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        fields.iter().map(|(name, value)| (String::from_utf8_lossy(name), String::from_utf8_lossy(value))).collect();
    let borrowed = || texts.iter().map(|(name, value)| (&**name, &**value));
    let event = AgentEvent::from_stream(borrowed()).or_else(|_| Decoder::lenient().decode_stream(borrowed()));
    if let Ok(event) = event {
        return Bytes::from(event.to_json());
    }
    let told = borrowed().filter(|(name, _)| !name.starts_with('_'));
    let object: serde_json::Map<String, serde_json::Value> =
        told.map(|(name, value)| (name.to_owned(), value.into())).collect();
    Bytes::from(serde_json::Value::Object(object).to_string())
}

fn id_of(entry: &str, fields: &Fields) -> Uuid {
    let named = |wanted: &str| {
        let (_, value) = fields.iter().rev().find(|(name, _)| name == wanted.as_bytes())?;
        let text = std::str::from_utf8(value).ok().filter(|text| text.len() == 36)?;
        Uuid::try_parse(text).ok()
    };
    named("_id").or_else(|| named("message_id")).or_else(|| named("event_id")).unwrap_or_else(|| made_of(entry))
}

/// The id of a message whose producer gave none: its entry's, as the scripts make it too.
fn made_of(entry: &str) -> Uuid {
    let (ms, seq) = entry.split_once('-').unwrap_or((entry, "0"));
    let (ms, seq) = (ms.parse::<u64>().unwrap_or(0), seq.parse::<u64>().unwrap_or(0));
    let high = (ms & 0xFFFF_FFFF_FFFF) << 16 | 0x8000;
    let low = 0x8000_0000_0000_0000 | (seq & 0x0FFF_FFFF_FFFF_FFFF);
    Uuid::from_u64_pair(high, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(written: Written) -> (Uuid, Bytes) {
        let fields = written.fields.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec()));
        read("1-0", fields.collect())
    }

    #[test]
    fn bytes_come_back_unchanged_whatever_they_are() {
        let every: Vec<u8> = (0..=255).collect();
        for body in [&b""[..], b"{\"event_id\":", b"plain", &every, b"{\"event_id\": 1 }"] {
            let message = Message::new(Uuid::now_v7(), body.to_vec());
            assert_eq!(back(write(&message, None)), (message.id, message.body));
        }
    }

    #[test]
    fn an_event_goes_as_its_stream_form() {
        let tenant = "acme".parse().unwrap();
        let event = AgentEvent::compose(workwire::EventType::TaskFailed, tenant, "coder-2".parse().unwrap()).build();
        let event = event.unwrap();
        for id in [*event.event_id().as_uuid(), Uuid::now_v7()] {
            let message = Message::new(id, event.to_json());
            let written = write(&message, None);
            assert!(written.fields.iter().any(|(name, value)| name == "event_type" && value == "task_failed"));
            assert_eq!(back(written), (message.id, message.body));
        }
    }

    #[test]
    fn an_entry_that_says_nothing_has_an_id_all_the_same() {
        let fields = vec![(b"colour".to_vec(), b"blue".to_vec())];
        let (id, body) = read("1764360632123-7", fields);
        assert_eq!(&body[..], br#"{"colour":"blue"}"#);
        assert_eq!(id.to_string(), "019acc16-b73b-8000-8000-000000000007");
    }
}
