//! Who takes and settles, in a process that works: well, badly, twice, late, or not at all.

use std::sync::atomic::Ordering;

use uuid::Uuid;
use workwire_broker::{Broker as _, BrokerError, Client, CloseMode, Code, Delivery, Fetch, Tag};

use super::desk::{Desk, body};
use super::dice::Dice;
use super::said::{Answer, Ask, Delivered, End};
use super::worker::Bench;

/// How long a fetch waits.
const WAIT_MS: i64 = 20;

pub(crate) struct Consumer {
    bench: Bench,
    desk: Desk,
    name: String,
    dice: Dice,
    /// What its client holds and has forgotten about.
    held: Vec<(Uuid, u32)>,
}

impl Consumer {
    pub(crate) fn new(bench: &Bench, desk: Desk, name: String, dice: Dice) -> Self {
        Consumer { bench: bench.clone(), desk, name, dice, held: Vec::new() }
    }

    /// Until all producers have finished.
    pub(crate) async fn consume(mut self) {
        let mut client = self.bench.broker.open(&self.name).await.unwrap();
        while self.bench.producing.load(Ordering::Acquire) > 0 {
            let deliveries = self.fetch(&*client).await;
            self.work(&*client, deliveries).await;
            if self.dice.percent(15) {
                self.replay(&*client).await;
            }
            if self.held.len() > 6 || self.dice.percent(5) {
                self.close(&*client).await;
                client = self.bench.broker.open(&self.name).await.unwrap();
            }
        }
        self.close(&*client).await;
    }

    async fn fetch(&mut self, client: &dyn Client) -> Vec<Delivery> {
        let max = 1 + u32::try_from(self.dice.below(4)).unwrap();
        let mut fetch = Fetch::up_to(max).waiting(WAIT_MS);
        fetch.group = self.desk.group().map(str::to_owned);
        if self.desk == Desk::Tasks {
            fetch.recipient = self.dice.one_of(&[None, Some("ann"), Some("bob")]).map(str::to_owned);
        }
        let call = self.bench.teller.asks(Ask::Fetch { desk: self.desk, max });
        let (answer, deliveries) = match client.fetch(&self.desk.queue(), fetch).await {
            Ok(deliveries) => (Answer::Delivered(deliveries.iter().map(delivered).collect()), deliveries),
            Err(error) => (Answer::Failed(format!("fetch: {error}")), Vec::new()),
        };
        self.bench.teller.hears(call, answer);
        deliveries
    }

    async fn work(&mut self, client: &dyn Client, deliveries: Vec<Delivery>) {
        let mut settled = Vec::new();
        for delivery in deliveries {
            let attempt = delivery.attempt;
            let end = match self.dice.below(100) {
                0..=57 => End::Done,
                58..=75 => {
                    let delay_ms = *self.dice.one_of(&[None, Some(0), Some(30), Some(900_000)]);
                    let reason = self.dice.percent(80).then(|| format!("not at {attempt}"));
                    End::Retry { delay_ms, reason }
                }
                76..=85 => End::Dead { reason: format!("never, at {attempt}") },
                _ => {
                    self.held.push((delivery.id, attempt));
                    continue;
                }
            };
            settled.push((delivery.tag, delivery.id, attempt, end));
        }
        if self.dice.percent(50) {
            self.settle(client, &settled).await;
        } else {
            for one in &settled {
                self.settle(client, std::slice::from_ref(one)).await;
            }
        }
        if self.dice.percent(10) {
            // Once more: all of these are stale by now.
            self.settle(client, &settled).await;
        }
    }

    async fn settle(&self, client: &dyn Client, settled: &[(Tag, Uuid, u32, End)]) {
        if settled.is_empty() {
            return;
        }
        let each = settled.iter().map(|(_, id, attempt, end)| (*id, *attempt, end.clone())).collect();
        let call = self.bench.teller.asks(Ask::Settle { desk: self.desk, each });
        let queue = self.desk.queue();
        let answers = if let [(tag, _, _, end)] = settled {
            Ok(vec![client.settle(&queue, tag, end.verdict()).await])
        } else {
            let all = settled.iter().map(|(tag, _, _, end)| (tag.clone(), end.verdict())).collect();
            client.settle_many(&queue, all).await
        };
        let answers = answers.and_then(|answers| {
            answers.into_iter().map(|answer| was_done(answer, Code::Stale)).collect::<Result<Vec<_>, _>>()
        });
        self.bench.teller.hears(call, answers.map_or_else(|error| failed("settle", &error), Answer::Settled));
    }

    /// Sends one of the letters back.
    async fn replay(&mut self, client: &dyn Client) {
        // Without a group's name it would be a letter of any group.
        if self.desk == Desk::Events {
            return;
        }
        let queue = self.desk.queue();
        let letters = client.dead_letters(&queue, 10, self.desk.group()).await.unwrap();
        if letters.is_empty() {
            return;
        }
        let id = self.dice.one_of(&letters).id;
        let call = self.bench.teller.asks(Ask::Replay { desk: self.desk, id });
        let answer = was_done(client.replay(&queue, id, self.desk.group()).await, Code::NotFound);
        self.bench.teller.hears(call, answer.map_or_else(|error| failed("replay", &error), Answer::Replayed));
    }

    async fn close(&mut self, client: &dyn Client) {
        let (desk, graceful, held) = (self.desk, self.dice.percent(50), std::mem::take(&mut self.held));
        let call = self.bench.teller.asks(Ask::Close { desk, graceful, held });
        let mode = if graceful { CloseMode::Graceful } else { CloseMode::Abort };
        let answer = client.close(mode).await;
        self.bench.teller.hears(call, answer.map_or_else(|error| failed("close", &error), |()| Answer::Closed));
    }
}

fn delivered(delivery: &Delivery) -> Delivered {
    let (id, attempt, size) = (delivery.id, delivery.attempt, delivery.body.len());
    Delivered { id, attempt, size, whole: delivery.body == body(id, size) }
}

/// Whether it was done, where one refusal is an answer like any other.
fn was_done(answer: Result<(), BrokerError>, refusal: Code) -> Result<bool, BrokerError> {
    match answer {
        Ok(()) => Ok(true),
        Err(error) if error.code() == refusal => Ok(false),
        Err(error) => Err(error),
    }
}

fn failed(what: &str, error: &BrokerError) -> Answer {
    Answer::Failed(format!("{what}: {error}"))
}
