//! Work between an orchestrator and its agents, as envelopes over any broker.
//!
//! Each kind of message has its queue: requests that of the agent type they are for, results and
//! progress and heartbeats and errors the reply queue, cancels the broadcast, of which every agent is
//! a group of its own.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use workwire::{AgentType, MessageEnvelope, MessageType, Name, Payload, TaskId, TraceId, WorkRequest};

use crate::capability::Capability;
use crate::clock::Clock;
use crate::contract::{Broker, Client, CloseMode, Depth, Fetch, Message, Stored, Verdict};
use crate::face::{DeadLetter, FaceError, Line, Taken};
use crate::policy::Policy;
use crate::queue::Queue;

/// How long what is said to everybody can be heard: 24 hours.
pub const BROADCAST_KEPT: Duration = Duration::from_hours(24);

/// What a broker must claim for work: the profile `work-bus`, but for durability, which is up to who
/// chooses the broker. Cancels need `groups` and `ttl` besides.
const NEEDS: &[Capability] = &[Capability::Core, Capability::Priority, Capability::Fifo, Capability::DeadLetter];

/// The queue of the requests for an agent type.
#[must_use]
pub fn work_queue(agent: AgentType) -> Queue {
    Queue::new(format!("work_queue.{agent}"))
}

/// The queue of results, progress, heartbeats and errors.
#[must_use]
pub fn reply_queue() -> Queue {
    Queue::new("reply_queue")
}

/// The queue of cancels.
#[must_use]
pub fn broadcast_queue() -> Queue {
    Queue::new("broadcast")
}

/// Sends work and answers, and takes them.
///
/// What is taken is held under a lease of 30 s, which [`extend`](Self::extend) makes longer, and is
/// settled by one of [`answer`](Self::answer), [`done`](Self::done), [`give_back`](Self::give_back),
/// [`fail`](Self::fail) and [`give_up`](Self::give_up).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use workwire::{AgentId, AgentType, ExitCode, MessageEnvelope, Outcome, TaskId, WorkRequest, WorkResult, WorkType};
/// use workwire_broker::{MemoryBroker, WorkBus};
///
/// let broker = MemoryBroker::default();
/// let orchestrator = WorkBus::open(&broker, "orchestrator").await?;
/// let request = WorkRequest::builder().task_id(TaskId::new()).work_type(WorkType::new("echo")?).build()?;
/// orchestrator.send(&MessageEnvelope::new(AgentType::Orchestrator, AgentType::Infra, request)).await?;
///
/// let agent = WorkBus::open(&broker, "agent").await?;
/// for work in agent.take_work(AgentType::Infra, 1, Duration::from_secs(5)).await? {
///     let result = WorkResult::builder()
///         .task_id(TaskId::new()).status(Outcome::Completed).exit_code(ExitCode::default())
///         .duration_ms(Duration::from_millis(5)).agent_id(AgentId::new());
///     agent.answer(&work, &work.message().reply(result.build()?)).await?;
/// }
///
/// let replies = orchestrator.take_replies(10, Duration::from_secs(5)).await?;
/// orchestrator.done(&replies[0]).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct WorkBus {
    line: Line,
}

impl WorkBus {
    /// Opens a connection to a broker.
    ///
    /// # Errors
    /// Where the broker lacks what work needs, or refuses the client.
    pub async fn open(broker: &dyn Broker, client: &str) -> Result<Self, FaceError> {
        Ok(WorkBus { line: Line::open(broker, client, NEEDS).await? })
    }

    /// Works over a connection that is open already.
    #[must_use]
    pub fn over(client: impl Into<Arc<dyn Client>>) -> Self {
        WorkBus { line: Line::over(client.into()) }
    }

    /// The same with another clock than the runtime's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        WorkBus { line: self.line.with_clock(clock) }
    }

    /// The connection, for what a bus has no words for.
    #[must_use]
    pub fn client(&self) -> &Arc<dyn Client> {
        self.line.client()
    }

    /// Where a message belongs, by what it says.
    #[must_use]
    pub fn queue_of(message: &MessageEnvelope) -> Queue {
        match message.payload() {
            Payload::WorkRequest(request) if request.cancels().is_some() => broadcast_queue(),
            Payload::WorkRequest(_) => work_queue(message.to_agent()),
            _ => reply_queue(),
        }
    }

    /// Puts a message into the queue where it belongs. After `Ok` it is safe. Sent again it is still
    /// one message: its id is the envelope's.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn send(&self, message: &MessageEnvelope) -> Result<Stored, FaceError> {
        let queue = Self::queue_of(message);
        self.declare(&queue).await?;
        let stored = Message {
            priority: Some(i64::from(message.priority().get())),
            ..Message::new(*message.message_id().as_uuid(), message.to_json())
        };
        self.line.publish(&queue, stored).await
    }

    /// Asks whoever works on a task to stop. The flow is the task's.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn cancel(&self, task: TaskId, agent: AgentType, trace: TraceId) -> Result<MessageEnvelope, FaceError> {
        let message = MessageEnvelope::new(AgentType::Orchestrator, agent, WorkRequest::cancel(task));
        let message = message.with_trace_id(trace);
        self.send(&message).await?;
        Ok(message)
    }

    /// Takes up to `max` requests for an agent type, the most urgent first; waits so long for the
    /// first. What is no request, or another type's, goes to the dead letters, and the next is taken.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn take_work(
        &self,
        agent: AgentType,
        max: u32,
        wait: Duration,
    ) -> Result<Vec<Taken<MessageEnvelope>>, FaceError> {
        let queue = work_queue(agent);
        self.declare(&queue).await?;
        let fetch = Fetch { consumer: agent.to_string(), ..Fetch::up_to(max) };
        self.line.take(&queue, fetch, wait, |body| read_request(body, agent)).await
    }

    /// Takes up to `max` results, statuses, heartbeats and errors; waits so long for the first.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn take_replies(&self, max: u32, wait: Duration) -> Result<Vec<Taken<MessageEnvelope>>, FaceError> {
        let queue = reply_queue();
        self.declare(&queue).await?;
        let fetch = Fetch { consumer: "replies".to_owned(), ..Fetch::up_to(max) };
        self.line.take(&queue, fetch, wait, read_reply).await
    }

    /// Takes up to `max` of what was said to everybody and this agent has not heard; waits so long for
    /// the first. From the first time on that it listens, nothing is said without it.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn take_broadcasts(
        &self,
        agent: &Name,
        max: u32,
        wait: Duration,
    ) -> Result<Vec<Taken<MessageEnvelope>>, FaceError> {
        let queue = broadcast_queue();
        self.declare(&queue).await?;
        let fetch = Fetch { consumer: agent.to_string(), ..Fetch::up_to(max) }.of_group(agent.as_str());
        self.line.take(&queue, fetch, wait, read_any).await
    }

    /// Answers work: sends the answer, and settles the work as done when the answer is safe. Where it
    /// is not, the work is still held, and the same answer can be tried again.
    ///
    /// # Errors
    /// Those of the broker, and an answer that is not this work's: another trace or request.
    pub async fn answer(&self, work: &Taken<MessageEnvelope>, answer: &MessageEnvelope) -> Result<(), FaceError> {
        let request = work.message();
        let ids = |message: &MessageEnvelope| {
            format!("trace_id {} and request_id {}", message.trace_id(), message.request_id())
        };
        if (request.trace_id(), request.request_id()) != (answer.trace_id(), answer.request_id()) {
            return Err(FaceError::Misplaced { place: "answer", expected: ids(request), found: ids(answer) });
        }
        if answer.message_type() == MessageType::WorkRequest {
            let (expected, found) = ("a result or an error".to_owned(), "a work_request".to_owned());
            return Err(FaceError::Misplaced { place: "answer", expected, found });
        }
        self.send(answer).await?;
        self.done(work).await
    }

    /// Ends what was taken.
    ///
    /// # Errors
    /// Those of the broker; stale where it is held no more.
    pub async fn done(&self, taken: &Taken<MessageEnvelope>) -> Result<(), FaceError> {
        self.line.settle(taken, Verdict::Done).await
    }

    /// Lets somebody else have it at once. It counts as an attempt.
    ///
    /// # Errors
    /// Those of the broker; stale where it is held no more.
    pub async fn give_back(&self, taken: &Taken<MessageEnvelope>) -> Result<(), FaceError> {
        self.line.settle(taken, Verdict::Retry { delay_ms: Some(0), reason: None }).await
    }

    /// Says that it could not be worked on, and why. It comes again until its attempts are used up.
    /// Work that was done and failed is answered with a result that says so.
    ///
    /// # Errors
    /// Those of the broker; stale where it is held no more.
    pub async fn fail(&self, taken: &Taken<MessageEnvelope>, reason: &str) -> Result<(), FaceError> {
        self.line.settle(taken, Verdict::Retry { delay_ms: None, reason: Some(reason.to_owned()) }).await
    }

    /// Puts it to the dead letters at once.
    ///
    /// # Errors
    /// Those of the broker; stale where it is held no more.
    pub async fn give_up(&self, taken: &Taken<MessageEnvelope>, reason: &str) -> Result<(), FaceError> {
        self.line.settle(taken, Verdict::dead(reason)).await
    }

    /// Holds it for this long from now.
    ///
    /// # Errors
    /// Those of the broker; stale where it is held no more: who is told so stops, and answers nothing.
    pub async fn extend(&self, taken: &Taken<MessageEnvelope>, lease: Duration) -> Result<(), FaceError> {
        self.line.extend(taken, lease).await
    }

    /// How many messages of one of the bus's queues are where.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn depth(&self, queue: &Queue) -> Result<Depth, FaceError> {
        self.declare(queue).await?;
        self.line.depth(queue, None).await
    }

    /// The dead letters of one of the bus's queues, the oldest first.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn dead_letters(&self, queue: &Queue, max: u32) -> Result<Vec<DeadLetter<MessageEnvelope>>, FaceError> {
        self.declare(queue).await?;
        self.line.dead_letters(queue, max, None).await
    }

    /// Sends a dead letter back to its queue.
    ///
    /// # Errors
    /// Those of the broker; `not_found` where there is no such letter.
    pub async fn replay(&self, queue: &Queue, id: Uuid) -> Result<(), FaceError> {
        self.declare(queue).await?;
        self.line.replay(queue, id, None).await
    }

    /// Ends the connection, and gives back what is held.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn close(&self) -> Result<(), FaceError> {
        let closed = self.line.client().close(CloseMode::Graceful).await;
        closed.map_err(|error| FaceError::Broker { doing: "closing the work bus".to_owned(), error })
    }

    async fn declare(&self, queue: &Queue) -> Result<(), FaceError> {
        let ttl_ms = (queue == &broadcast_queue()).then_some(crate::face::millis(BROADCAST_KEPT));
        // The protocol's priorities, 1 to 5, are the policy's own.
        self.line.declare(queue, &Policy { ttl_ms, ..Policy::default() }).await
    }
}

fn read_any(body: &[u8]) -> Result<MessageEnvelope, String> {
    MessageEnvelope::from_slice(body).map_err(|error| error.to_string())
}

fn read_request(body: &[u8], agent: AgentType) -> Result<MessageEnvelope, String> {
    let message = read_any(body)?;
    if message.message_type() != MessageType::WorkRequest {
        return Err(format!("/type: expected work_request, found {}", message.message_type()));
    }
    if message.to_agent() != agent {
        return Err(format!("/to_agent: expected {agent}, whose queue this is, found {}", message.to_agent()));
    }
    Ok(message)
}

fn read_reply(body: &[u8]) -> Result<MessageEnvelope, String> {
    let message = read_any(body)?;
    if message.message_type() == MessageType::WorkRequest {
        return Err("/type: expected work_status, work_result, status_update or error, found work_request".to_owned());
    }
    Ok(message)
}
