//! Who publishes, in a process that works.

use super::desk::{Desk, LONG_DELAY_MS, Note};
use super::dice::Dice;
use super::said::{Answer, Ask};
use super::worker::Bench;
use workwire_broker::{Broker as _, BrokerError, Client};

pub(crate) struct Producer {
    bench: Bench,
    desk: Desk,
    name: String,
    dice: Dice,
    /// Some of what it has published.
    earlier: Vec<Note>,
}

impl Producer {
    pub(crate) fn new(bench: &Bench, desk: Desk, name: String, dice: Dice) -> Self {
        Producer { bench: bench.clone(), desk, name, dice, earlier: Vec::new() }
    }

    pub(crate) async fn publish(mut self, times: Option<u32>) {
        let client = self.bench.broker.open(&self.name).await.unwrap();
        let mut time = 0;
        while times.is_none_or(|times| time < times) {
            time += 1;
            let many = if self.dice.percent(60) { 1 } else { 2 + self.dice.below(4) };
            let notes: Vec<Note> = (0..many).map(|_| self.note()).collect();
            let call = self.bench.teller.asks(Ask::Publish(notes.clone()));
            let answer = match ask(&*client, self.desk, &notes).await {
                Ok(stored) => Answer::Published(stored),
                Err(error) => Answer::Failed(format!("publish: {error}")),
            };
            self.bench.teller.hears(call, answer);
        }
    }

    /// A new message; sometimes one that was published before.
    fn note(&mut self) -> Note {
        let dice = &mut self.dice;
        if !self.earlier.is_empty() && dice.percent(8) {
            return dice.one_of(&self.earlier).clone();
        }
        let delay_ms = match dice.below(100) {
            0..=9 => 5 + i64::try_from(dice.below(150)).unwrap(),
            10..=14 => LONG_DELAY_MS,
            _ => 0,
        };
        let to = match (self.desk, dice.below(10)) {
            (Desk::Tasks, 0 | 1) => Some("ann".to_owned()),
            (Desk::Tasks, 2) => Some("bob".to_owned()),
            _ => None,
        };
        let size = match dice.below(10) {
            0 => dice.below(12_000),
            1..=4 => dice.below(1_500),
            _ => dice.below(200),
        };
        let (priority, size) = (1 + i64::try_from(dice.below(5)).unwrap(), usize::try_from(size).unwrap());
        let note = Note { id: dice.id(), desk: self.desk, priority, delay_ms, mortal: dice.percent(10), to, size };
        self.earlier.push(note.clone());
        note
    }
}

/// One by itself, several as a batch. A refusal of one is as bad as that of all: nothing here may be
/// refused.
async fn ask(client: &dyn Client, desk: Desk, notes: &[Note]) -> Result<Vec<workwire_broker::Stored>, BrokerError> {
    if let [note] = notes {
        return Ok(vec![client.publish(&desk.queue(), note.message()).await?]);
    }
    let messages = notes.iter().map(Note::message).collect();
    client.publish_batch(&desk.queue(), messages).await?.into_iter().collect()
}
