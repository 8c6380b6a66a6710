//! Texts and ids, each kept once.
//!
//! A history may name ten million of them, most of them tags of a few letters: so the texts stand one
//! behind the other in one string, and the tables that find them hold their numbers alone.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;

use hashbrown::HashTable;
use uuid::Uuid;

/// A text of the history: the name of a client, a queue, a group, a recipient; a tag, a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word(Numbered);

impl Word {
    /// Its place among the texts, for tables indexed by it.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0.index()
    }
}

impl Default for Word {
    fn default() -> Self {
        Word(Numbered::at(0))
    }
}

/// A message's id, by its place among the ids of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(Numbered);

impl MessageId {
    /// Its place among the ids, for tables indexed by it.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0.index()
    }
}

impl Default for MessageId {
    fn default() -> Self {
        MessageId(Numbered::at(0))
    }
}

/// A place, counted from 1, so that one that may be missing takes no more room than one that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Numbered(NonZeroU32);

impl Numbered {
    /// More than four thousand million texts do not fit into memory.
    fn at(index: usize) -> Self {
        Numbered(NonZeroU32::MIN.saturating_add(u32::try_from(index).unwrap_or(u32::MAX)))
    }

    const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// The texts and ids of a history.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// All texts, one behind the other.
    text: String,
    /// Where each of them ends.
    ends: Vec<usize>,
    by_text: HashTable<Word>,
    uuids: Vec<Uuid>,
    by_uuid: HashTable<MessageId>,
    hasher: RandomState,
}

impl Words {
    /// The word of a text.
    pub fn word(&mut self, text: &str) -> Word {
        let Words { text: all, ends, by_text, hasher, .. } = self;
        let hash = hasher.hash_one(text);
        if let Some(word) = by_text.find(hash, |word| at(all, ends, *word) == text) {
            return *word;
        }
        let word = Word(Numbered::at(ends.len()));
        all.push_str(text);
        ends.push(all.len());
        by_text.insert_unique(hash, word, |word| hasher.hash_one(at(all, ends, *word)));
        word
    }

    /// The place of an id.
    pub fn id(&mut self, uuid: Uuid) -> MessageId {
        let Words { uuids, by_uuid, hasher, .. } = self;
        let hash = hasher.hash_one(uuid);
        if let Some(id) = by_uuid.find(hash, |id| uuids[id.index()] == uuid) {
            return *id;
        }
        let id = MessageId(Numbered::at(uuids.len()));
        uuids.push(uuid);
        by_uuid.insert_unique(hash, id, |id| hasher.hash_one(uuids[id.index()]));
        id
    }

    /// The text of a word.
    #[must_use]
    pub fn text(&self, word: Word) -> &str {
        at(&self.text, &self.ends, word)
    }

    /// The id at a place.
    #[must_use]
    pub fn uuid(&self, id: MessageId) -> Uuid {
        self.uuids.get(id.index()).copied().unwrap_or_default()
    }

    /// How many texts there are.
    #[must_use]
    pub const fn texts(&self) -> usize {
        self.ends.len()
    }

    /// How many ids there are.
    #[must_use]
    pub const fn ids(&self) -> usize {
        self.uuids.len()
    }

    /// Every id, in the order in which they were first named.
    pub fn all_ids(&self) -> impl Iterator<Item = MessageId> + use<> {
        (0..self.uuids.len()).map(|index| MessageId(Numbered::at(index)))
    }
}

/// The text of a word; none where it is a word of another history.
fn at<'a>(all: &'a str, ends: &[usize], word: Word) -> &'a str {
    let from = word.index().checked_sub(1).map_or(0, |before| ends.get(before).copied().unwrap_or(all.len()));
    let to = ends.get(word.index()).copied().unwrap_or(all.len());
    all.get(from..to).unwrap_or("")
}
