//! Looks at other places of a document than where its walk stands. What is wrong there is not said
//! here: the walk itself comes to it, or has been there.

use std::borrow::Cow;

use super::{Kind, Mode, Reader};
use crate::violation::Path;

impl<'a> Reader<'a> {
    /// Whether the document is of a later minor version, for which unknown fields are no mistake.
    /// Looks ahead for the version where it has not come yet.
    pub(crate) fn is_later(&mut self) -> bool {
        if let Some(later) = self.later {
            return later;
        }
        let version = self.mode.version_field.and_then(|field| self.look_ahead(field));
        let later = version.is_some_and(|text| crate::version::is_later_minor(&text));
        self.later = Some(later);
        later
    }

    /// The text of a field of the root, wherever it stands. What is wrong with the document is not
    /// said here: the walk itself will come to it.
    pub(crate) fn look_ahead(&self, field: &str) -> Option<Cow<'a, str>> {
        // The data of a CloudEvent may be one level deeper than its document.
        let mode = Mode { max_depth: self.mode.max_depth + 1, ..self.mode };
        let mut ahead = Reader::new(self.text, mode);
        if ahead.kind().ok()? != Kind::Object {
            return None;
        }
        ahead.open_object().ok()?;
        let mut first = true;
        while let Some(key) = ahead.next_key(&mut first).ok()? {
            let kind = ahead.kind().ok()?;
            if key == field {
                return if kind == Kind::String { ahead.string().ok() } else { None };
            }
            ahead.pass(&Path::Root).ok()?;
        }
        None
    }

    /// Where the value of a key begins in the object at `object`; the end of the object where it is
    /// not there. For what is checked once the object has been passed.
    #[cold]
    pub(crate) fn place_of(text: &str, object: usize, key: &str) -> usize {
        let mut reader = Reader::new(text, Mode::default());
        reader.at = object;
        let mut find = || {
            reader.open_object().ok()?;
            let mut first = true;
            while let Some(name) = reader.next_key(&mut first).ok()? {
                reader.kind().ok()?;
                if name == key {
                    return Some(reader.at);
                }
                reader.pass(&Path::Root).ok()?;
            }
            Some(reader.at - 1)
        };
        find().unwrap_or(object)
    }
}
