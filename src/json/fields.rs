//! Keys of an object whose fields are known, looked up in the table of its fields.

use std::borrow::Cow;

use super::{Reader, Walk};

/// The fields of a document in their order: their names, and as they are written, with quotes and colon.
pub(crate) struct Fields {
    pub(crate) names: &'static [&'static str],
    pub(crate) quoted: &'static [&'static str],
}

impl Fields {
    /// The index of a name, for tables in code.
    pub(crate) const fn index(&self, name: &str) -> usize {
        let mut index = 0;
        while index < self.names.len() {
            if same(self.names[index], name) {
                return index;
            }
            index += 1;
        }
        usize::MAX
    }
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// A key of an object whose fields are known.
pub(crate) enum Key<'a> {
    /// The field of this index in the table.
    Field(usize),
    /// No field of the table.
    Other(Cow<'a, str>),
}

/// How far the walk over a table's fields is.
pub(crate) struct Cursor {
    first: bool,
    next: usize,
}

impl Cursor {
    pub(crate) const START: Cursor = Cursor { first: true, next: 0 };
}

impl<'a> Reader<'a> {
    /// The next key of the open object as a field of a table, or as itself. Senders mostly write
    /// the fields in their order, so the next of the table are tried first, with quotes and colon.
    #[inline]
    pub(crate) fn next_field(&mut self, table: &Fields, cursor: &mut Cursor) -> Walk<Option<Key<'a>>> {
        self.skip_space();
        let comma = usize::from(!cursor.first);
        if cursor.first || self.byte() == Some(b',') {
            let rest = self.text.as_bytes().get(self.at + comma..).unwrap_or_default();
            for (ahead, quoted) in table.quoted.iter().enumerate().skip(cursor.next) {
                if rest.starts_with(quoted.as_bytes()) {
                    self.key_at = self.at + comma;
                    self.at += comma + quoted.len();
                    *cursor = Cursor { first: false, next: ahead + 1 };
                    return Ok(Some(Key::Field(ahead)));
                }
            }
        }
        let Some(key) = self.next_key(&mut cursor.first)? else { return Ok(None) };
        Ok(Some(match table.names.iter().position(|name| *name == key) {
            Some(index) => {
                cursor.next = index + 1;
                Key::Field(index)
            }
            None => Key::Other(key),
        }))
    }
}
