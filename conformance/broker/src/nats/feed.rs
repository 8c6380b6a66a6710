//! Follows the two streams of a queue, and keeps its index by what they tell.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{HeaderMap, HeaderValue, Message, StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::api::{Api, Fault};
use super::index::{Claim, Hold, Index};
use super::names;
use super::opened::{OpenQueue, Phase};
use super::record::Record;
use super::streams;
use crate::clock::Millis;

/// How often the server says that it is there while there is nothing to tell, and how long its silence
/// is borne.
const HEARTBEAT: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_secs(4);
/// How long a consumer outlives its process.
const OUTLIVES: Duration = Duration::from_secs(10);
/// How long to rest when a stream could not be followed.
const REST: Duration = Duration::from_millis(100);

/// What is written of a claim.
pub(super) const LEASE_MS: &str = "Workwire-Lease-Ms";
pub(super) const CLAIM: &str = "Workwire-Claim";

/// Follows a queue until it is deleted.
pub(super) async fn follow(open: Arc<OpenQueue>) {
    loop {
        match follow_once(&open).await {
            Err(fault) if fault.is_missing() => {
                open.set_phase(Phase::Closed);
                return;
            }
            _ if open.is_closed() => return,
            _ => {
                open.set_phase(Phase::Reading);
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// Reads both streams from their beginnings, then goes on with what comes. Ends where something may
/// have been missed.
async fn follow_once(open: &Arc<OpenQueue>) -> Result<(), Fault> {
    let mut epoch = open.epoch.clone();
    epoch.mark_unchanged();
    open.begin_to_read();
    let bound = streams::claims(open).await?;
    let state = streams::state(&open.api, &open.names.stream).await?;
    open.clock.set(state.time);
    let mut claims = Feed::start(&open.api, &open.names.claims, None).await?;
    let mut messages = Feed::start(&open.api, &open.names.stream, None).await?;
    // What they hold now is read into an index of its own: nobody sees half of it.
    let mut index = Index::default();
    while claims.left > 0 {
        match claims.next().await? {
            Heard::Told(told) => read_claim(&mut index, open.now(), &told),
            Heard::Nothing => {}
            Heard::Missed => return Ok(()),
        }
    }
    while messages.left > 0 {
        match messages.next().await? {
            Heard::Told(told) => read_message(&mut index, open.now(), &told),
            Heard::Nothing => {}
            Heard::Missed => return Ok(()),
        }
    }
    index.told_to(state.last_seq);
    open.replace(index, bound);
    let mut phase = open.phase();
    phase.mark_unchanged();
    loop {
        tokio::select! {
            heard = messages.next() => match heard? {
                Heard::Told(told) => open.change(|index, now| read_message(index, now, &told)),
                Heard::Nothing => continue,
                Heard::Missed => return Ok(()),
            },
            heard = claims.next() => match heard? {
                Heard::Told(told) if names::is_farewell(&told.subject) => return Err(Fault::NobodyThere),
                Heard::Told(told) => open.change(|index, now| read_claim(index, now, &told)),
                Heard::Nothing => continue,
                Heard::Missed => return Ok(()),
            },
            // Of a new connection nobody knows what the old one missed.
            _ = epoch.changed() => return Ok(()),
            _ = phase.changed() => if *phase.borrow() != Phase::Current { return Ok(()) },
        }
        open.told.notify_waiters();
    }
}

fn read_message(index: &mut Index, now: Millis, told: &Told) {
    if let Some(record) = Record::read(&told.subject, told.headers.as_ref(), told.stored_at) {
        index.apply(now, record, told.seq, told.bytes);
    }
    index.told_to(told.seq);
}

fn read_claim(index: &mut Index, now: Millis, told: &Told) {
    if let Some((seq, claim)) = claim_of(&told.subject, told.headers.as_ref(), told.seq, told.stored_at) {
        index.claim(now, seq, claim);
    }
    index.claims_told = told.seq;
}

/// What a claim says: about which message, and what.
pub(super) fn claim_of(
    subject: &str,
    headers: Option<&HeaderMap>,
    seq: u64,
    stored_at: Millis,
) -> Option<(u64, Claim)> {
    let text = |name: &str| headers.and_then(|headers| headers.get(name)).map(HeaderValue::as_str);
    let kind = match text(CLAIM) {
        Some("free") => Hold::Free,
        Some("ending") => Hold::Ending,
        // The moment is cut to whole milliseconds: one more, so that no lease ends early.
        _ => Hold::Until(stored_at.saturating_add(1).saturating_add(text(LEASE_MS)?.parse().ok()?)),
    };
    Some((names::claimed(subject)?, Claim { kind, seq }))
}

/// One message of a stream.
pub(super) struct Told {
    pub(super) subject: String,
    pub(super) headers: Option<HeaderMap>,
    pub(super) seq: u64,
    pub(super) stored_at: Millis,
    /// How long its body is, whether it is here or not.
    pub(super) bytes: usize,
    pub(super) body: Bytes,
}

/// What was heard of a stream.
pub(super) enum Heard {
    Told(Told),
    /// A sign of life.
    Nothing,
    /// A delivery was missed, or the server is silent.
    Missed,
}

/// A consumer that is told everything in order, and can tell when it missed something.
pub(super) struct Feed {
    api: Arc<Api>,
    stream: String,
    consumer: String,
    subscriber: Subscriber,
    /// The number of the last delivery.
    last: u64,
    /// How many there still are of those that were there at the beginning.
    pub(super) left: u64,
    /// When the server last said anything.
    heard: Instant,
}

impl Feed {
    /// Reads a stream from its beginning: all of it without the bodies, or what is under some subjects
    /// with them.
    pub(super) async fn start(api: &Arc<Api>, stream: &str, subjects: Option<&str>) -> Result<Self, Fault> {
        let inbox = api.client.new_inbox();
        let subscribed = api.client.subscribe(inbox.clone()).await;
        let subscriber = subscribed.map_err(|error| Fault::Silent(error.to_string()))?;
        let consumer = Uuid::new_v4().simple().to_string();
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let mut wanted = json!({
            "stream_name": stream,
            "config": {
                "name": consumer,
                "deliver_subject": inbox,
                "deliver_policy": "all",
                "ack_policy": "none",
                "replay_policy": "instant",
                "max_deliver": 1,
                "headers_only": subjects.is_none(),
                "mem_storage": true,
                "num_replicas": 1,
                "flow_control": true,
                "idle_heartbeat": nanos(HEARTBEAT),
                "inactive_threshold": nanos(OUTLIVES),
            },
        });
        if let Some(subjects) = subjects {
            wanted["config"]["filter_subjects"] = json!([subjects]);
        }
        let answer = api.call(&format!("CONSUMER.CREATE.{stream}.{consumer}"), &wanted).await?;
        let delivered = answer["delivered"]["consumer_seq"].as_u64().unwrap_or(0);
        let left = answer["num_pending"].as_u64().unwrap_or(0) + delivered;
        Ok(Feed {
            api: Arc::clone(api),
            stream: stream.to_owned(),
            consumer,
            subscriber,
            last: 0,
            left,
            heard: Instant::now(),
        })
    }

    /// What the server says next.
    pub(super) async fn next(&mut self) -> Result<Heard, Fault> {
        let next = tokio::time::timeout_at(self.heard + SILENCE, self.subscriber.next()).await;
        let Ok(Some(message)) = next else { return Ok(Heard::Missed) };
        self.heard = Instant::now();
        if message.status.is_some() {
            return Ok(if self.answer(&message).await { Heard::Nothing } else { Heard::Missed });
        }
        Ok(self.read(message).map_or(Heard::Missed, Heard::Told))
    }

    /// Answers what the server says of the flow. False where it says that a delivery was missed.
    async fn answer(&mut self, message: &Message) -> bool {
        let text = |name: &str| message.headers.as_ref().and_then(|headers| headers.get(name));
        let stalled = text("Nats-Consumer-Stalled").map(|subject| subject.as_str().to_owned());
        if let Some(reply) = message.reply.as_ref().map(ToString::to_string).or(stalled) {
            // A lost answer stops the flow, which the next silence tells.
            drop(self.api.client.publish(reply, Bytes::new()).await);
        } else {
            // It has nothing to tell: what was still to come at the beginning was removed meanwhile.
            self.left = 0;
        }
        let last = text("Nats-Last-Consumer").and_then(|last| last.as_str().parse::<u64>().ok());
        message.status == Some(StatusCode::IDLE_HEARTBEAT) && last.is_none_or(|last| last == self.last)
    }

    fn read(&mut self, message: Message) -> Option<Told> {
        let reply = message.reply.as_ref()?;
        let tokens: Vec<&str> = reply.split('.').collect();
        // $JS.ACK.stream.consumer.deliveries.seq.delivery.time.pending, with domain and account
        // between the second and the third where the server has a domain.
        let first = if tokens.len() == 9 { 5 } else { 7 };
        let number = |index: usize| tokens.get(first + index)?.parse::<u64>().ok();
        let (seq, delivery, nanos, left) = (number(0)?, number(1)?, number(2)?, number(3)?);
        if delivery != self.last + 1 {
            return None;
        }
        self.last = delivery;
        self.left = self.left.saturating_sub(1).min(left);
        let size = message.headers.as_ref().and_then(|headers| headers.get("Nats-Msg-Size"));
        let bytes = size.and_then(|size| size.as_str().parse().ok()).unwrap_or(message.payload.len());
        let stored_at = Millis::try_from(nanos / 1_000_000).unwrap_or(Millis::MAX);
        let (subject, body) = (message.subject.to_string(), message.payload);
        Some(Told { subject, headers: message.headers, seq, stored_at, bytes, body })
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let (api, method) = (Arc::clone(&self.api), format!("CONSUMER.DELETE.{}.{}", self.stream, self.consumer));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // The server removes it some seconds later by itself.
            runtime.spawn(async move { api.call(&method, &Value::Null).await.map(drop) });
        }
    }
}
