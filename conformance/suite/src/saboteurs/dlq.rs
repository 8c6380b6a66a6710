//! Saboteurs of dead letters.

mod dying;
mod lasting;

use std::sync::Arc;

use bytes::Bytes;
use workwire_broker::clock::RuntimeClock;
use workwire_broker::{CloseMode, Letter, Policy, Verdict};

use super::Saboteur;
use super::changed::{Declared, Letterwise, Listed, Settled};
use dying::{Closes, CountsNoLosses, DiesWhenLookedAt, HopesOn, LeavesTheLease, StopsAtPoison};
use lasting::{CountsNoLetters, Expires, Forgets, ListsAllQueues, LooksOnce, MoreThanAsked, PurgesBoth};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "dies_one_attempt_late",
        breaks: &["DLQ-1", "DLQ-19", "DLQ-20"],
        about: "counts the retries and not the deliveries, so that a message has one attempt more",
        make: || Arc::new(Declared(|policy| Policy { max_attempts: policy.max_attempts + 1, ..policy })),
    },
    Saboteur {
        name: "dies_one_attempt_early",
        breaks: &["DLQ-2"],
        about: "counts the publish as an attempt, so that a message has one less",
        make: || Arc::new(Declared(|policy| Policy { max_attempts: (policy.max_attempts - 1).max(1), ..policy })),
    },
    Saboteur {
        name: "hopes_on",
        breaks: &["DLQ-3"],
        about: "takes `dead` for a retry while more than three attempts are left",
        make: || Arc::new(HopesOn::default()),
    },
    Saboteur {
        name: "leaves_the_lease_of_the_dead",
        breaks: &["DLQ-4"],
        about: "copies what is given up to the letters, and has the message back when its lease ends",
        make: || Arc::new(LeavesTheLease::default()),
    },
    Saboteur {
        name: "letters_are_text",
        breaks: &["DLQ-5"],
        about: "keeps the bytes of letters as text, with question marks for what is none",
        make: || Arc::new(Letterwise(as_text)),
    },
    Saboteur {
        name: "letters_are_of_middling_priority",
        breaks: &["DLQ-6"],
        about: "keeps no priority with a letter, and tells the default",
        make: || Arc::new(Letterwise(|letter| Letter { priority: Some(3), ..letter })),
    },
    Saboteur {
        name: "letters_have_one_reason",
        breaks: &["DLQ-7", "DLQ-8"],
        about: "says `rejected` whatever reason was given",
        make: || Arc::new(Letterwise(|letter| Letter { reason: "rejected".to_owned(), ..letter })),
    },
    Saboteur {
        name: "reasons_are_ascii",
        breaks: &["DLQ-7"],
        about: "keeps reasons in a header that takes ASCII alone",
        make: || Arc::new(Letterwise(in_ascii)),
    },
    Saboteur {
        name: "reasons_of_retries_are_lost",
        breaks: &["DLQ-7", "DLQ-8"],
        about: "does not keep the reason of a retry",
        make: || Arc::new(Settled(without_reason)),
    },
    Saboteur {
        name: "no_reason_is_no_text",
        breaks: &["DLQ-9"],
        about: "leaves the reason empty where nobody gave one",
        make: || Arc::new(Letterwise(own_words_left_out)),
    },
    Saboteur {
        name: "letters_count_from_zero",
        breaks: &["DLQ-10"],
        about: "counts the redeliveries of a letter and not its deliveries",
        make: || Arc::new(Letterwise(|letter| Letter { attempts: letter.attempts - 1, ..letter })),
    },
    Saboteur {
        name: "letters_die_when_looked_at",
        breaks: &["DLQ-11"],
        about: "tells the time of the look for the time of death",
        make: || Arc::new(DiesWhenLookedAt(RuntimeClock::new())),
    },
    Saboteur {
        name: "a_letter_for_each_cause",
        breaks: &["DLQ-12"],
        about: "writes a letter when the attempts are used up, and one for the retry that used up the last",
        make: || Arc::new(Listed(for_each_cause)),
    },
    Saboteur {
        name: "looking_takes_letters",
        breaks: &["DLQ-13"],
        about: "lists letters by taking them, and forgets to give them back where there are three or more",
        make: || Arc::new(LooksOnce),
    },
    Saboteur {
        name: "newest_letter_first",
        breaks: &["DLQ-14"],
        about: "lists the letters in the order that an operator wants to see",
        make: || Arc::new(Listed(|letters| letters.into_iter().rev().collect())),
    },
    Saboteur {
        name: "lists_all_letters",
        breaks: &["DLQ-15"],
        about: "does not look at how many letters are asked for",
        make: || Arc::new(MoreThanAsked),
    },
    Saboteur {
        name: "keeps_eight_letters",
        breaks: &["DLQ-16", "DLQ-23"],
        about: "keeps the newest eight letters of a queue",
        make: || Arc::new(Listed(|letters| letters.iter().rev().take(8).rev().cloned().collect())),
    },
    Saboteur {
        name: "stops_at_poison",
        breaks: &["DLQ-17"],
        about: "delivers nothing more to a consumer that gave a message up while others were waiting",
        make: || Arc::new(StopsAtPoison::default()),
    },
    Saboteur {
        name: "one_heap_of_letters",
        breaks: &["DLQ-18"],
        about: "keeps the letters of all queues in one queue",
        make: || Arc::new(ListsAllQueues::default()),
    },
    Saboteur {
        name: "only_retries_kill",
        breaks: &["DLQ-19", "DLQ-20"],
        about: "counts retries towards the last attempt, and no expired lease and no lost connection",
        make: || Arc::new(CountsNoLosses::default()),
    },
    Saboteur {
        name: "a_crash_in_the_last_attempt_is_forgiven",
        breaks: &["DLQ-20"],
        about: "takes every end of a connection for a graceful one",
        make: || Arc::new(Closes(CloseMode::Graceful)),
    },
    Saboteur {
        name: "a_goodbye_in_the_last_attempt_kills",
        breaks: &["DLQ-21"],
        about: "takes every end of a connection for a lost one",
        make: || Arc::new(Closes(CloseMode::Abort)),
    },
    Saboteur {
        name: "letters_expire",
        breaks: &["DLQ-22"],
        about: "keeps the expiry of a message with its letter",
        make: || Arc::new(Expires::with(|of_message, _| of_message)),
    },
    Saboteur {
        name: "letters_expire_with_their_queue",
        breaks: &["DLQ-22"],
        about: "sweeps out letters that are older than messages of their queue become",
        make: || Arc::new(Expires::with(|_, of_queue| of_queue)),
    },
    Saboteur {
        name: "letters_live_in_memory",
        breaks: &["DLQ-23", "DLQ-24"],
        about: "keeps letters in memory and nowhere else",
        make: || Arc::new(Forgets::always()),
    },
    Saboteur {
        name: "letters_are_written_at_the_end",
        breaks: &["DLQ-24"],
        about: "writes the letters down when it is shut down, and not when it is killed",
        make: || Arc::new(Forgets::at_a_kill()),
    },
    Saboteur {
        name: "letters_are_written_later",
        breaks: &["DLQ-24", "DLQ-25"],
        about: "takes a message out of its queue at once and writes its letter half a second later",
        make: || Arc::new(Forgets::when_fresh()),
    },
    Saboteur {
        name: "purges_the_living_with_the_dead",
        breaks: &["DLQ-27"],
        about: "removes the messages too when the letters are purged",
        make: || Arc::new(PurgesBoth { letters: true }),
    },
    Saboteur {
        name: "purges_the_dead_with_the_living",
        breaks: &["DLQ-28"],
        about: "removes the letters too when the messages are purged",
        make: || Arc::new(PurgesBoth { letters: false }),
    },
    Saboteur {
        name: "purges_letters_without_counting",
        breaks: &["DLQ-26"],
        about: "says 0 when it purges letters, since it counts messages",
        make: || Arc::new(CountsNoLetters),
    },
];

fn as_text(letter: Letter) -> Letter {
    Letter { body: Bytes::from(String::from_utf8_lossy(&letter.body).into_owned()), ..letter }
}

fn in_ascii(letter: Letter) -> Letter {
    let reason = letter.reason.chars().map(|letter| if letter.is_ascii() { letter } else { '?' }).collect();
    Letter { reason, ..letter }
}

fn without_reason(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Retry { delay_ms, .. } => Verdict::Retry { delay_ms, reason: None },
        other => other,
    }
}

fn own_words_left_out(letter: Letter) -> Letter {
    let is_own = letter.reason.starts_with("attempts used up") || letter.reason.starts_with("given up at");
    let reason = if is_own { String::new() } else { letter.reason };
    Letter { reason, ..letter }
}

fn for_each_cause(letters: Vec<Letter>) -> Vec<Letter> {
    let causes = |letter: &Letter| if letter.reason.starts_with("attempts used up") { 2 } else { 1 };
    letters.into_iter().flat_map(|letter| vec![letter.clone(); causes(&letter)]).collect()
}
