//! Messages between agents on named channels, over any broker.
//!
//! A channel is a queue, made when it is first used. Agents look at what is there, claim what they will
//! work on, complete it or say that it failed, and answer who asked.

mod answers;
mod artifacts;
mod look;
mod name;
mod subscriptions;

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use workwire::{ChannelMessage, FreeObject, MessageId, Name};

pub use artifacts::{ARTIFACT_THRESHOLD, Artifacts};
pub use name::channel_queue;
pub use subscriptions::{Subscription, subscriptions_queue};

use crate::capability::Capability;
use crate::clock::Clock;
use crate::contract::{Broker, Client, CloseMode, Fetch, Message, Stored, Verdict};
use crate::face::{DeadLetter, FaceError, Line, Taken, millis};
use crate::policy::Policy;
use crate::presence::{AgentState, Health, Update};
use crate::queue::Queue;

/// So many messages are received where nobody says how many.
pub const RECEIVE: u32 = 10;

/// So long an answer is waited for where nobody says how long.
pub const RESPONSE_WAIT: Duration = Duration::from_secs(30);

/// So long a claim is held: agents work for minutes, and one that is lost is noticed by most brokers
/// at once.
pub const CLAIM_LEASE: Duration = Duration::from_mins(5);

/// What a broker must claim for channels: the profile `channels`, but for the presence of agents and
/// the expiry of messages, which a system can do without.
const NEEDS: &[Capability] = &[
    Capability::Core,
    Capability::Priority,
    Capability::Addressing,
    Capability::Browse,
    Capability::Lease,
    Capability::Attempts,
    Capability::DeadLetter,
];

/// Sends, finds, claims and answers messages on channels.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use workwire::{ChannelMessage, Name};
/// use workwire_broker::{Channels, MemoryBroker, RECEIVE, RESPONSE_WAIT};
///
/// let broker = MemoryBroker::default();
/// let (planner, coder): (Name, Name) = ("planner".parse()?, "coder".parse()?);
/// let planners = Channels::open(&broker, "planner").await?;
/// let question = ChannelMessage::context_query(planner.clone(), "who owns the web service?", None)?.build()?;
/// planners.send(&question).await?;
///
/// let coders = Channels::open(&broker, "coder").await?;
/// coders.subscribe(&coder, question.channel()).await?;
/// for seen in coders.receive(&coder, &[], RECEIVE).await? {
///     let Some(claimed) = coders.claim(&coder, seen.channel(), *seen.id()).await? else { continue };
///     coders.respond(claimed.message(), &coder, r#"{"context": {"owner": "team-a"}}"#.parse()?).await?;
///     coders.complete(&claimed).await?;
/// }
///
/// let answer = planners.wait_for_response(&planner, &question, RESPONSE_WAIT).await?;
/// assert_eq!(answer.payload().as_str(), r#"{"context":{"owner":"team-a"}}"#);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Channels {
    line: Line,
    lease: Duration,
    expiry: Option<Duration>,
    artifacts: Option<Artifacts>,
}

impl Channels {
    /// Opens a connection to a broker.
    ///
    /// # Errors
    /// Where the broker lacks what channels need, or refuses the client.
    pub async fn open(broker: &dyn Broker, client: &str) -> Result<Self, FaceError> {
        Ok(Channels::on(Line::open(broker, client, NEEDS).await?))
    }

    /// Works over a connection that is open already.
    #[must_use]
    pub fn over(client: impl Into<Arc<dyn Client>>) -> Self {
        Channels::on(Line::over(client.into()))
    }

    fn on(line: Line) -> Self {
        Channels { line, lease: CLAIM_LEASE, expiry: None, artifacts: None }
    }

    /// The same with another clock than the runtime's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Channels { line: self.line.with_clock(clock), ..self }
    }

    /// The same with another time for which a claim is held. It is the channels' own, so everybody on
    /// them has to name the same.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Channels { lease, ..self }
    }

    /// The same; what is sent expires when nobody has taken it for so long.
    #[must_use]
    pub fn with_expiry(self, expiry: Duration) -> Self {
        Channels { expiry: Some(expiry), ..self }
    }

    /// The same; large payloads of answers become files. Without this they stay in their messages.
    #[must_use]
    pub fn with_artifacts(self, artifacts: Artifacts) -> Self {
        Channels { artifacts: Some(artifacts), ..self }
    }

    /// The connection, for what channels have no words for.
    #[must_use]
    pub fn client(&self) -> &Arc<dyn Client> {
        self.line.client()
    }

    /// Sends a message to its channel. After `Ok` it is safe. Sent again it is still one message.
    ///
    /// # Errors
    /// Those of the broker, and of an artifact that cannot be written.
    pub async fn send(&self, message: &ChannelMessage) -> Result<Stored, FaceError> {
        let queue = self.queue(message.channel()).await?;
        let Some(artifacts) = &self.artifacts else { return self.publish(&queue, message).await };
        let Some(pointing) = artifacts.put_aside(message).await? else { return self.publish(&queue, message).await };
        let sent = self.publish(&queue, &pointing).await;
        if sent.as_ref().is_err_and(|error| !error.is_indefinite()) {
            // The refusal is what the sender has to hear; a file that nobody points to does no harm.
            let _ = artifacts.take_away(&pointing).await;
        }
        sent
    }

    async fn publish(&self, queue: &Queue, message: &ChannelMessage) -> Result<Stored, FaceError> {
        let stored = Message {
            priority: Some(i64::from(message.priority().get())),
            ttl_ms: self.expiry.map(millis),
            to: message.to_agent().map(ToString::to_string),
            ..Message::new(*message.id().as_uuid(), message.to_json())
        };
        self.line.publish(queue, stored).await
    }

    /// Claims a message for an agent. Nothing where somebody else has it, where it is for somebody
    /// else, or where it is there no more.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn claim(
        &self,
        agent: &Name,
        channel: &Name,
        id: MessageId,
    ) -> Result<Option<Taken<ChannelMessage>>, FaceError> {
        let queue = self.queue(channel).await?;
        let fetch = self.fetch_for(agent).only(*id.as_uuid());
        Ok(self.line.take(&queue, fetch, Duration::ZERO, read).await?.pop())
    }

    /// Claims the first message of a channel that an agent may take; waits so long for one.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn claim_next(
        &self,
        agent: &Name,
        channel: &Name,
        wait: Duration,
    ) -> Result<Option<Taken<ChannelMessage>>, FaceError> {
        let queue = self.queue(channel).await?;
        Ok(self.line.take(&queue, self.fetch_for(agent), wait, read).await?.pop())
    }

    #[allow(clippy::unused_self, reason = "reads as what it is at its callers")]
    fn fetch_for(&self, agent: &Name) -> Fetch {
        Fetch { consumer: agent.to_string(), ..Fetch::up_to(1) }.for_recipient(agent.as_str())
    }

    /// Holds a claim for this long from now.
    ///
    /// # Errors
    /// Those of the broker; stale where it is held no more.
    pub async fn extend(&self, claimed: &Taken<ChannelMessage>, lease: Duration) -> Result<(), FaceError> {
        self.line.extend(claimed, lease).await
    }

    /// Says that a claimed message is done with.
    ///
    /// # Errors
    /// Those of the broker; stale where it is held no more.
    pub async fn complete(&self, claimed: &Taken<ChannelMessage>) -> Result<(), FaceError> {
        self.line.settle(claimed, Verdict::Done).await
    }

    /// Says that it failed, and why. Anybody can claim it again; the third failure puts it to the dead
    /// letters.
    ///
    /// # Errors
    /// Those of the broker; stale where it is held no more.
    pub async fn fail(&self, claimed: &Taken<ChannelMessage>, error: &str) -> Result<(), FaceError> {
        self.line.settle(claimed, Verdict::Retry { delay_ms: None, reason: Some(error.to_owned()) }).await
    }

    /// What a message says, also where it was put aside as an artifact.
    ///
    /// # Errors
    /// An artifact that cannot be read.
    pub async fn payload_of(&self, message: &ChannelMessage) -> Result<FreeObject, FaceError> {
        match &self.artifacts {
            Some(artifacts) => artifacts.payload_of(message).await,
            None => Ok(message.payload().clone()),
        }
    }

    /// Says how an agent is.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn heartbeat(&self, health: Health) -> Result<(), FaceError> {
        let said = self.line.client().heartbeat(Update::Channel(health), None).await;
        said.map_err(|error| FaceError::Broker { doing: "saying how an agent is".to_owned(), error })
    }

    /// How the agents on channels are.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn health(&self) -> Result<Vec<AgentState>, FaceError> {
        let agents = self.line.client().agents(None, None).await;
        let agents = agents.map_err(|error| FaceError::Broker { doing: "asking who is there".to_owned(), error })?;
        Ok(agents.into_iter().filter(|agent| agent.agent_type.is_none()).collect())
    }

    /// Removes what has expired from these channels, or where none is named from all that were used
    /// through this connection; says how many messages that were.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn clean_up(&self, channels: &[Name]) -> Result<u64, FaceError> {
        let mut queues = Vec::with_capacity(channels.len());
        for channel in channels {
            queues.push(self.queue(channel).await?);
        }
        if channels.is_empty() {
            queues = self.line.known();
        }
        let mut expired = 0;
        for queue in queues {
            expired += self.line.checked(&queue, "sweeping", self.line.client().sweep(&queue).await)?;
        }
        Ok(expired)
    }

    /// The dead letters of a channel, the oldest first.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn dead_letters(&self, channel: &Name, max: u32) -> Result<Vec<DeadLetter<ChannelMessage>>, FaceError> {
        self.line.dead_letters(&self.queue(channel).await?, max, None).await
    }

    /// Sends a dead letter back to its channel, as if it were new.
    ///
    /// # Errors
    /// Those of the broker; `not_found` where there is no such letter.
    pub async fn replay(&self, channel: &Name, id: Uuid) -> Result<(), FaceError> {
        self.line.replay(&self.queue(channel).await?, id, None).await
    }

    /// Ends the connection, and gives back what is held.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn close(&self) -> Result<(), FaceError> {
        let closed = self.line.client().close(CloseMode::Graceful).await;
        closed.map_err(|error| FaceError::Broker { doing: "closing the channels".to_owned(), error })
    }

    /// The queue of a channel, which is there now.
    async fn queue(&self, channel: &Name) -> Result<Queue, FaceError> {
        let queue = channel_queue(channel);
        let policy = Policy { max_priority: 10, max_attempts: 3, lease_ms: millis(self.lease), ..Policy::default() };
        self.line.declare(&queue, &policy).await?;
        Ok(queue)
    }
}

fn read(body: &[u8]) -> Result<ChannelMessage, String> {
    ChannelMessage::from_slice(body).map_err(|error| error.to_string())
}
