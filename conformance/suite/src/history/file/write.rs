//! From a history to a file.

use std::io::{self, Write};

use serde::Serialize;

use super::line::{
    AnswerLine, BodyLine, CallLine, Counts, DeliveryLine, Demanded, Ending, Header, LetterLine, MessageLine,
    OutcomeLine, Step, VerdictLine,
};
use super::{MOST_BYTES, VERSION};
use crate::history::{Answer, Body, Call, History, Operation, Outcome, SettleAs, Word, Words};

impl History {
    /// Writes it, a line for each operation and each demand.
    ///
    /// # Errors
    /// Those of the writing, and where a line would be longer than may be read again.
    pub fn write(&self, mut to: impl Write) -> io::Result<()> {
        let about = &self.about;
        let mut buffer = Vec::new();
        let header = Header {
            workwire_history: VERSION,
            case: about.case.clone(),
            target: about.target.clone(),
            seed: about.seed,
            capabilities: about.capabilities.clone(),
            choices: about.choices,
            stall: about.stall,
            complete: about.complete,
        };
        line(&mut to, &mut buffer, &header)?;
        for (place, operation) in self.operations().iter().enumerate() {
            let n = u32::try_from(self.number(place).index()).unwrap_or(u32::MAX);
            line(&mut to, &mut buffer, &step(self.words(), n, operation))?;
        }
        for demand in self.demands() {
            line(&mut to, &mut buffer, &Demanded { demand: demand.clone() })?;
        }
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        let end = Counts { operations: count(self.operations().len()), demands: count(self.demands().len()) };
        line(&mut to, &mut buffer, &Ending { end })?;
        to.flush()
    }
}

fn line(to: &mut impl Write, buffer: &mut Vec<u8>, line: &impl Serialize) -> io::Result<()> {
    buffer.clear();
    serde_json::to_writer(&mut *buffer, line)?;
    if buffer.len() > MOST_BYTES {
        let message = format!("a line of {} bytes: at most {MOST_BYTES} can be read again", buffer.len());
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    buffer.push(b'\n');
    to.write_all(buffer)
}

fn step(words: &Words, n: u32, operation: &Operation) -> Step {
    Step {
        n,
        client: words.text(operation.client).to_owned(),
        began: operation.began,
        ended: operation.ended,
        call: call(words, &operation.call),
        outcome: match &operation.outcome {
            Outcome::Ok(given) => OutcomeLine::Ok(answer(words, given)),
            Outcome::Refused(code, why) => OutcomeLine::Refused { code: *code, message: words.text(*why).to_owned() },
            Outcome::Indefinite(why) => OutcomeLine::Indefinite { message: words.text(*why).to_owned() },
        },
    }
}

fn body(body: Body) -> BodyLine {
    BodyLine { bytes: body.bytes, digest: format!("{:016x}", body.digest) }
}

fn call(words: &Words, call: &Call) -> CallLine {
    let text = |word: Word| words.text(word).to_owned();
    let optional = |word: Option<Word>| word.map(text);
    match call {
        Call::Start => CallLine::Start {},
        Call::Open => CallLine::Open {},
        Call::Close(mode) => CallLine::Close { mode: *mode },
        Call::Restart(mode) => CallLine::Restart { mode: *mode },
        Call::Declare(queue, policy) => CallLine::Declare { queue: text(*queue), policy: policy.clone() },
        Call::Publish(publish) => CallLine::Publish {
            queue: text(publish.queue),
            id: words.uuid(publish.id),
            body: body(publish.body),
            priority: publish.priority,
            ttl_ms: publish.ttl_ms(),
            delay_ms: publish.delay_ms(),
            to: optional(publish.to()),
        },
        Call::Fetch(fetch) => CallLine::Fetch {
            queue: text(fetch.queue),
            max: fetch.max,
            wait_ms: fetch.wait_ms,
            group: optional(fetch.group),
            recipient: optional(fetch.recipient),
            id: fetch.only.map(|id| words.uuid(id)),
        },
        Call::Peek(peek) => CallLine::Peek {
            queue: text(peek.queue),
            max: peek.max,
            group: optional(peek.group),
            recipient: optional(peek.recipient),
            after: peek.after.map(|id| words.uuid(id)),
        },
        Call::Settle(settle) => {
            let (verdict, delay_ms) = match settle.verdict {
                SettleAs::Done => (VerdictLine::Done, None),
                SettleAs::Retry(delay_ms) => (VerdictLine::Retry, delay_ms),
                SettleAs::Dead => (VerdictLine::Dead, None),
            };
            let (queue, tag, reason) = (text(settle.queue), text(settle.tag), optional(settle.reason));
            CallLine::Settle { queue, tag, verdict, delay_ms, reason }
        }
        Call::Extend(queue, tag, lease_ms) => {
            CallLine::Extend { queue: text(*queue), tag: text(*tag), lease_ms: *lease_ms }
        }
        Call::Depth(queue, group) => CallLine::Depth { queue: text(*queue), group: optional(*group) },
        Call::DeadLetters(queue, group, max) => {
            CallLine::DeadLetters { queue: text(*queue), max: *max, group: optional(*group) }
        }
        Call::Replay(queue, group, id) => {
            CallLine::Replay { queue: text(*queue), id: words.uuid(*id), group: optional(*group) }
        }
        Call::Purge(queue, group, dead) => {
            CallLine::Purge { queue: text(*queue), group: optional(*group), dead: *dead }
        }
        Call::Delete(queue) => CallLine::Delete { queue: text(*queue) },
        Call::Sweep(queue) => CallLine::Sweep { queue: text(*queue) },
        Call::Heartbeat(update, tenant) => CallLine::Heartbeat { update: update.clone(), tenant: optional(*tenant) },
        Call::Agents(offline_after_ms, tenant) => {
            CallLine::Agents { offline_after_ms: *offline_after_ms, tenant: optional(*tenant) }
        }
        Call::Misbehaved(kind, what) => CallLine::Misbehaved { kind: text(*kind), what: text(*what) },
        Call::Drained(queue, group) => CallLine::Drained { queue: text(*queue), group: optional(*group) },
    }
}

fn answer(words: &Words, answer: &Answer) -> AnswerLine {
    match answer {
        Answer::Done => AnswerLine::Done {},
        Answer::Published(stored) => AnswerLine::Published(*stored),
        Answer::Deliveries(all) => AnswerLine::Deliveries(
            all.iter()
                .map(|one| DeliveryLine {
                    tag: words.text(one.tag).to_owned(),
                    id: words.uuid(one.id),
                    body: body(one.body),
                    priority: one.priority,
                    attempt: one.attempt,
                })
                .collect(),
        ),
        Answer::Peeked(all) => AnswerLine::Messages(
            all.iter()
                .map(|one| MessageLine {
                    id: words.uuid(one.id),
                    body: body(one.body),
                    priority: one.priority,
                    attempt: one.attempt,
                })
                .collect(),
        ),
        Answer::Depth(depth) => AnswerLine::Depth(depth.clone()),
        Answer::Letters(all) => AnswerLine::Letters(
            all.iter()
                .map(|one| LetterLine {
                    id: words.uuid(one.id),
                    body: body(one.body),
                    reason: words.text(one.reason).to_owned(),
                    attempts: one.attempts,
                    priority: one.priority,
                    died_at: one.died_at,
                    group: one.group.map(|group| words.text(group).to_owned()),
                })
                .collect(),
        ),
        Answer::Removed(number) => AnswerLine::Removed(*number),
        Answer::Agents(agents) => AnswerLine::Agents(agents.to_vec()),
    }
}
