//! Dead letters: a queue beside the queue. Who looks takes all that it looks at and gives it back, each to
//! its place; so one looks at a time, and whoever counts waits for that.

use std::sync::Arc;

use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use uuid::Uuid;

use super::Shared;
use super::deadline::Deadline;
use super::desk::Desk;
use super::intake::{MOST_BYTES, count, take};
use super::link::Line;
use super::lock::Lock;
use super::parcel::Parcel;
use super::publisher::{DIRECT, Sent};
use super::register::Declared;
use crate::contract::Letter;
use crate::error::BrokerError;

/// How many letters are looked at in one go.
const AT_ONCE: usize = 256;

/// Somebody's look at the dead letters.
struct Look<'a> {
    shared: &'a Shared,
    declared: &'a Declared,
    line: Line,
    lock: Lock,
    deadline: Deadline,
    /// Those that were taken and have to go back.
    taken: Vec<u64>,
}

impl<'a> Look<'a> {
    async fn begin(shared: &'a Shared, declared: &'a Declared, deadline: Deadline) -> Result<Look<'a>, BrokerError> {
        let lock = Lock::take(&shared.tending, &declared.names.lock(), deadline).await?;
        let line = shared.tending.line(deadline).await?;
        Ok(Look { shared, declared, line, lock, deadline, taken: Vec::new() })
    }

    /// The next letters, the oldest first; none at their end.
    async fn next(&mut self, most: usize) -> Result<Vec<Delivery>, BrokerError> {
        let letters = take(&self.line.channel, &self.declared.names.dead(), most.min(AT_ONCE), self.deadline).await?;
        self.taken.extend(letters.iter().map(|letter| letter.delivery_tag));
        Ok(letters)
    }

    /// Puts back what was not settled, and lets others look.
    async fn end(self) -> Result<(), BrokerError> {
        let channel = &self.line.channel;
        if let Some(last) = self.taken.last().copied() {
            let back = BasicNackOptions { multiple: true, requeue: true };
            self.deadline.wait("giving letters back", channel.basic_nack(last, back)).await?;
        }
        // Asked after it, the queue answers when all are back, and what was removed is removed.
        count(channel, &self.declared.names.dead(), self.deadline).await?;
        self.line.close(self.deadline).await;
        self.lock.release(&self.shared.tending, self.deadline).await;
        Ok(())
    }
}

/// The oldest letters, up to so many, of one group or of all.
pub(super) async fn list(
    desk: &Arc<Desk>,
    declared: Arc<Declared>,
    max: usize,
    group: Option<String>,
) -> Result<Vec<Letter>, BrokerError> {
    let desk = Arc::clone(desk);
    // Goes on to its end, also where the caller gives up.
    let listing = tokio::spawn(async move {
        let deadline = desk.deadline();
        let _alone = deadline.keep("looking at dead letters", async { Ok(declared.letters.write().await) }).await?;
        let mut look = Look::begin(&desk.shared, &declared, deadline).await?;
        let (mut letters, mut bytes) = (Vec::new(), 0);
        while letters.len() < max && bytes < MOST_BYTES {
            let came = look.next(max - letters.len()).await?;
            if came.is_empty() {
                break;
            }
            for parcel in came.into_iter().map(Parcel::read) {
                if group.is_none() || parcel.group() == group {
                    bytes += parcel.body.len();
                    letters.push(parcel.letter());
                }
            }
        }
        look.end().await?;
        Ok(letters)
    });
    listing.await.unwrap_or_else(|_| Err(BrokerError::unavailable("looking at dead letters was broken off")))
}

/// Sends the oldest letter of this id back to its queue: the message is stored before the letter goes.
pub(super) async fn replay(
    desk: &Arc<Desk>,
    declared: Arc<Declared>,
    id: Uuid,
    group: Option<String>,
) -> Result<(), BrokerError> {
    let desk = Arc::clone(desk);
    let replaying = tokio::spawn(async move {
        let deadline = desk.deadline();
        let _alone = deadline.keep("replaying", async { Ok(declared.letters.write().await) }).await?;
        let mut look = Look::begin(&desk.shared, &declared, deadline).await?;
        let answer = send_back(&desk, &mut look, id, group.as_deref()).await;
        let ended = look.end().await;
        answer.and(ended)
    });
    replaying.await.unwrap_or_else(|_| Err(BrokerError::unavailable("replaying was broken off")))
}

/// Removes the letters of one group, and says how many they were.
pub(super) async fn remove(
    desk: &Arc<Desk>,
    declared: Arc<Declared>,
    group: Option<String>,
) -> Result<u64, BrokerError> {
    let desk = Arc::clone(desk);
    let removing = tokio::spawn(async move {
        let deadline = desk.deadline();
        let _alone = deadline.keep("purging", async { Ok(declared.letters.write().await) }).await?;
        let mut look = Look::begin(&desk.shared, &declared, deadline).await?;
        let mut removed = 0;
        loop {
            let came = look.next(AT_ONCE).await?;
            if came.is_empty() {
                break;
            }
            for letter in came {
                let number = letter.delivery_tag;
                if Parcel::read(letter).group() == group {
                    look.taken.retain(|taken| *taken != number);
                    let acking = look.line.channel.basic_ack(number, BasicAckOptions::default());
                    deadline.wait("purging", acking).await?;
                    removed += 1;
                }
            }
        }
        look.end().await?;
        Ok(removed)
    });
    removing.await.unwrap_or_else(|_| Err(BrokerError::unavailable("purging was broken off")))
}

async fn send_back(desk: &Desk, look: &mut Look<'_>, id: Uuid, group: Option<&str>) -> Result<(), BrokerError> {
    let declared = look.declared;
    loop {
        let came = look.next(AT_ONCE).await?;
        if came.is_empty() {
            return Err(BrokerError::not_found(format!("{}: there is no dead letter {id}", declared.queue)));
        }
        for letter in came {
            let number = letter.delivery_tag;
            let parcel = Parcel::read(letter);
            let of = parcel.group();
            if parcel.id != id || group.is_some() && of.as_deref() != group {
                continue;
            }
            let (key, fresh) = (declared.names.only(of.as_deref(), &declared.life), parcel.replayed());
            let sending = desk.publisher.send(DIRECT, &key, &fresh.body, fresh.properties(), look.deadline);
            if sending.await? == Sent::Unroutable {
                return Err(BrokerError::no_queue(&declared.queue));
            }
            look.taken.retain(|taken| *taken != number);
            let acking = look.line.channel.basic_ack(number, BasicAckOptions::default());
            return look.deadline.wait("replaying", acking).await;
        }
    }
}
