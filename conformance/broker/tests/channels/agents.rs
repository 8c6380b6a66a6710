//! Agents with their channels.

use std::sync::Arc;
use std::time::Duration;

use workwire::{ChannelMessage, ChannelMessageBuilder, ChannelType, FreeObject, Name};
use workwire_broker::{Channels, RECEIVE, Taken};

use crate::brokers::Bench;

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn free(json: &str) -> FreeObject {
    json.parse().unwrap()
}

/// A question on the channel `general`.
pub(crate) fn question(from: &str, query: &str) -> ChannelMessageBuilder {
    ChannelMessage::context_query(name(from), query, None).unwrap()
}

/// A message of any type on the channel `general`.
pub(crate) fn message(from: &str, message_type: &str) -> ChannelMessageBuilder {
    ChannelMessage::compose(ChannelType::new(message_type).unwrap(), name(from))
}

/// One agent, with a connection of its own.
#[derive(Clone)]
pub(crate) struct Agent {
    pub(crate) name: Name,
    pub(crate) channels: Channels,
}

impl Agent {
    pub(crate) async fn on(bench: &Bench, agent: &str) -> Self {
        let channels = Channels::open(&*bench.broker, agent).await.unwrap();
        Agent { name: name(agent), channels: channels.with_clock(Arc::new(bench.clock.clone())) }
    }

    /// What it sees on `general`.
    pub(crate) async fn sees(&self) -> Vec<ChannelMessage> {
        self.channels.receive(&self.name, &[name("general")], RECEIVE).await.unwrap()
    }

    pub(crate) async fn claims(&self, message: &ChannelMessage) -> Option<Taken<ChannelMessage>> {
        self.channels.claim(&self.name, message.channel(), *message.id()).await.unwrap()
    }

    /// Claims what it knows to be there.
    pub(crate) async fn gets(&self, message: &ChannelMessage) -> Taken<ChannelMessage> {
        self.claims(message).await.unwrap_or_else(|| panic!("{} is not there for {}", message.id(), self.name))
    }

    pub(crate) async fn sends(&self, message: ChannelMessageBuilder) -> ChannelMessage {
        let message = message.build().unwrap();
        self.channels.send(&message).await.unwrap();
        message
    }

    /// Begins to wait for the answer to a request.
    pub(crate) fn waits_for(
        &self,
        request: &ChannelMessage,
        wait: Duration,
    ) -> tokio::task::JoinHandle<Result<ChannelMessage, workwire_broker::FaceError>> {
        let (agent, request) = (self.clone(), request.clone());
        tokio::spawn(async move { agent.channels.wait_for_response(&agent.name, &request, wait).await })
    }
}
