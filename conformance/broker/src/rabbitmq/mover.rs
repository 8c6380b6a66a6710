//! Moves what has rested from the queue of resting messages to where it goes on.
//!
//! The server could do that alone, from queues whose messages expire. But it sends them on without a confirm
//! and forgets them, and a node that dies in that moment loses them. Here the copy is safe before the
//! original goes. All processes subscribe, and the server lets one of them move: when it is gone, all that
//! it had comes back and the next one goes on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use lapin::message::Delivery;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::acks::Question;
use super::deadline::Deadline;
use super::intake::{Intake, MOST_BYTES};
use super::link::Link;
use super::names::{Names, life_of};
use super::parcel::{Rest, moved};
use super::publisher::{DIRECT, Publisher, Sent};
use super::record::read;
use crate::clock::{Clock as _, Millis, SystemClock};
use crate::error::{BrokerError, Code};
use crate::queue::Queue;

/// How many resting messages are in hand: among these, none waits for another's time.
const IN_HAND: u32 = 10_000;

/// How many bytes of bodies are in hand. Who has more takes fewer messages.
const BYTES_IN_HAND: usize = 8 * MOST_BYTES;

/// How many are moved at a time.
const AT_ONCE: usize = 256;

/// For how long one subscription lasts: the server closes a channel that does not settle what it was sent,
/// after 30 minutes where nobody set another time.
const LASTING: Duration = Duration::from_mins(10);

/// How long is slept at most, so that a clock that is set is noticed.
const NAP_MS: Millis = 1_000;

/// When what could not be moved is tried again.
const AGAIN_MS: Millis = 500;

/// Moves what rests for one queue.
pub(super) struct Mover {
    pub(super) tending: Arc<Link>,
    pub(super) publisher: Arc<Publisher>,
    pub(super) queue: Queue,
    pub(super) names: Names,
    pub(super) patience: Duration,
}

/// Why it moves no more.
pub(super) enum Stopped {
    /// The queue is not there.
    Gone,
    /// Who connects as this user may not take from it.
    Forbidden,
    /// The server ended the subscription: the queue is being deleted.
    Canceled,
    /// The subscription is over: by its time, with the process or the connection.
    Over,
}

/// How a subscription goes on.
enum Turn {
    /// With so many in hand, since these were too large.
    Fewer(u32),
    Canceled,
    Over,
}

impl Mover {
    /// Moves until the subscription is over.
    pub(super) async fn subscription(&self, ending: &mut watch::Receiver<bool>) -> Stopped {
        let mut most = IN_HAND;
        loop {
            match self.moves(most, ending).await {
                Ok(Turn::Fewer(fewer)) => most = fewer,
                Ok(Turn::Canceled) => return Stopped::Canceled,
                Err(error) if error.code() == Code::NotFound => return Stopped::Gone,
                Err(error) if error.code() == Code::Forbidden => return Stopped::Forbidden,
                Ok(Turn::Over) | Err(_) => return Stopped::Over,
            }
        }
    }

    /// The same, with so many in hand at most.
    async fn moves(&self, most: u32, ending: &mut watch::Receiver<bool>) -> Result<Turn, BrokerError> {
        let deadline = self.deadline();
        let intake = Intake::new(self.tending.line(deadline).await?, self.names.rests(), Question::Count);
        let mut coming = intake.consume(most, deadline).await?;
        let over = Instant::now() + LASTING;
        let (mut hand, mut moving, mut fewer) = (Hand::default(), FuturesUnordered::new(), None);
        while fewer.is_none() {
            let now = SystemClock.now();
            while moving.len() < AT_ONCE
                && let Some(due) = hand.due(now)
            {
                moving.push(self.send(due));
            }
            let nap = if moving.len() < AT_ONCE { hand.nap(now) } else { NAP_MS };
            tokio::select! {
                came = coming.next() => {
                    let Some(Ok(came)) = came else {
                        return Ok(if intake.is_open() { Turn::Canceled } else { Turn::Over });
                    };
                    hand.take(came);
                    fewer = hand.fewer();
                }
                Some(moved) = moving.next() => match moved {
                    Ok(moved) => {
                        hand.remove(&moved);
                        intake.discard(moved.delivery_tag, self.deadline()).await?;
                    }
                    Err(kept) => hand.keep(kept, now + AGAIN_MS),
                },
                () = sleep(Duration::from_millis(nap.unsigned_abs())) => {}
                () = sleep_until(over) => break,
                () = ended(ending) => break,
            }
        }
        // What is under way is not broken off, or it would be there twice. The others come back.
        while let Some(moved) = moving.next().await {
            if let Ok(moved) = moved {
                intake.discard(moved.delivery_tag, self.deadline()).await?;
            }
        }
        intake.line.close(self.deadline()).await;
        Ok(fewer.map_or(Turn::Over, Turn::Fewer))
    }

    /// Sends a message on. Once the copy is safe, the original may go; otherwise it is kept.
    async fn send(&self, original: Delivery) -> Result<Delivery, Delivery> {
        let (base, deadline) = (self.names.source(None), self.deadline());
        let key = Rest::of(&original.properties).key;
        // What somebody else put here says nothing of where it goes on.
        let (exchange, key) = key.as_deref().map_or(("", base.as_str()), |key| (DIRECT, key));
        let properties = moved(&original.properties, SystemClock.now());
        match self.publisher.send(exchange, key, &original.data, properties, deadline).await {
            Ok(Sent::Stored) => Ok(original),
            // A queue that is half deleted may be made again: only of a former life nothing comes back.
            Ok(Sent::Unroutable) if self.is_of_the_past(key, deadline).await => Ok(original),
            Ok(Sent::Unroutable) | Err(_) => Err(original),
        }
    }

    async fn is_of_the_past(&self, key: &str, deadline: Deadline) -> bool {
        let record = read(&self.tending, &self.queue, &self.names, deadline).await;
        record.is_ok_and(|record| life_of(key) != Some(&record.life))
    }

    fn deadline(&self) -> Deadline {
        Deadline::after(self.patience)
    }
}

/// Waits until the process ends.
pub(super) async fn ended(ending: &mut watch::Receiver<bool>) {
    let _ = ending.wait_for(|ending| *ending).await;
}

/// What rests in hand, in the order in which it goes on.
#[derive(Default)]
struct Hand {
    resting: BTreeMap<(Millis, u64), Delivery>,
    bytes: usize,
}

impl Hand {
    fn take(&mut self, came: Delivery) {
        self.bytes += came.data.len();
        let ends = Rest::of(&came.properties).ends;
        self.keep(came, ends);
    }

    fn keep(&mut self, message: Delivery, until: Millis) {
        self.resting.insert((until, message.delivery_tag), message);
    }

    /// The next one whose rest is over.
    fn due(&mut self, now: Millis) -> Option<Delivery> {
        let first = self.resting.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// For how long there is nothing to move.
    fn nap(&self, now: Millis) -> Millis {
        let first = self.resting.first_key_value();
        first.map_or(NAP_MS, |((ends, _), _)| ends.saturating_sub(now).clamp(0, NAP_MS))
    }

    fn remove(&mut self, moved: &Delivery) {
        self.bytes -= moved.data.len();
    }

    /// With how many it would hold half of the bytes that it may, where it holds more than these.
    fn fewer(&self) -> Option<u32> {
        let half = u32::try_from(self.resting.len() / 2).unwrap_or(1);
        (self.bytes > BYTES_IN_HAND && half > 0).then_some(half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rabbitmq::parcel::tests::resting_until;

    fn message(number: u64, ends: Millis, bytes: usize) -> Delivery {
        let mut message = Delivery::mock(number, DIRECT.into(), "key".into(), false, vec![0; bytes]);
        message.properties = resting_until(ends);
        message
    }

    #[test]
    fn what_ends_first_goes_first_and_at_one_moment_the_older() {
        let mut hand = Hand::default();
        for (number, ends) in [(1, 900), (2, 300), (3, 300), (4, 100)] {
            hand.take(message(number, ends, 1));
        }
        assert_eq!((hand.nap(40), hand.nap(500), Hand::default().nap(0)), (60, 0, NAP_MS));
        let due: Vec<u64> = std::iter::from_fn(|| hand.due(300)).map(|message| message.delivery_tag).collect();
        assert_eq!(due, [4, 2, 3]);
    }

    #[test]
    fn who_holds_too_many_bytes_takes_half_of_the_messages() {
        let mut hand = Hand::default();
        (0..4).for_each(|number| hand.take(message(number, 500, BYTES_IN_HAND / 4)));
        assert_eq!(hand.fewer(), None);
        hand.take(message(4, 100, 1));
        assert_eq!(hand.fewer(), Some(2));
        let mut hand = Hand::default();
        hand.take(message(0, 500, BYTES_IN_HAND + 1));
        assert_eq!(hand.fewer(), None, "one is taken, however large it is");
    }
}
