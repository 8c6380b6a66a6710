//! Values that no type describes: checked like everything else, and kept as text.

use super::keys::Keys;
use super::{Kind, Reader, Walk};
use crate::rule::Rule;
use crate::violation::Path;

/// What is said of a key that its object holds already.
pub(crate) const REPEATED: &str = "stands in its object already";

impl<'a> Reader<'a> {
    /// Steps over the value that comes next, with every check of strict JSON. The recursion is as
    /// deep as the limit on depth allows, 64 at most.
    pub(crate) fn pass(&mut self, at: &Path<'_>) -> Walk<()> {
        match self.kind()? {
            Kind::String => self.pass_string(),
            Kind::Number => self.pass_number(at),
            Kind::Bool | Kind::Null => self.word(),
            Kind::Array => self.pass_array(at),
            Kind::Object => self.pass_object(at),
        }
    }

    fn pass_number(&mut self, at: &Path<'_>) -> Walk<()> {
        let start = self.at;
        let number = self.number()?;
        self.check_finite(start, number, at);
        Ok(())
    }

    /// Reports a number that no double can hold; false then.
    pub(crate) fn check_finite(&mut self, start: usize, number: super::Number<'a>, at: &Path<'_>) -> bool {
        let finite = number.is_finite();
        if !finite {
            self.refuse(start, at, Rule::Jsn11, "a number that a double can hold");
        }
        finite
    }

    fn pass_array(&mut self, at: &Path<'_>) -> Walk<()> {
        self.open_array()?;
        let mut first = true;
        let mut index = 0;
        while self.next_item(&mut first)? {
            self.pass(&at.index(index))?;
            index += 1;
        }
        Ok(())
    }

    fn pass_object(&mut self, at: &Path<'_>) -> Walk<()> {
        self.open_object()?;
        let mut frame = Keys::enter(&self.keys);
        let mut first = true;
        while let Some(key) = self.next_key(&mut first)? {
            if !self.keys.insert(&mut frame, &key) {
                self.repeated(&at.key(&key));
            }
            self.pass(&at.key(&key))?;
        }
        self.keys.leave(&frame);
        Ok(())
    }

    /// Reports a key that its object holds already.
    #[cold]
    pub(crate) fn repeated(&mut self, at: &Path<'_>) {
        self.report.add(self.key_offset(), at, Rule::Jsn5, REPEATED, None);
    }

    /// Passes an object and gives its canonical text; nothing and a report if it is no object.
    pub(crate) fn free_object(&mut self, at: &Path<'_>) -> Walk<Option<String>> {
        if self.kind()? != Kind::Object {
            self.mismatch(at, "an object")?;
            return Ok(None);
        }
        self.free_value(at).map(Some)
    }

    /// Passes a value of any kind and gives its canonical text.
    pub(crate) fn free_value(&mut self, at: &Path<'_>) -> Walk<String> {
        self.kind()?;
        let (text, ()) = self.canonical_text(|reader| reader.pass(at))?;
        Ok(text)
    }

    /// The canonical text of the value that `walk` passes. It is copied as it stands where it is
    /// canonical already.
    pub(crate) fn canonical_text<T>(&mut self, walk: impl FnOnce(&mut Self) -> Walk<T>) -> Walk<(String, T)> {
        let start = self.at;
        self.untidy = false;
        let result = walk(self)?;
        let text = self.between(start, self.at);
        let text = if self.untidy { super::canonical_value(text) } else { text.to_owned() };
        Ok((text, result))
    }
}
