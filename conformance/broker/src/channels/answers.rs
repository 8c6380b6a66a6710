//! Answers, and waiting for one among everything else that is there.

use std::collections::HashSet;
use std::time::Duration;

use uuid::Uuid;
use workwire::{ChannelMessage, FreeObject, Name};

use super::{Channels, read};
use crate::contract::{Fetch, Peek, Verdict};
use crate::face::{FaceError, Taken, millis};
use crate::queue::Queue;

/// So many messages are looked at at once.
const PAGE: u32 = 500;

/// How long to rest between two looks: an eighth of the time waited so far, within these bounds.
const REST: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(200));

impl Channels {
    /// Answers a message, on its channel and to who asked, and gives the answer. It is safe then, and
    /// the message can be completed.
    ///
    /// # Errors
    /// Those of the broker, of a payload that is none, and of an artifact that cannot be written.
    pub async fn respond(
        &self,
        message: &ChannelMessage,
        responder: &Name,
        payload: FreeObject,
    ) -> Result<ChannelMessage, FaceError> {
        let answer = message.reply(responder.clone(), payload).map_err(FaceError::protocol("answer"))?;
        self.send(&answer).await?;
        Ok(answer)
    }

    /// Waits for the answer to a message that the agent has sent, and takes it. Other answers and other
    /// messages stay as they are, for whoever they are for.
    ///
    /// # Errors
    /// Timed out where no answer came; those of the broker.
    pub async fn wait_for_response(
        &self,
        agent: &Name,
        request: &ChannelMessage,
        wait: Duration,
    ) -> Result<ChannelMessage, FaceError> {
        let queue = self.queue(request.channel()).await?;
        let answer = Answer { agent, request, queue };
        let clock = self.line.clock();
        let end = clock.now().saturating_add(millis(wait));
        let begun = tokio::time::Instant::now();
        let mut others = HashSet::new();
        loop {
            // Looked for once more when the time is over: it may have come at the last moment.
            let is_over = clock.now() >= end;
            if let Some(answer) = self.find(&answer, &mut others).await? {
                return Ok(answer);
            }
            if is_over {
                let what =
                    format!("the answer to {} {} on {}", request.message_type(), request.id(), request.channel());
                return Err(FaceError::TimedOut { what, waited: wait });
            }
            // The rest is the machine's time; when the time is over is the clock's to say.
            let rest = (begun.elapsed() / 8).clamp(REST.0, REST.1);
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = clock.sleep_until(end) => {}
            }
        }
    }

    /// Looks for the answer from the first message to the last, and takes it where it is.
    async fn find(&self, answer: &Answer<'_>, others: &mut HashSet<Uuid>) -> Result<Option<ChannelMessage>, FaceError> {
        let mut after = None;
        loop {
            let peek = Peek { max: PAGE, recipient: Some(answer.agent.to_string()), after, ..Peek::default() };
            let page = self.peek(&answer.queue, peek).await?;
            let Some(last) = page.last() else { return Ok(None) };
            after = Some(last.id);
            for found in page {
                if others.contains(&found.id) {
                    continue;
                }
                // What cannot be read is no answer; who looks at the channel puts it aside.
                if read(&found.body).is_ok_and(|message| answer.is(&message)) {
                    if let Some(taken) = self.take_answer(answer, found.id).await? {
                        return Ok(Some(taken));
                    }
                } else {
                    others.insert(found.id);
                }
            }
        }
    }

    async fn take_answer(&self, answer: &Answer<'_>, id: Uuid) -> Result<Option<ChannelMessage>, FaceError> {
        let queue = &answer.queue;
        let fetch = Fetch { consumer: answer.agent.to_string(), ..Fetch::up_to(1) };
        let fetch = fetch.for_recipient(answer.agent.as_str()).only(id);
        let mut taken = self.line.take(queue, fetch, Duration::ZERO, read).await?;
        let Some(taken) = taken.pop() else { return Ok(None) };
        if !answer.is(taken.message()) {
            // Another message can have the same id.
            self.line.settle(&taken, Verdict::Retry { delay_ms: Some(0), reason: None }).await?;
            return Ok(None);
        }
        match self.line.settle(&taken, Verdict::Done).await {
            // It is in our hands; where nobody knows whether it is gone it may be seen once more.
            Err(error) if !error.is_indefinite() => Err(error),
            _ => Ok(Some(Taken::into_message(taken))),
        }
    }
}

/// Whose answer to what.
struct Answer<'a> {
    agent: &'a Name,
    request: &'a ChannelMessage,
    queue: Queue,
}

impl Answer<'_> {
    /// Whether it is this answer: addressed to who waits, of the type that answers the request, and with
    /// its correlation.
    fn is(&self, message: &ChannelMessage) -> bool {
        message.to_agent() == Some(self.agent)
            && message.correlation_id() == Some(&self.request.answer_correlation())
            && message.message_type().as_str().strip_suffix(".response") == Some(self.request.message_type().as_str())
    }
}
