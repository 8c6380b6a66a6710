//! Dead letters: a stream of entries that hold the original's fields and what became of it.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use crate::contract::{Letter, Purge};
use crate::error::BrokerError;
use crate::queue::Queue;
use crate::redis::book::{Missed, Place};
use crate::redis::publish::full;
use crate::redis::reply::{Fields, array, entry, integer, wrong};
use crate::redis::script::{LETTERS, PURGE, REPLAY};
use crate::redis::{Shared, UNNAMED, entry as message};

/// Letters that are looked at in one step.
const PAGE: usize = 256;

/// Messages that are purged in one step: the server serves nobody else meanwhile.
const PURGED: u64 = 5_000;

/// The most bytes of bodies in one answer.
const MOST_BYTES: usize = 8 * 1_048_576;

/// Fields that are the letter's own.
const OWN: &[&str] =
    &["error", "retry_count", "original_stream", "original_message_id", "timestamp", "_level", "_group"];

/// How fields of the original are called that a letter's own stand in the place of.
const MOVED: &[u8] = b"_original_";

struct Found {
    entry: String,
    group: String,
    level: i64,
    ttl: String,
    original: Fields,
    letter: Letter,
}

fn found(entry: String, fields: Fields) -> Found {
    let told = |wanted: &str| {
        let (_, value) = fields.iter().rev().find(|(name, _)| name == wanted.as_bytes())?;
        Some(String::from_utf8_lossy(value).into_owned())
    };
    let number = |wanted: &str| told(wanted)?.parse::<i64>().ok();
    let group = told("_group").unwrap_or_else(|| UNNAMED.to_owned());
    let level = number("_level").filter(|level| (1..=10).contains(level)).unwrap_or(1);
    let attempts = u32::try_from(number("retry_count").unwrap_or(0)).unwrap_or(0).saturating_add(1);
    let reason = told("error").unwrap_or_else(|| "its producer did not say why".to_owned());
    let died_at = told("timestamp").and_then(|text| text.parse().ok());
    let (of, ttl) = (told("original_message_id"), told("_ttl_ms").unwrap_or_default());
    let original = original(fields);
    let (id, body) = message::read(of.as_deref().unwrap_or(&entry), original.clone());
    let named = (group != UNNAMED).then(|| group.clone());
    let letter = Letter { id, body, reason, attempts, priority: Some(level), died_at, group: named };
    Found { entry, group, level, ttl, original, letter }
}

/// The fields as they were. Where another producer has not kept the time of an event, that of its death
/// is all there is.
fn original(fields: Fields) -> Fields {
    let has_moved = |name: &[u8]| fields.iter().any(|(other, _)| other.strip_prefix(MOVED) == Some(name));
    let is_event = fields.iter().any(|(name, _)| name == b"event_id");
    let lacks_time = is_event && !has_moved(b"timestamp");
    let is_own = |name: &[u8]| OWN.iter().any(|own| own.as_bytes() == name);
    let kept = |(name, value): (Vec<u8>, Vec<u8>)| {
        if let Some(name) = name.strip_prefix(MOVED) {
            return Some((name.to_vec(), value));
        }
        (!is_own(&name) || lacks_time && name == b"timestamp").then_some((name, value))
    };
    fields.into_iter().filter_map(kept).collect()
}

impl Shared {
    /// Letters, the oldest first, for as long as `see` wants more.
    async fn letters(&self, queue: &Queue, mut see: impl FnMut(Found) -> bool) -> Result<(), BrokerError> {
        let mut from = "-".to_owned();
        loop {
            let args = |_: &Place| vec![from.clone(), PAGE.to_string()];
            let answer = self.book.step(&self.working, queue, &LETTERS, args).await?;
            let entries = array(answer.into_iter().next().unwrap_or_default())?;
            if entries.is_empty() {
                return Ok(());
            }
            for one in entries {
                let (id, fields) = entry(one)?;
                from = format!("({id}");
                if !see(found(id, fields)) {
                    return Ok(());
                }
            }
        }
    }

    pub(super) async fn dead_letters(
        &self,
        queue: &Queue,
        max: u32,
        group: Option<&str>,
    ) -> Result<Vec<Letter>, BrokerError> {
        let (max, mut bytes, mut letters) = (usize::try_from(max).unwrap_or(usize::MAX), 0, Vec::new());
        let is_of = |found: &Found| group.is_none_or(|group| found.group == group);
        self.letters(queue, |found| {
            if !is_of(&found) {
                return true;
            }
            bytes += found.letter.body.len();
            let fits = letters.is_empty() || bytes <= MOST_BYTES;
            if fits {
                letters.push(found.letter);
            }
            fits && letters.len() < max
        })
        .await?;
        Ok(letters)
    }

    /// Sends the oldest letter of this id back to its group, as new.
    pub(super) async fn replay(&self, queue: &Queue, id: Uuid, group: Option<&str>) -> Result<(), BrokerError> {
        loop {
            let mut oldest = None;
            self.letters(queue, |found| {
                let is_it = found.letter.id == id && group.is_none_or(|group| found.group == group);
                oldest = is_it.then_some(found);
                !is_it
            })
            .await?;
            let Some(found) = oldest else {
                return Err(BrokerError::not_found(format!("no dead letter has the id {id}")));
            };
            let place = self.book.find(&self.working, queue).await?;
            match self.send_back(&place, id, found).await {
                // It was replayed by somebody else meanwhile, or the queue is another: look again.
                Ok(0) | Err(Missed::Changed) => {}
                Ok(1) => return Ok(()),
                Ok(_) => return Err(full(&place)),
                Err(Missed::Error(error)) => return Err(error),
            }
        }
    }

    async fn send_back(&self, place: &Arc<Place>, id: Uuid, found: Found) -> Result<i64, Missed> {
        let is_event = found.original.iter().all(|(name, _)| name != b"body");
        let expiry = if is_event { "_expires_at" } else { "expires_at" };
        let texts = [
            place.epoch.clone(),
            place.channel.clone(),
            found.entry,
            found.level.min(place.policy.max_priority).to_string(),
            found.group,
            found.ttl,
            id.to_string(),
            expiry.to_owned(),
        ];
        let mut args: Vec<Bytes> = texts.into_iter().map(Bytes::from).collect();
        let was_of_a_life =
            |name: &[u8]| [&b"_expires_at"[..], b"expires_at", b"_retry_count", b"_replayed"].contains(&name);
        for (name, value) in found.original.into_iter().filter(|(name, _)| !was_of_a_life(name)) {
            args.extend([Bytes::from(name), Bytes::from(value)]);
        }
        args.extend([Bytes::from_static(b"_replayed"), Bytes::from_static(b"1")]);
        let args: Vec<&[u8]> = args.iter().map(|arg| &arg[..]).collect();
        let answer = self.book.run(&self.working, place, &REPLAY, &args).await?;
        let answer = answer.first().ok_or_else(|| wrong("answer"))?;
        Ok(integer(answer)?)
    }

    pub(super) async fn purge(&self, queue: &Queue, what: Purge<'_>) -> Result<u64, BrokerError> {
        let mut removed = 0;
        loop {
            let args = |_: &Place| {
                let dead = if what.dead { "1" } else { "0" };
                vec![what.group.unwrap_or_default().to_owned(), dead.to_owned(), PURGED.to_string()]
            };
            let answer = self.book.step(&self.working, queue, &PURGE, args).await?;
            let [some, more] = &answer[..] else { return Err(wrong("count")) };
            removed += u64::try_from(integer(some)?).unwrap_or(0);
            if integer(more)? == 0 {
                return Ok(removed);
            }
        }
    }
}
