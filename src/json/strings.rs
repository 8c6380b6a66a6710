//! Strings: passed, or read into text with their escapes resolved.

use std::borrow::Cow;

use super::text::{escape, simple_escape};
use super::{Reader, Walk, broken, scan};
use crate::rule::Rule;

impl<'a> Reader<'a> {
    /// The string that comes next; borrowed where it has no escapes.
    #[inline]
    pub(crate) fn string(&mut self) -> Walk<Cow<'a, str>> {
        let start = self.at + 1;
        let end = scan::plain_run(self.text.as_bytes(), start);
        if self.text.as_bytes().get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Cow::Borrowed(&self.text[start..end]));
        }
        self.string_with_escapes(start, end).map(Cow::Owned)
    }

    /// The 36 characters of a UUID as a string of their own, if that is what comes next.
    #[inline]
    pub(crate) fn uuid(&mut self) -> Option<uuid::Uuid> {
        let bytes = self.text.as_bytes().get(self.at..self.at + 38)?;
        if bytes[0] != b'"' || bytes[37] != b'"' {
            return None;
        }
        // Of the forms that are parsed, only the hyphenated one has 36 bytes; none has an escape.
        let uuid = uuid::Uuid::try_parse_ascii(&bytes[1..37]).ok()?;
        self.at += 38;
        Some(uuid)
    }

    fn string_with_escapes(&mut self, start: usize, first_run: usize) -> Walk<String> {
        let bytes = self.text.as_bytes();
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.push_str(&self.text[start..first_run]);
        let mut at = first_run;
        loop {
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    let next = if let Some(c) = simple_escape(bytes, at) {
                        scratch.push(c);
                        at + 2
                    } else {
                        let (c, next, shortest) = escape(self.text, at)?;
                        self.untidy |= !shortest;
                        scratch.push(c);
                        next
                    };
                    at = scan::push_plain_run(&mut scratch, self.text, next);
                }
                Some(_) => return Err(broken(Rule::Jsn1, at, "no raw control character in a string")),
                None => return Err(broken(Rule::Jsn1, at, "'\"' at the end of the string")),
            }
        }
        self.at = at + 1;
        let value = scratch.clone();
        self.scratch = scratch;
        Ok(value)
    }

    /// Steps over the string that comes next, and checks it.
    pub(super) fn pass_string(&mut self) -> Walk<()> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        loop {
            at = scan::plain_run(bytes, at);
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') if simple_escape(bytes, at).is_some() => at += 2,
                Some(b'\\') => {
                    let (_, next, shortest) = escape(self.text, at)?;
                    self.untidy |= !shortest;
                    at = next;
                }
                Some(_) => return Err(broken(Rule::Jsn1, at, "no raw control character in a string")),
                None => return Err(broken(Rule::Jsn1, at, "'\"' at the end of the string")),
            }
        }
        self.at = at + 1;
        Ok(())
    }
}
