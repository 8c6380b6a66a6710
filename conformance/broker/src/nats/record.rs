//! What stands in a queue's stream under a message's subject: the message, with where it is in its life.
//!
//! A subject holds one record. Whatever happens to a message is a new record in place of the old one,
//! stored only if the old one is still the last: so each step of a life is taken once, and whole.

use async_nats::{HeaderMap, HeaderValue};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;
use uuid::Uuid;
use workwire::{Timestamp, TraceId, TraceParent};

use super::names;
use crate::clock::{Millis, timestamp};

pub(super) const MESSAGE_ID: &str = "Nats-Msg-Id";
/// How long the server keeps a record, in whole seconds.
pub(super) const KEPT: &str = "Nats-TTL";
const STATE: &str = "Workwire-State";
const EXPIRES_AT: &str = "Workwire-Expires-At";
const DUE_AT: &str = "Workwire-Due-At";
const TTL_MS: &str = "Workwire-Ttl-Ms";
const ATTEMPTS: &str = "Workwire-Attempts";
const PLACE: &str = "Workwire-Place";
const PUBLISHED_AT: &str = "Workwire-Published-At";
const REASON: &str = "Workwire-Reason";
const DIED_AT: &str = "Workwire-Died-At";
const REPLAYED: &str = "Workwire-Replayed";
const OWN: &[&str] = &[STATE, EXPIRES_AT, DUE_AT, TTL_MS, ATTEMPTS, PLACE, PUBLISHED_AT, REASON, DIED_AT, REPLAYED];

/// Where a message is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// In the queue.
    Live,
    /// A dead letter.
    Dead,
    /// Done, dropped or purged; kept for as long as its id is remembered.
    Gone,
}

/// A message as its record tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) subject: String,
    pub(super) id: Uuid,
    pub(super) priority: i64,
    pub(super) to: Option<String>,
    pub(super) state: State,
    /// How many attempts are used up; of a letter the number of its last delivery.
    pub(super) attempts: u32,
    /// Its place among those of its priority, where that is not the record's own number.
    pub(super) place: Option<u64>,
    pub(super) due_at: Millis,
    pub(super) expires_at: Option<Millis>,
    /// How long it lives, from its publication and again from a replay.
    pub(super) ttl_ms: Option<i64>,
    pub(super) published_at: Millis,
    /// Why it last failed, or died.
    pub(super) reason: Option<String>,
    pub(super) died_at: Option<Millis>,
    pub(super) is_replayed: bool,
}

impl Record {
    /// What stands in the stream; nothing where it is no message of ours.
    pub(super) fn read(subject: &str, headers: Option<&HeaderMap>, stored_at: Millis) -> Option<Self> {
        let (priority, id, to) = names::read(subject)?;
        let text = |name: &str| headers.and_then(|headers| headers.get(name)).map(HeaderValue::as_str);
        let number = |name: &str| text(name).and_then(|text| text.parse::<i64>().ok());
        Some(Record {
            subject: subject.to_owned(),
            id,
            priority,
            to,
            state: match text(STATE) {
                None => State::Live,
                Some("dead") => State::Dead,
                Some(_) => State::Gone,
            },
            attempts: text(ATTEMPTS).and_then(|text| text.parse().ok()).unwrap_or(0),
            place: text(PLACE).and_then(|text| text.parse().ok()),
            due_at: number(DUE_AT).unwrap_or(Millis::MIN),
            expires_at: text(EXPIRES_AT).and_then(moment),
            ttl_ms: number(TTL_MS),
            published_at: number(PUBLISHED_AT).unwrap_or(stored_at),
            reason: text(REASON).map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned()),
            died_at: number(DIED_AT),
            is_replayed: text(REPLAYED).is_some(),
        })
    }

    /// What is written of it; `others` are headers that are not ours, kept as they were.
    pub(super) fn headers(&self, others: Option<&HeaderMap>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, values) in others.into_iter().flat_map(HeaderMap::iter) {
            let name: &str = name.as_ref();
            if !name.starts_with("Nats-") && !OWN.contains(&name) {
                for value in values {
                    headers.append(name, value.as_str());
                }
            }
        }
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        };
        put(
            STATE,
            match self.state {
                State::Live => None,
                State::Dead => Some("dead".to_owned()),
                State::Gone => Some("gone".to_owned()),
            },
        );
        put(ATTEMPTS, (self.attempts > 0).then(|| self.attempts.to_string()));
        put(PLACE, self.place.map(|place| place.to_string()));
        put(DUE_AT, (self.due_at > Millis::MIN).then(|| self.due_at.to_string()));
        put(EXPIRES_AT, self.expires_at.map(|at| timestamp(at).to_string()));
        put(TTL_MS, self.ttl_ms.map(|ttl| ttl.to_string()));
        put(PUBLISHED_AT, Some(self.published_at.to_string()));
        put(REASON, self.reason.as_ref().map(|reason| utf8_percent_encode(reason, NON_ALPHANUMERIC).to_string()));
        put(DIED_AT, self.died_at.map(|at| at.to_string()));
        put(REPLAYED, self.is_replayed.then(|| "1".to_owned()));
        headers
    }

    /// The record of a message that is no more.
    pub(super) fn gone(&self) -> Self {
        Record {
            state: State::Gone,
            attempts: 0,
            place: None,
            due_at: Millis::MIN,
            expires_at: None,
            ttl_ms: None,
            reason: None,
            died_at: None,
            is_replayed: false,
            ..self.clone()
        }
    }

    /// From its moment of expiry on, that moment included.
    pub(super) fn is_expired(&self, now: Millis) -> bool {
        self.expires_at.is_some_and(|moment| now >= moment)
    }

    /// Its own, and what is for nobody; without a recipient only the latter.
    pub(super) fn may_be_seen_by(&self, recipient: Option<&str>) -> bool {
        self.to.is_none() || self.to.as_deref() == recipient
    }
}

fn moment(text: &str) -> Option<Millis> {
    text.parse::<Timestamp>().ok().map(|timestamp| timestamp.as_datetime().timestamp_millis())
}

/// What a body says of the flow that it belongs to, where it is a document of the protocol.
#[derive(Deserialize)]
struct Flow {
    trace_id: Uuid,
    request_id: Option<Uuid>,
}

/// The headers by which others can follow a flow without reading bodies.
pub(super) fn put_flow(headers: &mut HeaderMap, id: Uuid, body: &Bytes) {
    /// Larger bodies are not looked into: that would cost more than it tells.
    const READ: usize = 65_536;
    if body.first() != Some(&b'{') || body.len() > READ {
        return;
    }
    let Ok(flow) = serde_json::from_slice::<Flow>(body) else { return };
    if let Some(trace) = TraceParent::new(TraceId::from_uuid(flow.trace_id), id.as_u64_pair().1, true) {
        headers.insert("traceparent", trace.to_string());
    }
    if let Some(request) = flow.request_id {
        headers.insert("Workwire-Request-Id", request.to_string());
    }
}
