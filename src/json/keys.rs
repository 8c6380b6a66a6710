//! The keys of the objects that are open, to find the one that comes twice.

use std::borrow::Cow;
use std::collections::HashSet;

/// Up to so many keys of an object are compared one by one; more go into a hash table.
const FEW: usize = 16;

/// Keys of the open objects, the innermost last. Linear in the number of keys, whatever they are:
/// the hash of a large object's table is keyed with a secret of the process.
#[derive(Default)]
pub(crate) struct Keys<'a> {
    stack: Vec<Cow<'a, str>>,
}

/// One open object.
pub(crate) struct Frame<'a> {
    base: usize,
    many: Option<HashSet<Cow<'a, str>>>,
}

impl<'a> Keys<'a> {
    pub(crate) fn enter(&self) -> Frame<'a> {
        Frame { base: self.stack.len(), many: None }
    }

    #[allow(clippy::ptr_arg, reason = "a clone keeps what is borrowed borrowed")]
    /// Notes a key of the innermost object; false if it was there already.
    pub(crate) fn insert(&mut self, frame: &mut Frame<'a>, key: &Cow<'a, str>) -> bool {
        if let Some(many) = &mut frame.many {
            return many.insert(key.clone());
        }
        let own = &self.stack[frame.base..];
        if own.contains(key) {
            return false;
        }
        if own.len() < FEW {
            if self.stack.capacity() == 0 {
                self.stack.reserve(FEW);
            }
            self.stack.push(key.clone());
        } else {
            let mut many: HashSet<_> = self.stack.drain(frame.base..).collect();
            many.insert(key.clone());
            frame.many = Some(many);
        }
        true
    }

    pub(crate) fn leave(&mut self, frame: &Frame<'a>) {
        self.stack.truncate(frame.base);
    }
}
