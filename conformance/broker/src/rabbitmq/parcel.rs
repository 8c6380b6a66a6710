//! A message as AMQP carries it: properties, headers, body.

use bytes::Bytes;
use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use uuid::Uuid;
use workwire::{MessageEnvelope, TraceParent};

use super::doubles::Rested;
use crate::clock::{Clock as _, Millis, SystemClock, timestamp};
use crate::contract::{Letter, Message};

const ATTEMPT: &str = "workwire-attempt";
const REASON: &str = "workwire-reason";
/// Until when it rests, in milliseconds since 1970, and by which routing key it then goes on.
const REST_ENDS: &str = "workwire-rest-ends";
const REST_KEY: &str = "workwire-rest-key";
/// Which rest it was, also after it, and when it was moved on then.
const REST: &str = "workwire-rest";
const REST_MOVED: &str = "workwire-rest-moved";
const REPLAYED: &str = "workwire-replayed";
const QUEUE: &str = "workwire-queue";
const GROUP: &str = "workwire-group";
const DIED_AT: &str = "workwire-died-at";

/// Stays when the server goes.
const PERSISTENT: u8 = 2;

/// The longest body that is looked at for an envelope, whose trace and request go into the properties.
const LOOKED_AT: usize = 65_536;

/// A message on its way.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) id: Uuid,
    pub(super) body: Bytes,
    pub(super) priority: i64,
    /// Which attempt its next delivery is, or this one.
    pub(super) attempt: u32,
    /// Why the last attempt failed, where somebody said.
    pub(super) reason: Option<String>,
    /// How long it is to rest before that.
    pub(super) rest_ms: i64,
    /// The rest that it comes from.
    pub(super) rested: Option<Rested>,
    properties: BasicProperties,
}

impl Parcel {
    /// A message that is published.
    pub(super) fn of(message: Message, priority: i64) -> Self {
        let mut properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        properties = described(properties, &message.body).with_message_id(message.id.to_string().into());
        Parcel {
            id: message.id,
            body: message.body,
            priority,
            attempt: 1,
            reason: None,
            rest_ms: message.delay_ms.unwrap_or(0),
            rested: None,
            properties,
        }
    }

    /// A message that was taken. What is no message of ours has the id of its bytes, the least of
    /// priorities that a policy allows, and was never tried.
    pub(super) fn read(delivery: Delivery) -> Self {
        let Delivery { properties, data, .. } = delivery;
        let body = Bytes::from(data);
        let named = properties.message_id().as_ref().map(ShortString::as_str);
        let id = named.and_then(|id| id.parse().ok());
        let id = id.unwrap_or_else(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, named.map_or(&body[..], str::as_bytes)));
        let headers = properties.headers().as_ref();
        Parcel {
            id,
            priority: i64::from(properties.priority().unwrap_or(0)).clamp(1, 10),
            attempt: number(headers, ATTEMPT).and_then(|attempt| u32::try_from(attempt).ok()).unwrap_or(1).max(1),
            reason: text(headers, REASON),
            rest_ms: 0,
            rested: text(headers, REST)
                .and_then(|rest| rest.parse().ok())
                .map(|rest| Rested { rest, moved: number(headers, REST_MOVED).unwrap_or(0) }),
            body,
            properties,
        }
    }

    /// The same for its next attempt.
    pub(super) fn again(&self, reason: Option<String>, rest_ms: i64) -> Self {
        let (attempt, reason) = (self.attempt.saturating_add(1), reason.or_else(|| self.reason.clone()));
        Parcel { attempt, reason, rest_ms, ..self.clone() }
    }

    /// The same as new, from the dead letters.
    pub(super) fn replayed(&self) -> Self {
        let mut parcel = Parcel { attempt: 1, reason: None, rest_ms: 0, ..self.clone() };
        let mut headers = parcel.other_headers();
        headers.insert(REPLAYED.into(), AMQPValue::Boolean(true));
        parcel.properties = parcel.properties.with_headers(headers);
        parcel
    }

    /// As it is sent.
    pub(super) fn properties(&self) -> BasicProperties {
        self.with(self.headers())
    }

    /// As it rests, before it goes on by this routing key.
    pub(super) fn resting(&self, key: &str) -> BasicProperties {
        let mut headers = self.headers();
        // The millisecond that has begun does not count: no rest is shorter than it was said to be.
        let ends = SystemClock.now().saturating_add(self.rest_ms).saturating_add(1);
        headers.insert(REST_ENDS.into(), AMQPValue::LongLongInt(ends));
        headers.insert(REST_KEY.into(), AMQPValue::LongString(key.into()));
        headers.insert(REST.into(), AMQPValue::LongString(Uuid::new_v4().to_string().into()));
        self.with(headers)
    }

    fn headers(&self) -> FieldTable {
        let mut headers = self.other_headers();
        if self.attempt > 1 {
            headers.insert(ATTEMPT.into(), AMQPValue::LongLongInt(i64::from(self.attempt)));
        }
        if let Some(reason) = &self.reason {
            headers.insert(REASON.into(), AMQPValue::LongString(reason.as_str().into()));
        }
        headers
    }

    fn with(&self, headers: FieldTable) -> BasicProperties {
        let priority = u8::try_from(self.priority).unwrap_or(u8::MAX);
        self.properties.clone().with_delivery_mode(PERSISTENT).with_priority(priority).with_headers(headers)
    }

    /// As a dead letter.
    pub(super) fn dead(&self, reason: &str, queue: &str, group: Option<&str>, now: Millis) -> BasicProperties {
        let mut headers = self.other_headers();
        headers.insert(ATTEMPT.into(), AMQPValue::LongLongInt(i64::from(self.attempt)));
        headers.insert(REASON.into(), AMQPValue::LongString(reason.into()));
        headers.insert(QUEUE.into(), AMQPValue::LongString(queue.into()));
        headers.insert(DIED_AT.into(), AMQPValue::LongLongInt(now));
        if let Some(group) = group {
            headers.insert(GROUP.into(), AMQPValue::LongString(group.into()));
        }
        self.with(headers)
    }

    /// The group in which a letter died.
    pub(super) fn group(&self) -> Option<String> {
        text(self.properties.headers().as_ref(), GROUP)
    }

    /// As the contract shows a dead letter.
    pub(super) fn letter(self) -> Letter {
        let died_at = number(self.properties.headers().as_ref(), DIED_AT).map(timestamp);
        let group = self.group();
        Letter {
            id: self.id,
            body: self.body,
            reason: self.reason.unwrap_or_else(|| "the server did not say why".to_owned()),
            attempts: self.attempt,
            priority: Some(self.priority),
            died_at,
            group,
        }
    }

    /// The headers that others gave it.
    fn other_headers(&self) -> FieldTable {
        without(&self.properties, &[ATTEMPT, REASON, REST, REST_MOVED, QUEUE, GROUP, DIED_AT])
    }
}

/// What a resting message says of its rest.
pub(super) struct Rest {
    pub(super) ends: Millis,
    /// By which routing key it goes on.
    pub(super) key: Option<String>,
}

impl Rest {
    pub(super) fn of(properties: &BasicProperties) -> Self {
        let headers = properties.headers().as_ref();
        Rest { ends: number(headers, REST_ENDS).unwrap_or(0), key: text(headers, REST_KEY) }
    }
}

/// As a message goes on that has rested.
pub(super) fn moved(properties: &BasicProperties, now: Millis) -> BasicProperties {
    let mut headers = without(properties, &[REST_ENDS, REST_KEY]);
    headers.insert(REST_MOVED.into(), AMQPValue::LongLongInt(now));
    properties.clone().with_headers(headers)
}

/// All headers but these.
fn without(properties: &BasicProperties, names: &[&str]) -> FieldTable {
    let mut kept = FieldTable::default();
    for (name, value) in properties.headers().iter().flat_map(FieldTable::inner) {
        if !names.contains(&name.as_str()) {
            kept.insert(name.clone(), value.clone());
        }
    }
    kept
}

/// What the body is, and its trace and request where it is an envelope.
fn described(properties: BasicProperties, body: &[u8]) -> BasicProperties {
    let envelope = (body.first() == Some(&b'{') && body.len() <= LOOKED_AT)
        .then(|| MessageEnvelope::from_slice(body).ok())
        .flatten();
    let Some(envelope) = envelope else {
        return properties.with_content_type("application/octet-stream".into());
    };
    let mut headers = FieldTable::default();
    if let Some(trace) = TraceParent::of_message(&envelope) {
        headers.insert("traceparent".into(), AMQPValue::LongString(trace.to_string().into()));
    }
    properties
        .with_content_type("application/json".into())
        .with_correlation_id(envelope.request_id().to_string().into())
        .with_headers(headers)
}

/// A number of whatever width: other clients choose others.
fn number(headers: Option<&FieldTable>, name: &str) -> Option<i64> {
    match headers?.inner().get(name)? {
        AMQPValue::ShortShortInt(value) => Some(i64::from(*value)),
        AMQPValue::ShortShortUInt(value) => Some(i64::from(*value)),
        AMQPValue::ShortInt(value) => Some(i64::from(*value)),
        AMQPValue::ShortUInt(value) => Some(i64::from(*value)),
        AMQPValue::LongInt(value) => Some(i64::from(*value)),
        AMQPValue::LongUInt(value) => Some(i64::from(*value)),
        AMQPValue::LongLongInt(value) => Some(*value),
        _ => None,
    }
}

fn text(headers: Option<&FieldTable>, name: &str) -> Option<String> {
    match headers?.inner().get(name)? {
        AMQPValue::LongString(value) => Some(String::from_utf8_lossy(value.as_bytes()).into_owned()),
        AMQPValue::ShortString(value) => Some(value.as_str().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What a message says that rests until then.
    pub(in crate::rabbitmq) fn resting_until(ends: Millis) -> BasicProperties {
        let mut headers = FieldTable::default();
        headers.insert(REST_ENDS.into(), AMQPValue::LongLongInt(ends));
        BasicProperties::default().with_headers(headers)
    }

    #[test]
    fn of_its_rest_a_message_keeps_only_which_it_was_and_that_until_it_is_settled() {
        let message = Message { delay_ms: Some(i64::MAX), ..Message::new(Uuid::nil(), "body") };
        let properties = Parcel::of(message, 3).resting("where it goes on");
        let rest = Rest::of(&properties);
        assert_eq!((rest.ends, rest.key.as_deref()), (i64::MAX, Some("where it goes on")));
        let mut came = Delivery::mock(1, "".into(), "".into(), false, b"body".to_vec());
        came.properties = moved(&properties, 7);
        assert_eq!((Rest::of(&came.properties).ends, Rest::of(&came.properties).key), (0, None));
        let parcel = Parcel::read(came);
        assert!(parcel.rested.is_some_and(|rested| rested.moved == 7) && parcel.priority == 3);
        let again = parcel.again(None, 0).properties();
        let headers = again.headers().as_ref();
        assert_eq!((text(headers, REST), number(headers, REST_MOVED)), (None, None));
    }
}
