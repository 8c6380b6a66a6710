//! From a file to a history, line by line.

use std::io::{BufRead, Read};

use serde::{Deserialize, de::DeserializeOwned};

use super::line::{AnswerLine, BodyLine, CallLine, Counts, Header, OutcomeLine, VerdictLine};
use super::{HistoryError, MOST_BYTES, VERSION};
use crate::demand::Demand;
use crate::history::{
    About, Answer, Body, Call, Delivered, FetchCall, History, LetterSeen, Number, Operation, Outcome, PeekCall,
    PeekSeen, PublishCall, SettleAs, SettleCall, Terms, Word, Words,
};

impl History {
    /// Reads a file. Members and kinds of lines that a later version may add are ignored.
    ///
    /// # Errors
    /// With the line, what was expected and what was found: of what is no history, and of one that
    /// has no end.
    pub fn read(from: impl BufRead) -> Result<History, HistoryError> {
        let mut lines = Lines { from, buffer: Vec::new(), line: 0 };
        let mut history = History::new(lines.header()?);
        let end = loop {
            let Some(text) = lines.next()? else {
                return Err(lines.error("expected a line with \"end\", found the end of the file: it is unfinished"));
            };
            let line: Line = parsed(text).map_err(|why| lines.error(why))?;
            if let Some(end) = line.end {
                break end;
            }
            if let Some(demand) = line.demand {
                history.demand(demand);
            } else if line.n.is_some() {
                let (number, operation) = line.operation(history.words_mut()).map_err(|why| lines.error(why))?;
                history.add(number, operation).map_err(|why| lines.error(why))?;
            }
        };
        let found = (history.operations().len() as u64, history.demands().len() as u64);
        if found.0 > end.operations || found.1 > end.demands {
            return Err(lines.error(format!(
                "expected at most {} operations and {} demands, found {} and {}",
                end.operations, end.demands, found.0, found.1
            )));
        }
        if lines.next()?.is_some() {
            return Err(lines.error("expected nothing behind the end, found a line"));
        }
        Ok(history)
    }

    /// Adds an operation with its number; those before it may have been taken out.
    fn add(&mut self, number: Number, operation: Operation) -> Result<(), String> {
        let place = self.operations.len();
        if let (Some(last), Some(before)) = (place.checked_sub(1), self.operations.last()) {
            let last = self.number(last);
            if number <= last {
                return Err(format!("expected \"n\" greater than {}, found {}", last.index(), number.index()));
            }
            if operation.began < before.began {
                return Err(format!("expected \"began\" of at least {}, found {}", before.began, operation.began));
            }
        }
        if self.numbers.is_empty() && number != Number::of(place) {
            self.numbers = (0..place).map(Number::of).collect();
        }
        if !self.numbers.is_empty() || number != Number::of(place) {
            self.numbers.push(number);
        }
        self.operations.push(operation);
        Ok(())
    }
}

struct Lines<R> {
    from: R,
    buffer: Vec<u8>,
    line: usize,
}

impl<R: BufRead> Lines<R> {
    fn error(&self, message: impl Into<String>) -> HistoryError {
        HistoryError { line: self.line, message: message.into() }
    }

    /// The next line in which something stands.
    fn next(&mut self) -> Result<Option<&[u8]>, HistoryError> {
        loop {
            self.line += 1;
            self.buffer.clear();
            let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX) + 1;
            let read = (&mut self.from).take(most).read_until(b'\n', &mut self.buffer);
            match read {
                Err(error) => return Err(self.error(format!("it cannot be read: {error}"))),
                Ok(0) => return Ok(None),
                Ok(_) => {}
            }
            if self.buffer.last() == Some(&b'\n') {
                self.buffer.pop();
            }
            if self.buffer.len() > MOST_BYTES {
                return Err(self.error(format!("expected at most {MOST_BYTES} bytes, found more")));
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(Some(&self.buffer));
            }
        }
    }

    fn header(&mut self) -> Result<About, HistoryError> {
        #[derive(Deserialize)]
        struct Version {
            workwire_history: Option<serde_json::Value>,
        }
        let Some(text) = self.next()? else {
            return Err(self.error("expected a line with \"workwire_history\", found an empty file"));
        };
        let text = text.to_vec();
        let version: Version = parsed(&text).map_err(|why| self.error(why))?;
        match version.workwire_history {
            Some(version) if version == VERSION => {}
            Some(other) => {
                return Err(
                    self.error(format!("expected \"workwire_history\" {VERSION}, found {}", cut(&other.to_string())))
                );
            }
            None => return Err(self.error("expected \"workwire_history\" in the first line, found none")),
        }
        let header: Header = parsed(&text).map_err(|why| self.error(why))?;
        Ok(About {
            case: header.case,
            target: header.target,
            seed: header.seed,
            capabilities: header.capabilities,
            choices: header.choices,
            stall: header.stall,
            complete: header.complete,
        })
    }
}

fn parsed<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| {
        // Each text is one line, so that what serde says of lines says nothing.
        let said = error.to_string();
        let why = said.split_once(" at line ").map_or(said.as_str(), |(why, _)| why);
        format!("column {}: {}", error.column(), cut(why))
    })
}

/// What a file says may be of any length.
fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

/// Any line behind the first.
#[derive(Deserialize)]
struct Line {
    n: Option<u32>,
    client: Option<String>,
    began: Option<u64>,
    ended: Option<u64>,
    call: Option<CallLine>,
    outcome: Option<OutcomeLine>,
    demand: Option<Demand>,
    end: Option<Counts>,
}

impl Line {
    fn operation(self, words: &mut Words) -> Result<(Number, Operation), String> {
        let missing = |member: &str| format!("expected an operation with \"{member}\", found none");
        let number = Number::of(self.n.unwrap_or(0) as usize);
        let client = words.word(&self.client.ok_or_else(|| missing("client"))?);
        let began = self.began.ok_or_else(|| missing("began"))?;
        if self.ended.is_some_and(|ended| ended < began) {
            return Err(format!("expected \"ended\" of at least {began}, found {}", self.ended.unwrap_or(0)));
        }
        let call = call(words, self.call.ok_or_else(|| missing("call"))?)?;
        let outcome = match self.outcome.ok_or_else(|| missing("outcome"))? {
            OutcomeLine::Ok(given) => Outcome::Ok(answer(words, given)?),
            OutcomeLine::Refused { code, message } => Outcome::Refused(code, words.word(&message)),
            OutcomeLine::Indefinite { message } => Outcome::Indefinite(words.word(&message)),
        };
        Ok((number, Operation { client, began, ended: self.ended, call, outcome }))
    }
}

fn body(body: &BodyLine) -> Result<Body, String> {
    let digest = u64::from_str_radix(&body.digest, 16).ok().filter(|_| body.digest.len() == 16);
    let digest =
        digest.ok_or_else(|| format!("expected a digest of 16 hexadecimal digits, found {:?}", cut(&body.digest)))?;
    Ok(Body { bytes: body.bytes, digest })
}

fn optional(words: &mut Words, text: Option<String>) -> Option<Word> {
    text.map(|text| words.word(&text))
}

fn call(words: &mut Words, call: CallLine) -> Result<Call, String> {
    Ok(match call {
        CallLine::Start {} => Call::Start,
        CallLine::Open {} => Call::Open,
        CallLine::Misbehaved { kind, what } => Call::Misbehaved(words.word(&kind), words.word(&what)),
        CallLine::Close { mode } => Call::Close(mode),
        CallLine::Restart { mode } => Call::Restart(mode),
        CallLine::Declare { queue, policy } => Call::Declare(words.word(&queue), policy),
        CallLine::Publish { queue, id, body: bytes, priority, ttl_ms, delay_ms, to } => {
            let (queue, id, body) = (words.word(&queue), words.id(id), body(&bytes)?);
            let terms = Terms { ttl_ms, delay_ms, to: optional(words, to) };
            Call::Publish(PublishCall::new(queue, id, body, priority).on(terms))
        }
        CallLine::Fetch { queue, max, wait_ms, group, recipient, id } => {
            let (queue, group, recipient) = (words.word(&queue), optional(words, group), optional(words, recipient));
            Call::Fetch(FetchCall { queue, max, wait_ms, group, recipient, only: id.map(|id| words.id(id)) })
        }
        CallLine::Peek { queue, max, group, recipient, after } => {
            let (queue, group, recipient) = (words.word(&queue), optional(words, group), optional(words, recipient));
            Call::Peek(PeekCall { queue, max, group, recipient, after: after.map(|id| words.id(id)) })
        }
        CallLine::Settle { queue, tag, verdict, delay_ms, reason } => {
            let verdict = match verdict {
                VerdictLine::Done => SettleAs::Done,
                VerdictLine::Retry => SettleAs::Retry(delay_ms),
                VerdictLine::Dead => SettleAs::Dead,
            };
            let (queue, tag) = (words.word(&queue), words.word(&tag));
            Call::Settle(SettleCall { queue, tag, verdict, reason: optional(words, reason) })
        }
        CallLine::Extend { queue, tag, lease_ms } => Call::Extend(words.word(&queue), words.word(&tag), lease_ms),
        CallLine::Depth { queue, group } => Call::Depth(words.word(&queue), optional(words, group)),
        CallLine::DeadLetters { queue, max, group } => {
            Call::DeadLetters(words.word(&queue), optional(words, group), max)
        }
        CallLine::Replay { queue, id, group } => Call::Replay(words.word(&queue), optional(words, group), words.id(id)),
        CallLine::Purge { queue, group, dead } => Call::Purge(words.word(&queue), optional(words, group), dead),
        CallLine::Delete { queue } => Call::Delete(words.word(&queue)),
        CallLine::Sweep { queue } => Call::Sweep(words.word(&queue)),
        CallLine::Heartbeat { update, tenant } => Call::Heartbeat(update, optional(words, tenant)),
        CallLine::Agents { offline_after_ms, tenant } => Call::Agents(offline_after_ms, optional(words, tenant)),
        CallLine::Drained { queue, group } => Call::Drained(words.word(&queue), optional(words, group)),
    })
}

fn answer(words: &mut Words, answer: AnswerLine) -> Result<Answer, String> {
    Ok(match answer {
        AnswerLine::Done {} => Answer::Done,
        AnswerLine::Published(stored) => Answer::Published(stored),
        AnswerLine::Deliveries(all) => {
            let mut seen = Vec::with_capacity(all.len());
            for one in all {
                let (tag, id, body) = (words.word(&one.tag), words.id(one.id), body(&one.body)?);
                seen.push(Delivered { tag, id, body, priority: one.priority, attempt: one.attempt });
            }
            Answer::Deliveries(seen.into())
        }
        AnswerLine::Messages(all) => {
            let mut seen = Vec::with_capacity(all.len());
            for one in all {
                let (id, body) = (words.id(one.id), body(&one.body)?);
                seen.push(PeekSeen { id, body, priority: one.priority, attempt: one.attempt });
            }
            Answer::Peeked(seen.into())
        }
        AnswerLine::Depth(depth) => Answer::Depth(depth),
        AnswerLine::Letters(all) => {
            let mut seen = Vec::with_capacity(all.len());
            for one in all {
                let (id, body, reason) = (words.id(one.id), body(&one.body)?, words.word(&one.reason));
                let group = optional(words, one.group);
                let (attempts, priority, died_at) = (one.attempts, one.priority, one.died_at);
                seen.push(LetterSeen { id, body, reason, attempts, priority, died_at, group });
            }
            Answer::Letters(seen.into())
        }
        AnswerLine::Removed(number) => Answer::Removed(number),
        AnswerLine::Agents(agents) => Answer::Agents(agents.into()),
    })
}
