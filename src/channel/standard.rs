//! The standard types of channel messages: what their payloads hold, and how to make them.

use serde_json::json;

use super::{ChannelMessage, ChannelMessageBuilder};
use crate::error::ProtocolError;
use crate::free::{FreeObject, FreeValue};
use crate::name::{ArtifactPath, ChannelType, Name};
use crate::rule::Rule;
use crate::time::Timestamp;
use crate::violation::{Path, Report, Violations};

/// What a key of a standard payload holds.
#[derive(Clone, Copy)]
enum Holds {
    Text,
    Number,
    Moment,
    Texts,
    Object,
}

impl Holds {
    fn allows(self, value: FreeValue<'_>) -> bool {
        match self {
            Holds::Text => value.as_text().is_some(),
            Holds::Number => value.as_number().is_some(),
            Holds::Moment => value.as_text().is_some_and(|text| text.parse::<Timestamp>().is_ok()),
            Holds::Texts => value.items().is_some_and(|items| items.iter().all(|item| item.as_text().is_some())),
            Holds::Object => value.is_object(),
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Holds::Text => "a string",
            Holds::Number => "a number",
            Holds::Moment => "a timestamp",
            Holds::Texts => "a list of strings",
            Holds::Object => "an object",
        }
    }
}

struct Key {
    name: &'static str,
    holds: Holds,
    optional: bool,
}

const fn must(name: &'static str, holds: Holds) -> Key {
    Key { name, holds, optional: false }
}

const fn may(name: &'static str, holds: Holds) -> Key {
    Key { name, holds, optional: true }
}

const CONTEXT_QUERY: &str = "context.query";
const CONTEXT_RESPONSE: &str = "context.response";
const TASK_CLAIM: &str = "task.claim";
const TASK_UPDATE: &str = "task.update";
const VOTE_INITIATE: &str = "vote.initiate";
const VOTE_CAST: &str = "vote.cast";
const BROADCAST: &str = "broadcast";
const HEARTBEAT: &str = "heartbeat";

const STANDARD: &[(&str, &[Key])] = &[
    (CONTEXT_QUERY, &[must("query", Holds::Text), may("aspects", Holds::Texts)]),
    (CONTEXT_RESPONSE, &[must("context", Holds::Object), may("artifact_path", Holds::Text)]),
    (TASK_CLAIM, &[must("task_id", Holds::Text)]),
    (TASK_UPDATE, &[must("task_id", Holds::Text), must("status", Holds::Text), may("progress", Holds::Number)]),
    (VOTE_INITIATE, &[must("topic", Holds::Text), must("options", Holds::Texts), must("deadline", Holds::Moment)]),
    (VOTE_CAST, &[must("vote_id", Holds::Text), must("option", Holds::Text), may("reasoning", Holds::Text)]),
    (BROADCAST, &[must("message", Holds::Text), must("severity", Holds::Text)]),
    (HEARTBEAT, &[must("status", Holds::Text), may("current_task", Holds::Text)]),
];

pub(super) fn warnings(message_type: &str, payload: &FreeObject) -> Violations {
    let mut report = Report::default();
    let keys = STANDARD.iter().find(|(name, _)| *name == message_type).map_or(&[][..], |(_, keys)| keys);
    let place = Path::Root.key("payload");
    for key in keys {
        let at = place.key(key.name);
        match payload.iter().enumerate().find(|(_, (name, _))| *name == key.name) {
            None if key.optional => {}
            None => report.add(usize::MAX, &at, Rule::Chn7, format!("should be there, {}", key.holds.expected()), None),
            Some((_, (_, value))) if key.holds.allows(value) || (key.optional && value.is_null()) => {}
            Some((index, (_, value))) => report.add(index, &at, Rule::Chn7, key.holds.expected(), Some(value.as_str())),
        }
    }
    report.finish()
}

/// A payload whose optional keys are left out when they are absent.
fn payload(value: &serde_json::Value) -> Result<FreeObject, ProtocolError> {
    Ok(FreeObject::from_value(value)?.without_nulls(&[
        "aspects",
        "artifact_path",
        "progress",
        "reasoning",
        "current_task",
    ]))
}

fn compose(message_type: &str, from: Name, value: &serde_json::Value) -> Result<ChannelMessageBuilder, ProtocolError> {
    Ok(ChannelMessage::compose(ChannelType::new(message_type)?, from).payload(payload(value)?))
}

/// Messages of the standard types. Each begins a message with its payload; recipient, channel and
/// the rest can be set before `build`.
impl ChannelMessage {
    /// Asks for context.
    ///
    /// # Errors
    /// None for texts; the signature leaves room for content that cannot be written.
    pub fn context_query(
        from: Name,
        query: &str,
        aspects: Option<&[&str]>,
    ) -> Result<ChannelMessageBuilder, ProtocolError> {
        compose(CONTEXT_QUERY, from, &json!({"query": query, "aspects": aspects}))
    }

    /// Gives context.
    ///
    /// # Errors
    /// Refuses a context that cannot be written as strict JSON.
    pub fn context_response(
        from: Name,
        context: &FreeObject,
        artifact_path: Option<&ArtifactPath>,
    ) -> Result<ChannelMessageBuilder, ProtocolError> {
        let mut payload = FreeObject::new().with("context", context)?;
        if let Some(path) = artifact_path {
            payload = payload.with("artifact_path", path)?;
        }
        Ok(ChannelMessage::compose(ChannelType::new(CONTEXT_RESPONSE)?, from).payload(payload))
    }

    /// Takes a task.
    ///
    /// # Errors
    /// None for texts.
    pub fn task_claim(from: Name, task_id: &str) -> Result<ChannelMessageBuilder, ProtocolError> {
        compose(TASK_CLAIM, from, &json!({"task_id": task_id}))
    }

    /// Says how a task goes on.
    ///
    /// # Errors
    /// Refuses a progress that is not finite.
    pub fn task_update(
        from: Name,
        task_id: &str,
        status: &str,
        progress: Option<f64>,
    ) -> Result<ChannelMessageBuilder, ProtocolError> {
        if let Some(infinite) = progress.filter(|progress| !progress.is_finite()) {
            return Err(ProtocolError::value(Rule::Jsn6, "a finite number", &infinite.to_string()));
        }
        compose(TASK_UPDATE, from, &json!({"task_id": task_id, "status": status, "progress": progress}))
    }

    /// Calls a vote.
    ///
    /// # Errors
    /// None for texts.
    pub fn vote_initiate(
        from: Name,
        topic: &str,
        options: &[&str],
        deadline: Timestamp,
    ) -> Result<ChannelMessageBuilder, ProtocolError> {
        compose(VOTE_INITIATE, from, &json!({"topic": topic, "options": options, "deadline": deadline}))
    }

    /// Votes.
    ///
    /// # Errors
    /// None for texts.
    pub fn vote_cast(
        from: Name,
        vote_id: &str,
        option: &str,
        reasoning: Option<&str>,
    ) -> Result<ChannelMessageBuilder, ProtocolError> {
        compose(VOTE_CAST, from, &json!({"vote_id": vote_id, "option": option, "reasoning": reasoning}))
    }

    /// Tells everybody.
    ///
    /// # Errors
    /// None for texts.
    pub fn broadcast(from: Name, message: &str, severity: &str) -> Result<ChannelMessageBuilder, ProtocolError> {
        compose(BROADCAST, from, &json!({"message": message, "severity": severity}))
    }

    /// Says that an agent is there.
    ///
    /// # Errors
    /// None for texts.
    pub fn heartbeat(
        from: Name,
        status: &str,
        current_task: Option<&str>,
    ) -> Result<ChannelMessageBuilder, ProtocolError> {
        compose(HEARTBEAT, from, &json!({"status": status, "current_task": current_task}))
    }
}
