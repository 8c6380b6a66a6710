//! Whether a demand holds.

use std::collections::HashMap;
use std::fmt::Write as _;

use uuid::Uuid;
use workwire_broker::Stored;

use super::expect::{Edge, Expectation, Moment};
use super::{Demand, Role};
use crate::history::{Answer, Body, Call, History, LetterSeen, MessageId, Micros, Number, Operation, Outcome, Word};

/// What became of a demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// It holds.
    Yes,
    /// It does not.
    No {
        /// What should have been.
        expected: String,
        /// What was.
        found: String,
        /// Whether only the time is wrong.
        timing: bool,
    },
    /// The history cannot tell.
    Unknown(String),
}

/// What an answer shows, whichever call it answers.
struct Shown {
    id: MessageId,
    body: Body,
    priority: Option<i64>,
    attempt: u32,
}

impl Demand {
    /// Judges it by its history.
    #[must_use]
    pub fn judge(&self, history: &History) -> Holding {
        let operations: Vec<&Operation> = self.of.iter().filter_map(|number| history.operation(*number)).collect();
        match operations.last() {
            Some(last) if operations.len() == self.of.len() => {
                Judge { history, last, operations, role: self.role }.judge(&self.expect)
            }
            _ => Holding::Unknown("an operation that it speaks of is not in the history".to_owned()),
        }
    }
}

struct Judge<'a> {
    history: &'a History,
    operations: Vec<&'a Operation>,
    last: &'a Operation,
    role: Role,
}

impl<'a> Judge<'a> {
    fn judge(&self, expect: &Expectation) -> Holding {
        // Where many operations are counted, some may stay without an answer.
        let counts = matches!(expect, Expectation::NotAccepted | Expectation::EvenShares { .. });
        if let Expectation::EndsBy { moment } = expect {
            return self.timed(*moment, false);
        }
        let indefinite = self.operations.iter().find_map(|operation| match operation.outcome {
            Outcome::Indefinite(why) => Some(why),
            _ => None,
        });
        if let (Some(why), false) = (indefinite, counts) {
            return Holding::Unknown(format!("no answer that says: {}", self.text(why)));
        }
        let accepted = |operation: &&Operation| matches!(operation.outcome, Outcome::Ok(_));
        match expect {
            Expectation::NotAccepted => self.if_so(!self.operations.iter().any(accepted), expect),
            Expectation::Refused { codes } => {
                let refused = |operation: &&Operation| matches!(&operation.outcome, Outcome::Refused(code, _) if codes.contains(code));
                self.if_so(self.operations.iter().all(refused), expect)
            }
            Expectation::Says { part } => {
                let says = |operation: &&Operation| matches!(operation.outcome, Outcome::Refused(_, words) if self.text(words).contains(part));
                self.if_so(self.operations.iter().all(says), expect)
            }
            Expectation::NotBefore { moment } => self.timed(*moment, true),
            Expectation::By { moment } => self.timed(*moment, false),
            Expectation::SameBytes => self.same_bytes(),
            Expectation::EvenShares { clients } => self.even_shares(*clients),
            _ if !self.operations.iter().all(accepted) => self.if_so(false, expect),
            _ => self.if_so(self.answered(expect), expect),
        }
    }

    /// Of operations that were all accepted.
    fn answered(&self, expect: &Expectation) -> bool {
        match expect {
            Expectation::Published { stored } => self.answers().all(|answer| *answer == Answer::Published(*stored)),
            Expectation::Shows { ids, in_order } => self.shows(ids, *in_order),
            Expectation::ShowsNone { ids } => self.uuids().iter().all(|id| !ids.contains(id)),
            Expectation::Includes { ids } => {
                let shown = self.uuids();
                ids.iter().all(|id| shown.contains(id))
            }
            Expectation::KeepOrder { ids } => {
                let shown = self.uuids();
                let places: Vec<_> = ids.iter().filter_map(|id| shown.iter().position(|shown| shown == id)).collect();
                places.is_sorted()
            }
            Expectation::Count { least, most } => {
                let count: u64 = self.answers().map(count).sum();
                (*least..=*most).contains(&count)
            }
            Expectation::Attempts { attempts } => {
                self.shown().iter().map(|shown| shown.attempt).eq(attempts.iter().copied())
            }
            Expectation::Priorities { priorities } => {
                let shown = self.shown();
                let same = |(shown, wanted): (&Shown, &i64)| shown.priority.is_none_or(|priority| priority == *wanted);
                shown.len() == priorities.len() && shown.iter().zip(priorities).all(same)
            }
            Expectation::Reasons { reasons } => {
                self.letters().map(|letter| self.text(letter.reason)).eq(reasons.iter().map(String::as_str))
            }
            Expectation::SomeReason => self.letters().all(|letter| !self.text(letter.reason).trim().is_empty()),
            Expectation::DiedBetween { least, most } => {
                let range = least.saturating_sub(CLOCKS_DIFFER)..=most.saturating_add(CLOCKS_DIFFER);
                self.letters().filter_map(|letter| letter.died_at).all(|at| range.contains(&at))
            }
            Expectation::OfGroup { group } => {
                // A broker that does not tell groups tells none.
                let told = self.letters().filter_map(|letter| letter.group);
                told.into_iter().all(|word| Some(self.text(word)) == group.as_deref())
            }
            Expectation::Depth { ready, leased, delayed, dead } => self.answers().all(|answer| {
                let Answer::Depth(depth) = answer else { return false };
                let told = [Some(depth.ready), depth.leased, depth.delayed, depth.dead];
                let mut pairs = [ready, leased, delayed, dead].into_iter().zip(told);
                pairs.all(|(wanted, told)| wanted.is_none_or(|wanted| told.is_none_or(|told| told == wanted)))
            }),
            Expectation::Removed { number } => self.answers().all(|answer| *answer == Answer::Removed(*number)),
            Expectation::Agent { id, status, task, counts, resources } => self.answers().all(|answer| {
                let mut named = agents(answer).iter().filter(|agent| agent.agent_id == *id);
                let (Some(agent), None) = (named.next(), named.next()) else { return false };
                let told = [agent.messages_pending, agent.messages_processed, agent.error_count];
                status.as_ref().is_none_or(|status| agent.status == *status)
                    && task.as_ref().is_none_or(|task| agent.current_task_id.as_ref().is_none_or(|told| told == task))
                    && counts.is_none_or(|counts| {
                        counts.iter().zip(told).all(|(wanted, told)| told.is_none_or(|told| told == *wanted))
                    })
                    && resources.as_ref().is_none_or(|wanted| has_members(agent, wanted))
            }),
            Expectation::AgentType { id, agent_type } => {
                self.agent(id, |agent| agent.agent_type.as_ref().is_none_or(|told| told == agent_type))
            }
            Expectation::LastHeartbeat { id, at } => {
                self.agent(id, |agent| agent.last_heartbeat.as_datetime().timestamp_millis() == *at)
            }
            Expectation::NoTask { id } => self.agent(id, |agent| agent.current_task_id.is_none()),
            Expectation::NoAgent { id } => {
                self.answers().all(|answer| agents(answer).iter().all(|agent| agent.agent_id != *id))
            }
            _ => true,
        }
    }

    /// Whether the agent is listed in each answer, and so.
    fn agent(&self, id: &str, is_so: impl Fn(&workwire_broker::AgentState) -> bool) -> bool {
        self.answers().all(|answer| agents(answer).iter().any(|agent| agent.agent_id == id && is_so(agent)))
    }

    fn if_so(&self, holds: bool, expect: &Expectation) -> Holding {
        if holds { Holding::Yes } else { self.no(words_of(expect)) }
    }

    fn timed(&self, moment: Moment, not_before: bool) -> Holding {
        let (Some(ended), Some(from)) = (self.last.ended, self.moment(moment.of, moment.edge)) else {
            return Holding::Unknown("an operation that never ended has no time".to_owned());
        };
        let bound = from.saturating_add_signed(moment.ms.saturating_mul(1_000));
        if not_before {
            if ended.saturating_add(WHOLE_MS) > bound {
                return Holding::Yes;
            }
            return self.untimely(format!("an answer no earlier than {}", at(bound)), ended);
        }
        if ended <= bound {
            return Holding::Yes;
        }
        let stall = self.history.about.stall;
        if ended - bound <= stall.saturating_mul(4) && self.role != Role::Premise {
            let late = ended - bound;
            return Holding::Unknown(format!(
                "an answer came {} late, but the runner itself stood still for up to {}",
                at(late),
                at(stall)
            ));
        }
        self.untimely(format!("an answer by {}", at(bound)), ended)
    }

    fn untimely(&self, expected: String, ended: Micros) -> Holding {
        Holding::No { expected, found: format!("{} at {}", self.found(), at(ended)), timing: true }
    }

    fn moment(&self, of: Number, edge: Edge) -> Option<Micros> {
        let operation = self.history.operation(of)?;
        match edge {
            Edge::Began => Some(operation.began),
            Edge::Ended => operation.ended,
        }
    }

    fn shows(&self, ids: &[Uuid], in_order: bool) -> bool {
        let mut found = self.uuids();
        if in_order {
            return found == ids;
        }
        let mut wanted = ids.to_vec();
        found.sort_unstable();
        wanted.sort_unstable();
        found == wanted
    }

    fn same_bytes(&self) -> Holding {
        let published: HashMap<MessageId, Body> = self.history.operations().iter().filter_map(published).collect();
        let shown = self.shown();
        let wrong = |message: &&Shown| published.get(&message.id) != Some(&message.body);
        match shown.iter().find(wrong) {
            None if shown.is_empty() => self.no("a message, to compare its bytes".to_owned()),
            None => Holding::Yes,
            Some(message) => self.no(match published.get(&message.id) {
                Some(body) => {
                    let id = self.history.words().uuid(message.id);
                    format!("{id} with the {} bytes of digest {:016x} that were published", body.bytes, body.digest)
                }
                None => "a message that was published".to_owned(),
            }),
        }
    }

    /// Who is served less than others for a moment may be served as well as they in the long run.
    fn even_shares(&self, clients: u64) -> Holding {
        let mut shares: HashMap<Word, u64> = HashMap::new();
        let accepted = self.operations.iter().filter(|operation| matches!(operation.outcome, Outcome::Ok(_)));
        accepted.for_each(|operation| *shares.entry(operation.client).or_default() += 1);
        let all_have_some = u64::try_from(shares.len()).is_ok_and(|found| found == clients);
        let (least, most) = (shares.values().min().copied(), shares.values().max().copied());
        let least = if all_have_some { least.unwrap_or(0) } else { 0 };
        if least > 0 && 2 * least >= most.unwrap_or(0) {
            return Holding::Yes;
        }
        let expected = format!("{clients} clients, the slowest with half of what the fastest got");
        let found =
            format!("{} clients, the slowest with {least}, the fastest with {}", shares.len(), most.unwrap_or(0));
        Holding::No { expected, found, timing: true }
    }

    fn answers(&self) -> impl Iterator<Item = &'a Answer> + '_ {
        self.operations.iter().filter_map(|operation| match &operation.outcome {
            Outcome::Ok(answer) => Some(answer),
            _ => None,
        })
    }

    fn letters(&self) -> impl Iterator<Item = &'a LetterSeen> + '_ {
        self.answers().flat_map(|answer| match answer {
            Answer::Letters(letters) => &letters[..],
            _ => &[],
        })
    }

    fn shown(&self) -> Vec<Shown> {
        self.answers().flat_map(shown).collect()
    }

    fn uuids(&self) -> Vec<Uuid> {
        self.shown().iter().map(|shown| self.history.words().uuid(shown.id)).collect()
    }

    fn text(&self, word: Word) -> &'a str {
        self.history.words().text(word)
    }

    fn no(&self, expected: String) -> Holding {
        Holding::No { expected, found: self.found(), timing: false }
    }

    /// What came, in words.
    fn found(&self) -> String {
        match &self.operations[..] {
            [one] => found(self.history, one),
            _ if self.answers().any(|answer| matches!(answer, Answer::Deliveries(_))) => {
                let shown = self.shown();
                let one = |shown: &Shown| {
                    let id = self.history.words().uuid(shown.id);
                    format!("{id} (priority {}, attempt {})", shown.priority.unwrap_or_default(), shown.attempt)
                };
                if shown.is_empty() { "nothing".to_owned() } else { list(shown.iter().map(one)) }
            }
            all => list(all.iter().map(|operation| found(self.history, operation))),
        }
    }
}

/// Brokers count whole milliseconds: what began within one may end by as much less than it should.
const WHOLE_MS: Micros = 1_000;

/// By how many milliseconds the clocks of two programs on one machine, or of two machines that keep
/// theirs, may differ.
const CLOCKS_DIFFER: i64 = 1_000;

fn shown(answer: &Answer) -> Vec<Shown> {
    match answer {
        Answer::Deliveries(all) => all
            .iter()
            .map(|d| Shown { id: d.id, body: d.body, priority: Some(d.priority), attempt: d.attempt })
            .collect(),
        Answer::Peeked(all) => all
            .iter()
            .map(|p| Shown { id: p.id, body: p.body, priority: Some(p.priority), attempt: p.attempt })
            .collect(),
        Answer::Letters(all) => {
            all.iter().map(|l| Shown { id: l.id, body: l.body, priority: l.priority, attempt: l.attempts }).collect()
        }
        _ => Vec::new(),
    }
}

fn agents(answer: &Answer) -> &[workwire_broker::AgentState] {
    match answer {
        Answer::Agents(agents) => agents,
        _ => &[],
    }
}

/// What came of an operation, in words.
fn found(history: &History, operation: &Operation) -> String {
    const SHOWN: usize = 12;
    let words = history.words();
    match &operation.outcome {
        Outcome::Refused(code, why) => format!("{code}: {}", words.text(*why)),
        Outcome::Indefinite(why) => format!("no answer that says: {}", words.text(*why)),
        Outcome::Ok(answer) => match answer {
            Answer::Done => "ok".to_owned(),
            Answer::Published(stored) => format!("{stored:?}").to_lowercase(),
            Answer::Removed(number) => number.to_string(),
            Answer::Depth(depth) => {
                let mut text = format!("ready {}", depth.ready);
                for (name, number) in [("leased", depth.leased), ("delayed", depth.delayed), ("dead", depth.dead)] {
                    if let Some(number) = number {
                        let _ = write!(text, ", {name} {number}");
                    }
                }
                text
            }
            Answer::Agents(agents) => {
                let all: Vec<String> =
                    agents.iter().take(SHOWN).map(|a| format!("{} {}", a.agent_id, a.status)).collect();
                format!("{} agents: {}", agents.len(), all.join(", "))
            }
            Answer::Deliveries(all) if all.is_empty() => "nothing".to_owned(),
            Answer::Peeked(all) if all.is_empty() => "nothing".to_owned(),
            Answer::Letters(all) if all.is_empty() => "no letter".to_owned(),
            Answer::Deliveries(all) => list(all.iter().map(|d| {
                format!("{} (priority {}, attempt {}, {} bytes)", words.uuid(d.id), d.priority, d.attempt, d.body.bytes)
            })),
            Answer::Peeked(all) => list(all.iter().map(|p| {
                format!("{} (priority {}, attempt {}, {} bytes)", words.uuid(p.id), p.priority, p.attempt, p.body.bytes)
            })),
            Answer::Letters(all) => list(all.iter().map(|l| {
                format!(
                    "{} (attempts {}, {} bytes, because of {:?})",
                    words.uuid(l.id),
                    l.attempts,
                    l.body.bytes,
                    words.text(l.reason)
                )
            })),
        },
    }
}

fn list(all: impl ExactSizeIterator<Item = String>) -> String {
    const SHOWN: usize = 12;
    let total = all.len();
    let mut text = all.take(SHOWN).collect::<Vec<_>>().join(", ");
    if total > SHOWN {
        let _ = write!(text, ", … ({total} in all)");
    }
    text
}

fn published(operation: &Operation) -> Option<(MessageId, Body)> {
    match (&operation.call, &operation.outcome) {
        (Call::Publish(_), Outcome::Ok(Answer::Published(Stored::Duplicate))) => None,
        (Call::Publish(publish), Outcome::Ok(_) | Outcome::Indefinite(_)) => Some((publish.id, publish.body)),
        _ => None,
    }
}

fn count(answer: &Answer) -> u64 {
    let count = match answer {
        Answer::Deliveries(all) => all.len(),
        Answer::Peeked(all) => all.len(),
        Answer::Letters(all) => all.len(),
        Answer::Agents(all) => all.len(),
        _ => 0,
    };
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn has_members(agent: &workwire_broker::AgentState, wanted: &serde_json::Value) -> bool {
    let Some(resources) = &agent.resources else { return true };
    let Ok(found) = serde_json::from_str::<serde_json::Value>(resources.as_str()) else { return false };
    let Some(wanted) = wanted.as_object() else { return false };
    wanted.iter().all(|(name, value)| found.get(name) == Some(value))
}

/// What was expected, in words.
fn words_of(expect: &Expectation) -> String {
    match expect {
        Expectation::NotAccepted => "anything but an ok".to_owned(),
        Expectation::Says { part } => format!("a refusal that says {part:?}"),
        Expectation::Refused { codes } => {
            let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
            format!("a refusal with {}", names.join(" or "))
        }
        Expectation::Published { stored } => format!("{stored:?}").to_lowercase(),
        Expectation::Shows { ids, .. } if ids.is_empty() => "nothing".to_owned(),
        Expectation::Shows { ids, in_order } => {
            let order = if *in_order && ids.len() > 1 { ", in this order" } else { "" };
            format!("{}{order}", list(ids.iter().map(Uuid::to_string)))
        }
        Expectation::ShowsNone { ids } => format!("none of {}", list(ids.iter().map(Uuid::to_string))),
        Expectation::Includes { ids } => format!("{} among them", list(ids.iter().map(Uuid::to_string))),
        Expectation::KeepOrder { ids } => format!("in this order: {}", list(ids.iter().map(Uuid::to_string))),
        Expectation::Count { least, most } if least == most => format!("{least} of them"),
        Expectation::Count { least, most } => format!("{least} to {most} of them"),
        Expectation::Attempts { attempts } => format!("attempts {attempts:?}"),
        Expectation::Priorities { priorities } => format!("priorities {priorities:?}"),
        Expectation::SameBytes => "the bytes that were published".to_owned(),
        Expectation::Reasons { reasons } => format!("the reasons {reasons:?}"),
        Expectation::SomeReason => "a reason".to_owned(),
        Expectation::DiedBetween { .. } => "a time of death between its delivery and now".to_owned(),
        Expectation::OfGroup { group: Some(group) } => format!("letters of the group {group}"),
        Expectation::OfGroup { group: None } => "letters of the unnamed group".to_owned(),
        Expectation::Depth { ready, leased, delayed, dead } => {
            let parts = [("ready", ready), ("leased", leased), ("delayed", delayed), ("dead", dead)];
            let told = parts.iter().filter_map(|(name, number)| number.map(|number| format!("{name} {number}")));
            told.collect::<Vec<_>>().join(", ")
        }
        Expectation::Removed { number } => number.to_string(),
        Expectation::Agent { id, status, task, counts, resources } => {
            let mut text = format!("the agent {id} once");
            if let Some(status) = status {
                let _ = write!(text, ", {status}");
            }
            if let Some(task) = task {
                let _ = write!(text, ", at work on {task}");
            }
            if let Some([pending, done, wrong]) = counts {
                let _ = write!(text, ", with {pending} pending, {done} processed, {wrong} errors");
            }
            if let Some(resources) = resources {
                let _ = write!(text, ", with {resources}");
            }
            text
        }
        Expectation::AgentType { id, agent_type } => format!("the agent {id} of the type {agent_type}"),
        Expectation::LastHeartbeat { id, at } => format!("the agent {id}, last heard of at {at} ms since 1970"),
        Expectation::NoTask { id } => format!("the agent {id}, at work on nothing"),
        Expectation::NoAgent { id } => format!("no agent {id}"),
        _ => "ok".to_owned(),
    }
}

/// A moment of the history, as people read it.
fn at(micros: Micros) -> String {
    format!("{}.{:03} ms", micros / 1_000, micros % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::About;

    #[test]
    fn what_comes_less_than_a_millisecond_early_is_not_early() {
        let lasting = |from: Micros, to: Micros| {
            let mut history = History::new(About::default());
            let client = history.words_mut().word("worker");
            let outcome = Outcome::Ok(Answer::Done);
            history.begin(Operation { client, began: from, ended: Some(to), call: Call::Open, outcome });
            let moment = Moment { of: Number::of(0), edge: Edge::Began, ms: 200 };
            let expect = Expectation::NotBefore { moment };
            Demand { clause: "LSE-2".to_owned(), of: vec![Number::of(0)], expect, role: Role::Demanded }.judge(&history)
        };
        assert_eq!(lasting(10_900, 210_900), Holding::Yes);
        assert_eq!(lasting(10_900, 210_000), Holding::Yes, "the broker's clock said 10 ms, and 210 ms");
        assert!(matches!(lasting(10_900, 209_900), Holding::No { timing: true, .. }));
    }
}
