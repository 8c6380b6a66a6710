//! Texts and ids, each kept once.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

/// A text of the history: the name of a client, a queue, a group, a recipient; a tag, a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Word(u32);

impl Word {
    /// Its place among the texts, for tables indexed by it.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A message's id, by its place among the ids of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MessageId(u32);

impl MessageId {
    /// Its place among the ids, for tables indexed by it.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The texts and ids of a history.
#[derive(Debug, Clone, Default)]
pub struct Words {
    texts: Vec<Arc<str>>,
    by_text: HashMap<Arc<str>, Word>,
    uuids: Vec<Uuid>,
    ids: HashMap<Uuid, MessageId>,
}

impl Words {
    /// The word of a text.
    pub fn word(&mut self, text: &str) -> Word {
        if let Some(word) = self.by_text.get(text) {
            return *word;
        }
        let word = Word(number(self.texts.len()));
        let text: Arc<str> = text.into();
        self.texts.push(text.clone());
        self.by_text.insert(text, word);
        word
    }

    /// The place of an id.
    pub fn id(&mut self, uuid: Uuid) -> MessageId {
        *self.ids.entry(uuid).or_insert_with(|| {
            self.uuids.push(uuid);
            MessageId(number(self.uuids.len() - 1))
        })
    }

    /// The text of a word.
    #[must_use]
    pub fn text(&self, word: Word) -> &str {
        self.texts.get(word.index()).map_or("", |text| text)
    }

    /// The id at a place.
    #[must_use]
    pub fn uuid(&self, id: MessageId) -> Uuid {
        self.uuids.get(id.index()).copied().unwrap_or_default()
    }

    /// How many texts there are.
    #[must_use]
    pub fn texts(&self) -> usize {
        self.texts.len()
    }

    /// How many ids there are.
    #[must_use]
    pub fn ids(&self) -> usize {
        self.uuids.len()
    }

    /// Every id, in the order in which they were first named.
    pub fn all_ids(&self) -> impl Iterator<Item = MessageId> + use<> {
        (0..number(self.uuids.len())).map(MessageId)
    }
}

/// More than four thousand million texts do not fit into memory.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
