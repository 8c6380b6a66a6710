//! A store as its broker shows it, beside the ledger.

use std::collections::BTreeMap;

use uuid::Uuid;
use workwire_broker::{BrokerError, Client, Fetch, Peek, Peeked, Purge};

use super::desk::{Desk, body};
use super::ledger::{Core, Kind, Ledger};
use super::said::{Answer, Ask, Delivered, End, Line};

/// Who asks, at the store of a process that has ended.
pub(crate) struct Visitor<'a> {
    pub(crate) client: &'a dyn Client,
    /// The broker's time.
    pub(crate) now: i64,
    /// The number of the next call.
    pub(crate) call: u64,
}

impl Visitor<'_> {
    /// Publishes all of it once more: what is stored is a duplicate, what is not is stored now.
    pub(crate) async fn publish_again(&mut self, ledger: &mut Ledger, since: i64) -> Result<(), BrokerError> {
        let mut by_queue: BTreeMap<Desk, Vec<_>> = BTreeMap::new();
        for note in ledger.published_since(since) {
            by_queue.entry(note.desk).or_default().push(note);
        }
        for (desk, notes) in by_queue {
            for notes in notes.chunks(100) {
                let call = self.asks(ledger, Ask::Publish(notes.to_vec()));
                let messages = notes.iter().map(super::desk::Note::message).collect();
                let stored = self.client.publish_batch(&desk.queue(), messages).await?;
                let stored = stored.into_iter().collect::<Result<_, _>>()?;
                self.hears(ledger, call, Answer::Published(stored));
            }
        }
        Ok(())
    }

    /// Takes what is there, until no more is left than this, and finishes it.
    pub(crate) async fn drain(&mut self, ledger: &mut Ledger, left: usize) -> Result<(), BrokerError> {
        for desk in Desk::ALL {
            for recipient in ["ann", "bob"] {
                while ledger.at(desk).filter(|(_, core)| matches!(core, Core::Waiting { .. })).count() > left {
                    let (queue, max) = (desk.queue(), 100);
                    let mut fetch = Fetch::up_to(max).for_recipient(recipient);
                    fetch.group = desk.group().map(str::to_owned);
                    let call = self.asks(ledger, Ask::Fetch { desk, max });
                    let taken = self.client.fetch(&queue, fetch).await?;
                    let delivered = taken.iter().map(|taken| {
                        let (id, attempt, size) = (taken.id, taken.attempt, taken.body.len());
                        Delivered { id, attempt, size, whole: taken.body == body(id, size) }
                    });
                    self.hears(ledger, call, Answer::Delivered(delivered.collect()));
                    if taken.is_empty() {
                        break;
                    }
                    let each = taken.iter().map(|taken| (taken.id, taken.attempt, End::Done)).collect();
                    let call = self.asks(ledger, Ask::Settle { desk, each });
                    let all = taken.into_iter().map(|taken| (taken.tag, End::Done.verdict())).collect();
                    let answers = self.client.settle_many(&queue, all).await?;
                    self.hears(ledger, call, Answer::Settled(answers.iter().map(Result::is_ok).collect()));
                }
            }
        }
        Ok(())
    }

    /// Removes the letters of queues that have more than so many.
    pub(crate) async fn purge_letters(&mut self, ledger: &mut Ledger, left: u64) -> Result<(), BrokerError> {
        for desk in [Desk::Tasks, Desk::Hurried, Desk::Events] {
            let letters = ledger.letters(desk);
            if letters > left {
                let removed = self.client.purge(&desk.queue(), Purge { group: None, dead: true }).await?;
                ledger.letters_are_gone(desk);
                if removed != letters {
                    ledger
                        .fault(Kind::Counts, format!("{removed} letters of {desk:?} were purged, expected {letters}"));
                }
            }
        }
        Ok(())
    }

    /// All times are over by the broker's clock: what it shows is exactly what the ledger has.
    pub(crate) async fn look(&mut self, ledger: &mut Ledger) -> Result<(), BrokerError> {
        let mut expired = ledger.all_times_end();
        for desk in Desk::ALL {
            let shown = self.shown(desk).await?;
            let expected: BTreeMap<Uuid, String> = ledger
                .at(desk)
                .filter_map(|(note, core)| match core {
                    Core::Waiting { used, .. } => {
                        Some((note.id, format!("waits for {}, urgent {}", used + 1, note.priority)))
                    }
                    Core::Letter { attempts, reason } => Some((note.id, format!("died at {attempts} of {reason:?}"))),
                    _ => None,
                })
                .collect();
            compare(ledger, desk, &expected, &shown);
            let depth = self.client.depth(&desk.queue(), desk.group()).await?;
            let dead = expected.values().filter(|what| what.starts_with("died")).count() as u64;
            let counts = (depth.ready, depth.leased, depth.delayed, depth.dead);
            let counted = (expected.len() as u64 - dead, Some(0), Some(0), Some(dead));
            if counts != counted {
                ledger.fault(Kind::Counts, format!("the depth of {desk:?} is {counts:?}, expected {counted:?}"));
            }
            if desk.group().is_none() {
                let (swept, expected) =
                    (self.client.sweep(&desk.queue()).await?, expired.remove(desk.name()).unwrap_or(0));
                if swept != expected {
                    ledger.fault(Kind::Counts, format!("{swept} expired at {desk:?}, expected {expected}"));
                }
            }
        }
        Ok(())
    }

    /// What the broker shows of a desk, in words.
    async fn shown(&self, desk: Desk) -> Result<BTreeMap<Uuid, String>, BrokerError> {
        let mut shown = BTreeMap::new();
        for recipient in ["ann", "bob"] {
            let mut after = None;
            loop {
                let (group, recipient) = (desk.group().map(str::to_owned), Some(recipient.to_owned()));
                let peek = Peek { max: 1_000, group, recipient, after };
                let peeked = self.client.peek(&desk.queue(), peek).await?;
                let Some(last) = peeked.last() else { break };
                after = Some(last.id);
                for Peeked { id, priority, attempt, body: bytes } in peeked {
                    let whole = if bytes == body(id, bytes.len()) { "" } else { ", with other bytes" };
                    shown.insert(id, format!("waits for {attempt}, urgent {priority}{whole}"));
                }
            }
        }
        for letter in self.client.dead_letters(&desk.queue(), u32::MAX, desk.group()).await? {
            if letter.group.as_deref() == desk.group() {
                let whole = if letter.body == body(letter.id, letter.body.len()) { "" } else { ", with other bytes" };
                shown.insert(letter.id, format!("died at {} of {:?}{whole}", letter.attempts, letter.reason));
            }
        }
        Ok(shown)
    }

    fn asks(&mut self, ledger: &mut Ledger, what: Ask) -> u64 {
        self.call += 1;
        ledger.hear(Line::Asks { call: self.call, at: self.now, what });
        self.call
    }

    fn hears(&self, ledger: &mut Ledger, call: u64, answer: Answer) {
        ledger.hear(Line::Hears { call, at: self.now, answer });
    }
}

fn compare(ledger: &mut Ledger, desk: Desk, expected: &BTreeMap<Uuid, String>, shown: &BTreeMap<Uuid, String>) {
    for (id, what) in expected {
        match shown.get(id) {
            Some(there) if there == what => {}
            Some(there) => ledger.fault(Kind::Wrong, format!("{id} at {desk:?} {there}, expected {what}")),
            None => ledger.fault(Kind::Lost, format!("{id} at {desk:?} is not shown, expected {what}")),
        }
    }
    for (id, what) in shown.iter().filter(|(id, _)| !expected.contains_key(id)) {
        ledger.fault(Kind::Twice, format!("{id} at {desk:?} {what}, and should be gone"));
    }
}
