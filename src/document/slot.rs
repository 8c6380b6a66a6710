//! A field between its bytes and its document: whether it came, where, and as what.

use super::Check;
use crate::field::Field;
use crate::json::{Kind, Reader, Walk};
use crate::rule::Rule;
use crate::violation::Path;

/// A field while its document is being read or built.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Slot<T> {
    state: State,
    /// Where its value began, for the order of violations.
    offset: usize,
    pub(crate) value: Option<T>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Absent,
    Null,
    /// With a value, or refused.
    Came,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Slot { state: State::Absent, offset: 0, value: None }
    }
}

impl<T> Slot<T> {
    /// It never came, or as a `null` that means absence.
    pub(crate) fn is_absent(&self) -> bool {
        self.state != State::Came
    }

    pub(crate) fn set(&mut self, value: T) {
        *self = Slot { state: State::Came, offset: 0, value: Some(value) };
    }

    pub(crate) fn set_at(&mut self, value: T, offset: usize) {
        *self = Slot { state: State::Came, offset, value: Some(value) };
    }

    /// It came, and what is wrong with it is said.
    pub(crate) fn refused(&mut self) {
        self.state = State::Came;
    }

    /// Where its value stands, if it came.
    pub(crate) fn place(&self) -> Option<usize> {
        (self.state != State::Absent).then_some(self.offset)
    }

    /// Moves to the value; false if the field came before, which is said and passed.
    #[inline]
    pub(crate) fn begin(&mut self, reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<bool> {
        if self.state != State::Absent {
            reader.repeated(at);
            reader.pass(at)?;
            return Ok(false);
        }
        reader.kind()?;
        self.state = State::Came;
        self.offset = reader.offset();
        Ok(true)
    }

    /// Reports a required field that never came.
    #[inline]
    pub(crate) fn demand(&self, check: &mut Check<'_>, name: &str, rule: Rule) {
        if self.state == State::Absent {
            check.missing(name, rule, "required");
        }
    }
}

impl<T: Field> Slot<T> {
    /// Reads a field that must be there.
    #[inline]
    pub(crate) fn required(&mut self, reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<()> {
        if self.begin(reader, at)? {
            self.value = T::read(reader, at)?;
        }
        Ok(())
    }

    /// Reads a field for which `null` is absence.
    #[inline]
    pub(crate) fn optional(&mut self, reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<()> {
        if !self.begin(reader, at)? {
            return Ok(());
        }
        if reader.null() {
            self.state = State::Null;
        } else {
            self.value = T::read(reader, at)?;
        }
        Ok(())
    }
}

impl Slot<String> {
    /// Reads a text that the reader keeps for itself where it lends such texts out.
    pub(crate) fn lent(&mut self, reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<()> {
        if !reader.lends() || self.state != State::Absent || reader.kind()? != Kind::String {
            return self.optional(reader, at);
        }
        self.begin(reader, at)?;
        let text = reader.string()?;
        reader.lend(text);
        self.value = Some(String::new());
        Ok(())
    }
}
