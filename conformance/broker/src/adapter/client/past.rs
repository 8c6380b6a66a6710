//! What is remembered of requests that nobody waits for any more, so that their answers can be
//! judged: a late one is no fault, a second one is.

use std::collections::BTreeMap;

/// What a late answer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Late {
    /// Nothing.
    Ignored,
    /// The client that was opened for nobody is closed.
    Close(String),
}

/// What an answer is that nobody waits for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// It comes late, to a request that was given up.
    Late(Late),
    /// The request was answered before.
    Second,
    /// It is too long ago to tell.
    Forgotten,
}

/// The requests that were given up.
#[derive(Debug, Default)]
pub(super) struct Past {
    given_up: BTreeMap<u64, Late>,
    /// Of requests with lower ids nothing is known any more.
    known_from: u64,
}

impl Past {
    /// How many are remembered.
    const MOST: usize = 65_536;

    pub(super) fn give_up(&mut self, id: u64, late: Late) {
        self.given_up.insert(id, late);
        if self.given_up.len() > Self::MOST
            && let Some((oldest, _)) = self.given_up.pop_first()
        {
            self.known_from = oldest + 1;
        }
    }

    /// Judges an answer to a request that was made, and that nobody waits for.
    pub(super) fn judge(&mut self, id: u64) -> Judged {
        match self.given_up.remove(&id) {
            Some(late) => Judged::Late(late),
            None if id < self.known_from => Judged::Forgotten,
            None => Judged::Second,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_is_told_from_a_second_one() {
        let mut past = Past::default();
        past.give_up(7, Late::Ignored);
        assert_eq!(past.judge(7), Judged::Late(Late::Ignored));
        assert_eq!(past.judge(7), Judged::Second);
        assert_eq!(past.judge(8), Judged::Second);
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let mut past = Past::default();
        let last = Past::MOST as u64 + 10;
        (1..=last).for_each(|id| past.give_up(id, Late::Ignored));
        assert_eq!(past.given_up.len(), Past::MOST);
        assert_eq!(past.judge(10), Judged::Forgotten);
        assert_eq!(past.judge(11), Judged::Late(Late::Ignored));
        assert_eq!(past.judge(last + 1), Judged::Second);
    }
}
