//! Messages between agents on named channels.

mod standard;

use crate::document::{Check, Whole, document};
use crate::error::ProtocolError;
use crate::free::{FreeObject, FreeValue};
use crate::id::MessageId;
use crate::name::{ARTIFACT_PATH, ArtifactPath, ChannelType, CorrelationId, Name, is_response};
use crate::number::ChannelPriority;
use crate::rule::Rule;
use crate::time::Timestamp;
use crate::version::Version;
use crate::violation::Violations;

document! {
    /// A message between agents on a named channel.
    ChannelMessage, builder: ChannelMessageBuilder, parts: ChannelMessageParts, missing: Chn1,
    {
        /// Unique to this message.
        id "id": MessageId = required;
        /// What it is: a dotted name.
        message_type "type": ChannelType = required;
        /// The version of the protocol.
        version "version": Version = default(Version::CURRENT);
        /// When it was made.
        timestamp "timestamp": Timestamp = required;
        /// Who sends it.
        from_agent "from_agent": Name = required;
        /// Who is to receive it; whoever on the channel takes it first where nobody is named.
        to_agent "to_agent": Name = optional, example r#""researcher-2""#;
        /// The channel that it is sent on.
        channel "channel": Name = default(Name::general()), example r#""general""#;
        /// How urgent it is: 1 to 10, 10 the most urgent.
        priority "priority": ChannelPriority = default(ChannelPriority::default());
        /// What it says; free, and of the standard types with fields of their own.
        payload "payload": FreeObject = required, example r#"{"query": "who owns the web service?"}"#;
        /// What ties an answer to its question.
        correlation_id "correlation_id": CorrelationId = optional;
    }
}

impl Whole for ChannelMessage {
    type Parts = ChannelMessageParts;

    fn check(parts: &mut Self::Parts, check: &mut Check<'_>) {
        let answers = parts.message_type.value.as_ref().is_some_and(ChannelType::is_response);
        let place = parts.payload.place().unwrap_or_default();
        let Some(payload) = parts.payload.value.take_if(|_| answers) else { return };
        let payload = payload.without_nulls(&["artifact_path"]);
        if let Some(path) = payload.get("artifact_path") {
            let (rule, expected) = match path.as_text() {
                None => (Rule::Fld1, "a string"),
                Some(text) if ArtifactPath::new(text.clone()).is_err() => (ARTIFACT_PATH.rule, ARTIFACT_PATH.expected),
                Some(_) => {
                    parts.payload.value = Some(payload);
                    return;
                }
            };
            let payload_path = check.at.key("payload");
            let place = check.place_of(place, "artifact_path");
            check.report.add(place, &payload_path.key("artifact_path"), rule, expected, Some(path.as_str()));
        }
        parts.payload.value = Some(payload);
    }
}

impl ChannelMessage {
    /// Begins a message with an id and a time of its own and an empty payload.
    pub fn compose(message_type: ChannelType, from_agent: Name) -> ChannelMessageBuilder {
        ChannelMessage::builder()
            .id(MessageId::new())
            .message_type(message_type)
            .timestamp(Timestamp::now())
            .from_agent(from_agent)
            .payload(FreeObject::new())
    }

    /// Makes the answer to this message: of type `T.response`, on the same channel, to the asker.
    /// The responder names itself, since the question may have been for anybody.
    ///
    /// # Errors
    /// Refuses a payload whose `artifact_path` is none, and a type that leaves no room for `.response`.
    pub fn reply(&self, responder: Name, payload: FreeObject) -> Result<ChannelMessage, ProtocolError> {
        ChannelMessage::compose(self.message_type.response()?, responder)
            .to_agent(self.from_agent.clone())
            .channel(self.channel.clone())
            .priority(self.priority)
            .payload(payload)
            .correlation_id(self.answer_correlation())
            .build()
    }

    /// What an answer to this message carries as its `correlation_id`.
    #[must_use]
    pub fn answer_correlation(&self) -> CorrelationId {
        self.correlation_id.clone().unwrap_or_else(|| CorrelationId::of_id(&self.id))
    }

    /// Whether it is an answer.
    #[must_use]
    pub fn is_response(&self) -> bool {
        is_response(self.message_type.as_str())
    }

    /// Where the artifact lies that an answer speaks of.
    #[must_use]
    pub fn artifact_path(&self) -> Option<ArtifactPath> {
        let path = self.payload.get("artifact_path").filter(|_| self.is_response());
        path.and_then(FreeValue::as_text).and_then(|text| ArtifactPath::new(text).ok())
    }

    /// What a message of a standard type should hold, and does not.
    #[must_use]
    pub fn warnings(&self) -> Violations {
        standard::warnings(self.message_type.as_str(), &self.payload)
    }
}
