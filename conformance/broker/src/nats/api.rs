//! Requests to the server, and what its answers mean.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_nats::client::{Request, RequestErrorKind};
use async_nats::{Client, HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::Millis;
use crate::error::BrokerError;

/// How long an answer is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The same of what has to reach the disk, behind all that was sent before.
const PATIENCE_OF_A_STORE: Duration = Duration::from_secs(10);
/// How often a stream whose files could not be made is tried again, and how soon.
const STORE_TRIES: usize = 20;
const STORE_REST: Duration = Duration::from_millis(10);
const EXPECTED: &str = "Nats-Expected-Last-Subject-Sequence";
const EXPECTED_OF: &str = "Nats-Expected-Last-Subject-Sequence-Subject";
const EXPECTED_LAST: &str = "Nats-Expected-Last-Sequence";

/// What a message has to find in its stream, else it is not stored.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    /// The last number under these subjects, or its own.
    pub(super) under: Option<(Option<String>, u64)>,
    /// The last number of the stream.
    pub(super) last: Option<u64>,
}

impl Expected {
    /// Its own subject's last number.
    pub(super) const fn own(seq: u64) -> Self {
        Expected { under: Some((None, seq)), last: None }
    }

    fn put(&self, headers: &mut HeaderMap) {
        if let Some((subjects, seq)) = &self.under {
            headers.insert(EXPECTED, seq.to_string());
            if let Some(subjects) = subjects {
                headers.insert(EXPECTED_OF, subjects.as_str());
            }
        }
        if let Some(last) = self.last {
            headers.insert(EXPECTED_LAST, last.to_string());
        }
    }
}

/// Where a message was stored.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Ack {
    pub(super) seq: u64,
    #[serde(default)]
    pub(super) duplicate: bool,
}

/// A message as a stream holds it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) subject: String,
    pub(super) seq: u64,
    pub(super) stored_at: Millis,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why a request came to nothing.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// Nobody knows whether it happened.
    Silent(String),
    /// No stream takes this subject, or the server has no `JetStream`.
    NobodyThere,
    /// The account's permissions do not allow it.
    Forbidden(String),
    /// The server said no.
    Refused { number: u64, why: String },
    /// It does not fit into what the server takes.
    TooLarge(String),
}

/// The numbers of the server's refusals.
pub(super) mod number {
    pub(crate) const STREAM_NOT_FOUND: u64 = 10_059;
    pub(crate) const OTHER_STREAM: u64 = 10_058;
    pub(crate) const SUBJECTS_OVERLAP: u64 = 10_065;
    pub(crate) const WRONG_LAST: u64 = 10_071;
    pub(crate) const NOT_STORED: u64 = 10_077;
    pub(crate) const NO_MESSAGE: u64 = 10_037;
    pub(crate) const NO_SEQUENCE: u64 = 10_043;
    /// Storage, memory or the account's limits are used up.
    pub(crate) const USED_UP: &[u64] = &[10_023, 10_026, 10_027, 10_028, 10_047];
    /// Its files could not be made. That is seen where one comes while another is deleted, and passes.
    pub(crate) const NO_STORE: u64 = 10_049;
    pub(crate) const NO_JETSTREAM: &[u64] = &[10_039, 10_076];
}

impl Fault {
    pub(super) fn is(&self, wanted: u64) -> bool {
        matches!(self, Fault::Refused { number, .. } if *number == wanted)
    }

    /// What it is compared with has changed.
    pub(super) fn is_overtaken(&self) -> bool {
        self.is(number::WRONG_LAST)
    }

    /// Whether there is no room.
    pub(super) fn is_used_up(&self) -> bool {
        let Fault::Refused { number, why } = self else { return false };
        let is_limit = *number == number::NOT_STORED && (why.contains("exceeded") || why.contains("insufficient"));
        is_limit || number::USED_UP.contains(number)
    }

    /// Whether the stream is not there.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Fault::NobodyThere) || self.is(number::STREAM_NOT_FOUND)
    }

    /// In the contract's words, of a request about what `what` names.
    pub(super) fn about(self, what: impl fmt::Display) -> BrokerError {
        let (is_used_up, may_pass) = (self.is_used_up(), self.is(number::NO_STORE));
        match self {
            fault if fault.is_missing() => BrokerError::no_queue(what),
            Fault::NobodyThere => BrokerError::no_queue(what),
            Fault::Silent(why) => BrokerError::unavailable(format!("{what}: {why}")),
            Fault::Forbidden(why) => BrokerError::forbidden(format!("{what}: {why}")),
            Fault::TooLarge(why) => BrokerError::invalid(format!("{what}: {why}")),
            Fault::Refused { number, why } => {
                let why = format!("{what}: the server refused: {why} ({number})");
                match (is_used_up, may_pass) {
                    (true, _) => BrokerError::full(why),
                    (_, true) => BrokerError::unavailable(why),
                    _ => BrokerError::forbidden(why),
                }
            }
        }
    }
}

/// The server, as one connection sees it.
pub(super) struct Api {
    pub(super) client: Client,
    violation: Mutex<Option<(Instant, String)>>,
}

impl Api {
    pub(super) const fn new(client: Client) -> Self {
        Api { client, violation: Mutex::new(None) }
    }

    /// The server said that something is not allowed. It says so beside the request, whose answer
    /// never comes.
    pub(super) fn note_violation(&self, why: &str) {
        *self.violation.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), why.to_owned()));
    }

    fn violation_since(&self, moment: Instant, subject: &str) -> Option<String> {
        let noted = self.violation.lock().unwrap_or_else(PoisonError::into_inner);
        noted.as_ref().filter(|(at, why)| *at >= moment && why.contains(subject)).map(|(_, why)| why.clone())
    }

    async fn ask(&self, subject: String, request: Request, patience: Duration) -> Result<async_nats::Message, Fault> {
        let asked = Instant::now();
        let answer = self.client.send_request(subject.clone(), request.timeout(Some(patience))).await;
        answer.map_err(|error| match error.kind() {
            RequestErrorKind::NoResponders => Fault::NobodyThere,
            RequestErrorKind::MaxPayloadExceeded => Fault::TooLarge(error.to_string()),
            _ => match self.violation_since(asked, &subject) {
                Some(why) => Fault::Forbidden(why),
                None => Fault::Silent(format!("no answer: {error}")),
            },
        })
    }

    /// Asks the `JetStream` API.
    pub(super) async fn call(&self, method: &str, parameters: &Value) -> Result<Value, Fault> {
        let payload = if parameters.is_null() { Bytes::new() } else { parameters.to_string().into() };
        let answer = self.ask(format!("$JS.API.{method}"), Request::new().payload(payload), PATIENCE).await?;
        let answer: Value = serde_json::from_slice(&answer.payload).map_err(|error| unreadable(&error))?;
        refusal(&answer).map_or(Ok(answer), Err)
    }

    /// Makes a stream, or finds that it is there.
    pub(super) async fn create(&self, stream: &str, wanted: &Value) -> Result<Value, Fault> {
        let method = format!("STREAM.CREATE.{stream}");
        for _ in 0..STORE_TRIES {
            match self.call(&method, wanted).await {
                Err(fault) if fault.is(number::NO_STORE) => tokio::time::sleep(STORE_REST).await,
                answer => return answer,
            }
        }
        self.call(&method, wanted).await
    }

    /// Stores a message, if what it expects is so.
    pub(super) async fn publish(
        &self,
        subject: String,
        mut headers: HeaderMap,
        body: Bytes,
        expected: &Expected,
    ) -> Result<Ack, Fault> {
        expected.put(&mut headers);
        let request = Request::new().headers(headers).payload(body);
        let answer = match self.ask(subject.clone(), request, PATIENCE_OF_A_STORE).await {
            Err(Fault::NobodyThere) => return Err(self.nobody_at(&subject).await),
            answer => answer?,
        };
        if let Ok(ack) = serde_json::from_slice::<Ack>(&answer.payload)
            && ack.seq > 0
        {
            return Ok(ack);
        }
        let answer: Value = serde_json::from_slice(&answer.payload).map_err(|error| unreadable(&error))?;
        Err(refusal(&answer).unwrap_or_else(|| Fault::Silent(format!("an answer that is none: {answer}"))))
    }

    /// Why nobody takes what is sent to a subject: its stream is gone, or the servers that keep it are choosing which of
    /// them leads.
    async fn nobody_at(&self, subject: &str) -> Fault {
        match self.call("STREAM.NAMES", &json!({ "subject": subject })).await {
            Ok(answer) if answer["streams"].as_array().is_some_and(|streams| !streams.is_empty()) => {
                Fault::Silent("no server leads its stream just now".to_owned())
            }
            Err(Fault::Silent(why)) => Fault::Silent(why),
            // Who may not ask takes it as it was said.
            Ok(_) | Err(_) => Fault::NobodyThere,
        }
    }

    /// A message by its number.
    pub(super) async fn get(&self, stream: &str, seq: u64) -> Result<Option<Held>, Fault> {
        self.get_by(stream, format!("{{\"seq\":{seq}}}")).await
    }

    /// The last message under some subjects.
    pub(super) async fn last(&self, stream: &str, subjects: &str) -> Result<Option<Held>, Fault> {
        self.get_by(stream, format!("{{\"last_by_subj\":{subjects:?}}}")).await
    }

    /// The same from the server that leads the stream.
    pub(super) async fn get_from_leader(&self, stream: &str, seq: u64) -> Result<Option<Held>, Fault> {
        let answer = match self.call(&format!("STREAM.MSG.GET.{stream}"), &json!({ "seq": seq })).await {
            Err(fault) if fault.is(number::NO_MESSAGE) => return Ok(None),
            answer => answer?,
        };
        let message = &answer["message"];
        let bytes = |name: &str| STANDARD.decode(message[name].as_str().unwrap_or_default()).unwrap_or_default();
        Ok(Some(Held {
            subject: message["subject"].as_str().unwrap_or_default().to_owned(),
            seq,
            stored_at: message["time"].as_str().and_then(millis).unwrap_or_default(),
            headers: headers(&bytes("hdrs")),
            body: bytes("data").into(),
        }))
    }

    async fn get_by(&self, stream: &str, wanted: String) -> Result<Option<Held>, Fault> {
        let request = Request::new().payload(wanted.into());
        let answer = self.ask(format!("$JS.API.DIRECT.GET.{stream}"), request, PATIENCE).await?;
        if answer.status.is_some_and(|status| status != StatusCode::OK) {
            return match answer.status {
                Some(StatusCode::NOT_FOUND) => Ok(None),
                _ => Err(Fault::Silent(format!("{:?} {:?}", answer.status, answer.description))),
            };
        }
        let headers = answer.headers.unwrap_or_default();
        let text = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        let (Some(subject), Some(seq)) = (text("Nats-Subject"), text("Nats-Sequence").and_then(|seq| seq.parse().ok()))
        else {
            return Err(Fault::Silent("a message without subject and number".to_owned()));
        };
        let stored_at = text("Nats-Time-Stamp").and_then(|time| millis(&time)).unwrap_or_default();
        Ok(Some(Held { subject, seq, stored_at, headers, body: answer.payload }))
    }
}

/// Headers as they stand in a message: a line of the version, then a name and a value in each.
fn headers(bytes: &[u8]) -> HeaderMap {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(name, value.trim());
    }
    headers
}

/// A time as the server writes it.
pub(super) fn millis(text: &str) -> Option<Millis> {
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis())
}

fn refusal(answer: &Value) -> Option<Fault> {
    let error = answer.get("error")?;
    let number = error["err_code"].as_u64().or(error["code"].as_u64()).unwrap_or(0);
    let why = error["description"].as_str().unwrap_or("without a reason").to_owned();
    // 503: it may be able to later, and says nothing certain of now.
    let passes = error["code"] == 503 && number != number::NOT_STORED && !number::NO_JETSTREAM.contains(&number);
    Some(if passes && !number::USED_UP.contains(&number) { Fault::Silent(why) } else { Fault::Refused { number, why } })
}

fn unreadable(error: &serde_json::Error) -> Fault {
    Fault::Silent(format!("the server's answer cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn told(answer: &Value) -> Code {
        refusal(answer).unwrap().about("queue tasks").code()
    }

    #[test]
    fn what_passes_is_not_taken_for_what_does_not() {
        let refused = |code: u64, number: u64| json!({ "error": { "code": code, "err_code": number } });
        assert_eq!(told(&refused(500, number::NO_STORE)), Code::Unavailable);
        assert_eq!(told(&refused(503, 10_008)), Code::Unavailable);
        assert_eq!(told(&refused(503, number::USED_UP[0])), Code::Full);
        assert_eq!(told(&refused(404, number::STREAM_NOT_FOUND)), Code::NotFound);
        assert_eq!(told(&refused(400, 10_052)), Code::Forbidden);
    }
}
