//! An operation of a history as a report shows it: readable JSON, and one line of words.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::hostile;
use crate::history::{Answer, Body, Call, History, MessageId, Number, Operation, Outcome, SettleAs, Word};

/// The most messages, letters or agents of one answer that are shown.
const MOST_SHOWN: usize = 20;

/// The arguments that are said first.
const FIRST: &[&str] = &["queue", "id", "verdict", "max", "tag"];

/// What lists messages in an answer.
const LISTS: &[&str] = &["deliveries", "messages", "letters"];

/// An operation as a report shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shown {
    /// Its number in the history.
    pub number: u32,
    /// Who called.
    pub client: String,
    /// What: `publish`, `fetch`, `settle`, and so on.
    pub call: String,
    /// What was asked, by the names of the adapter protocol.
    pub arguments: Map<String, Value>,
    /// What came of it.
    pub outcome: Came,
    /// When it began, in milliseconds since the history did.
    pub began_ms: f64,
    /// When it ended; nothing where it never did.
    pub ended_ms: Option<f64>,
}

/// What came of an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Came {
    /// It did what was asked.
    Ok {
        /// What was answered, by the names of the adapter protocol.
        answer: Map<String, Value>,
    },
    /// It did not happen.
    Refused {
        /// The error's code.
        code: String,
        /// Its words.
        message: String,
    },
    /// It may have happened.
    Indefinite {
        /// Why nobody knows.
        message: String,
    },
}

impl Came {
    /// Its name in reports.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Came::Ok { .. } => "ok",
            Came::Refused { .. } => "refused",
            Came::Indefinite { .. } => "indefinite",
        }
    }
}

impl Shown {
    /// An operation of a history.
    #[must_use]
    pub fn of(history: &History, number: Number) -> Option<Shown> {
        let operation = history.operation(number)?;
        let (call, arguments) = Reader(history).call(operation);
        Some(Shown {
            number: u32::try_from(number.index()).unwrap_or(u32::MAX),
            client: Reader(history).clean(operation.client),
            call: call.to_owned(),
            arguments,
            outcome: Reader(history).outcome(operation),
            began_ms: ms(operation.began),
            ended_ms: operation.ended.map(ms),
        })
    }

    /// The ids of the messages that it speaks of.
    pub fn messages(&self) -> impl Iterator<Item = &str> {
        let asked = self.arguments.get("id").and_then(Value::as_str);
        asked.into_iter().chain(self.listed().filter_map(|one| one.get("id").and_then(Value::as_str)))
    }

    /// The messages or letters of its answer.
    fn listed(&self) -> impl Iterator<Item = &Value> {
        let answer = if let Came::Ok { answer } = &self.outcome { Some(answer) } else { None };
        let all = answer.and_then(|answer| LISTS.iter().find_map(|name| answer.get(*name))).and_then(Value::as_array);
        all.into_iter().flatten()
    }

    /// What was asked, in words, with messages by their short names.
    #[must_use]
    pub fn asked(&self, names: &Names) -> String {
        let mut words = self.call.clone();
        let rank = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
        let mut arguments: Vec<(&String, &Value)> = self.arguments.iter().collect();
        arguments.sort_by_key(|(name, _)| rank(name));
        for (name, value) in arguments {
            let _ = match (name.as_str(), value) {
                ("queue", Value::String(queue)) => write!(words, " {queue}"),
                ("id", Value::String(id)) => write!(words, " {}", names.short(id)),
                ("tag", Value::String(tag)) if names.tags.contains_key(tag) => {
                    write!(words, " of {} (tag {tag})", names.tags[tag])
                }
                ("verdict" | "mode", Value::String(verdict)) => write!(words, " {verdict}"),
                ("body", Value::Object(body)) => {
                    write!(words, " ({} bytes)", body.get("bytes").unwrap_or(&Value::Null))
                }
                ("policy" | "update", Value::Object(members)) => {
                    let told = members.iter().map(|(name, value)| format!("{name} {}", plain(value, names)));
                    write!(words, " {{{}}}", told.collect::<Vec<_>>().join(", "))
                }
                (name, value) => write!(words, " {name} {}", plain(value, names)),
            };
        }
        words
    }

    /// What came of it, in words, with messages by their short names.
    #[must_use]
    pub fn answered(&self, names: &Names) -> String {
        match &self.outcome {
            Came::Refused { code, message } => format!("refused: {code}: {message}"),
            Came::Indefinite { message } => format!("indefinite: {message}"),
            Came::Ok { answer } if answer.is_empty() => "ok".to_owned(),
            Came::Ok { answer } => {
                let told = answer.iter().map(|(name, value)| match value {
                    Value::Array(all) if all.is_empty() => format!("no {name}"),
                    Value::Array(all) => all.iter().map(|one| entry(one, names)).collect::<Vec<_>>().join(", "),
                    value if name == "outcome" => plain(value, names),
                    value => format!("{name} {}", plain(value, names)),
                });
                told.collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// Whole, in one line of words.
    #[must_use]
    pub fn words(&self, names: &Names) -> String {
        let end = self.ended_ms.map_or_else(|| "…".to_owned(), |ms| format!("{ms:.3}"));
        format!(
            "#{} {:.3}–{end} ms {}: {} → {}",
            self.number,
            self.began_ms,
            self.client,
            self.asked(names),
            self.answered(names)
        )
    }
}

/// One of several in an answer: `m1 (priority 3, attempt 2)`.
fn entry(one: &Value, names: &Names) -> String {
    let Value::Object(members) = one else { return plain(one, names) };
    let name = members.get("id").or(members.get("agent_id")).map_or_else(String::new, |id| plain(id, names));
    let told = members.iter().filter(|(name, _)| !matches!(name.as_str(), "id" | "agent_id" | "tag" | "body"));
    let told: Vec<String> = told.map(|(name, value)| format!("{name} {}", plain(value, names))).collect();
    if told.is_empty() { name } else { format!("{name} ({})", told.join(", ")) }
}

fn plain(value: &Value, names: &Names) -> String {
    match value {
        // What would not be seen as a word stands in quotes.
        Value::String(text) if text.is_empty() || text.contains(char::is_whitespace) => format!("{text:?}"),
        Value::String(text) => names.short(text).to_owned(),
        other => other.to_string(),
    }
}

/// Short names for the messages of a case, `m1` and so on, by the order in which they come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    short: BTreeMap<String, String>,
    order: Vec<String>,
    /// Which message a tag was handed out with, by the last delivery that did.
    tags: BTreeMap<String, String>,
}

impl Names {
    /// For the messages of these operations.
    #[must_use]
    pub fn of<'a>(operations: impl IntoIterator<Item = &'a Shown>) -> Self {
        let mut names = Names::default();
        for operation in operations {
            for id in operation.messages() {
                // An id is told by its form, so that no word of a target is taken for one.
                if uuid::Uuid::try_parse(id).is_ok() && !names.short.contains_key(id) {
                    names.order.push(id.to_owned());
                    names.short.insert(id.to_owned(), format!("m{}", names.order.len()));
                }
            }
            for one in operation.listed() {
                let member = |name: &str| one.get(name).and_then(Value::as_str);
                if let (Some(tag), Some(id)) = (member("tag"), member("id")) {
                    names.tags.insert(tag.to_owned(), names.short(id).to_owned());
                }
            }
        }
        names
    }

    /// The short names of the messages that an operation speaks of, by their ids or by a tag.
    #[must_use]
    pub fn of_operation<'a>(&'a self, operation: &'a Shown) -> Vec<&'a str> {
        let tag = operation.arguments.get("tag").and_then(Value::as_str);
        let by_tag = tag.and_then(|tag| self.tags.get(tag)).map(String::as_str);
        let mut all: Vec<&str> = by_tag.into_iter().chain(operation.messages().map(|id| self.short(id))).collect();
        all.dedup();
        all
    }

    /// The short name of an id, or the text as it is.
    #[must_use]
    pub fn short<'a>(&'a self, text: &'a str) -> &'a str {
        self.short.get(text).map_or(text, String::as_str)
    }

    /// A text with every id in it by its short name.
    #[must_use]
    pub fn within(&self, text: &str) -> String {
        const LENGTH: usize = 36;
        let mut short = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let name = rest.get(..LENGTH).and_then(|id| self.short.get(id));
            short.push_str(name.map_or(&rest[..c.len_utf8()], String::as_str));
            rest = &rest[name.map_or(c.len_utf8(), |_| LENGTH)..];
        }
        short
    }

    /// Short names and ids, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.order.iter().map(|id| (self.short(id), id.as_str()))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a run of 285 years loses a microsecond")]
fn ms(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

struct Reader<'a>(&'a History);

impl Reader<'_> {
    fn text(&self, word: Word) -> String {
        self.0.words().text(word).to_owned()
    }

    fn clean(&self, word: Word) -> String {
        hostile::line(self.0.words().text(word), hostile::MOST_CHARACTERS)
    }

    fn id(&self, id: MessageId) -> String {
        self.0.words().uuid(id).to_string()
    }

    fn call(&self, operation: &Operation) -> (&'static str, Map<String, Value>) {
        let word = |word: &Word| self.text(*word);
        let maybe = |word: &Option<Word>| word.map(|word| self.text(word));
        let (name, arguments) = match &operation.call {
            Call::Start => ("start", json!({})),
            Call::Open => ("open", json!({})),
            Call::Close(mode) => ("close", json!({"mode": mode})),
            Call::Restart(mode) => ("restart", json!({"mode": mode})),
            Call::Declare(queue, policy) => ("declare", json!({"queue": word(queue), "policy": policy})),
            Call::Publish(call) => (
                "publish",
                json!({
                    "queue": word(&call.queue), "id": self.id(call.id), "body": body(call.body),
                    "priority": call.priority, "ttl_ms": call.ttl_ms(), "delay_ms": call.delay_ms(),
                    "to": maybe(&call.to()),
                }),
            ),
            Call::Fetch(call) => (
                "fetch",
                json!({
                    "queue": word(&call.queue), "max": call.max, "wait_ms": (call.wait_ms != 0).then_some(call.wait_ms),
                    "group": maybe(&call.group), "recipient": maybe(&call.recipient),
                    "id": call.only.map(|id| self.id(id)),
                }),
            ),
            Call::Peek(call) => (
                "peek",
                json!({
                    "queue": word(&call.queue), "max": call.max, "group": maybe(&call.group),
                    "recipient": maybe(&call.recipient), "after": call.after.map(|id| self.id(id)),
                }),
            ),
            Call::Settle(call) => {
                let (verdict, delay_ms) = match call.verdict {
                    SettleAs::Done => ("done", None),
                    SettleAs::Retry(delay_ms) => ("retry", delay_ms),
                    SettleAs::Dead => ("dead", None),
                };
                let (queue, tag, reason) = (word(&call.queue), word(&call.tag), maybe(&call.reason));
                (
                    "settle",
                    json!({"queue": queue, "tag": tag, "verdict": verdict, "delay_ms": delay_ms, "reason": reason}),
                )
            }
            Call::Extend(queue, tag, lease_ms) => {
                ("extend", json!({"queue": word(queue), "tag": word(tag), "lease_ms": lease_ms}))
            }
            Call::Depth(queue, group) => ("depth", json!({"queue": word(queue), "group": maybe(group)})),
            Call::DeadLetters(queue, group, max) => {
                ("dead_letters", json!({"queue": word(queue), "group": maybe(group), "max": max}))
            }
            Call::Replay(queue, group, id) => {
                ("replay", json!({"queue": word(queue), "group": maybe(group), "id": self.id(*id)}))
            }
            Call::Purge(queue, group, dead) => {
                ("purge", json!({"queue": word(queue), "group": maybe(group), "dead": dead.then_some(true)}))
            }
            Call::Delete(queue) => ("delete", json!({"queue": word(queue)})),
            Call::Sweep(queue) => ("sweep", json!({"queue": word(queue)})),
            Call::Heartbeat(update, tenant) => ("heartbeat", json!({"update": update, "tenant": maybe(tenant)})),
            Call::Agents(offline_after_ms, tenant) => {
                ("agents", json!({"offline_after_ms": offline_after_ms, "tenant": maybe(tenant)}))
            }
            Call::Misbehaved(kind, what) => ("misbehaved", json!({"kind": word(kind), "what": word(what)})),
            Call::Drained(queue, group) => ("drained", json!({"queue": word(queue), "group": maybe(group)})),
        };
        (name, members(arguments))
    }

    fn outcome(&self, operation: &Operation) -> Came {
        let answer = match &operation.outcome {
            Outcome::Refused(code, message) => {
                return Came::Refused { code: code.as_str().to_owned(), message: self.clean(*message) };
            }
            Outcome::Indefinite(message) => return Came::Indefinite { message: self.clean(*message) },
            Outcome::Ok(answer) => answer,
        };
        let answer = match answer {
            Answer::Done => json!({}),
            Answer::Published(stored) => json!({"outcome": stored}),
            Answer::Deliveries(all) => several("deliveries", all, |one| {
                json!({
                    "id": self.id(one.id), "tag": self.text(one.tag), "body": body(one.body),
                    "priority": one.priority, "attempt": one.attempt,
                })
            }),
            Answer::Peeked(all) => several("messages", all, |one| {
                json!({
                    "id": self.id(one.id), "body": body(one.body), "priority": one.priority, "attempt": one.attempt,
                })
            }),
            Answer::Depth(depth) => json!(depth),
            Answer::Letters(all) => several("letters", all, |one| {
                json!({
                    "id": self.id(one.id), "body": body(one.body), "reason": self.text(one.reason),
                    "attempts": one.attempts, "priority": one.priority, "died_at": one.died_at,
                    "group": one.group.map(|group| self.text(group)),
                })
            }),
            Answer::Removed(number) => json!({"removed": number}),
            Answer::Agents(all) => several("agents", all, |one| json!(one)),
        };
        Came::Ok { answer: members(answer) }
    }
}

fn body(body: Body) -> Value {
    json!({"bytes": body.bytes, "digest": format!("{:016x}", body.digest)})
}

fn several<T>(name: &str, all: &[T], shown: impl Fn(&T) -> Value) -> Value {
    let mut several = json!({name: all.iter().take(MOST_SHOWN).map(shown).collect::<Vec<_>>()});
    if all.len() > MOST_SHOWN {
        several["left_out"] = json!(all.len() - MOST_SHOWN);
    }
    several
}

/// The members that say something, with texts of the target cleaned.
fn members(value: Value) -> Map<String, Value> {
    let Value::Object(members) = without_nothing(value) else { return Map::new() };
    members
}

fn without_nothing(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let told = members.into_iter().filter(|(_, value)| !value.is_null());
            let name = |name: String| hostile::line(&name, hostile::MOST_CHARACTERS);
            Value::Object(told.map(|(key, value)| (name(key), without_nothing(value))).collect())
        }
        Value::Array(all) => Value::Array(all.into_iter().map(without_nothing).collect()),
        Value::String(text) => Value::String(hostile::line(&text, hostile::MOST_CHARACTERS)),
        other => other,
    }
}
