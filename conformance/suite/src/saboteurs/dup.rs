//! Saboteurs of dedupe.

mod remembering;

use std::sync::Arc;

use super::Saboteur;
use remembering::{Memory, Remembering};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "says_duplicate_and_stores",
        breaks: &["DUP-1", "DUP-3", "DUP-7", "DUP-8", "DUP-16", "DUP-18"],
        about: "finds that an id is a duplicate when it has stored it already",
        make: || Arc::new(Remembering::new(Memory::TooLate)),
    },
    Saboteur {
        name: "says_stored_for_duplicates",
        breaks: &["DUP-2", "DUP-6", "DUP-7", "DUP-8", "DUP-9", "DUP-14", "DUP-15", "DUP-18", "DUP-19", "DUP-20"],
        about: "drops duplicates in silence",
        make: || Arc::new(Remembering::new(Memory::Silent)),
    },
    Saboteur {
        name: "looks_before_it_stores",
        breaks: &["DUP-3"],
        about: "looks for an id and then stores it, without a lock around both",
        make: || Arc::new(Remembering::new(Memory::InTwoSteps)),
    },
    Saboteur {
        name: "remembers_for_ever",
        breaks: &["DUP-4", "DUP-5"],
        about: "never forgets an id",
        make: || Arc::new(Remembering::new(Memory::ForEver)),
    },
    Saboteur {
        name: "duplicates_prolong",
        breaks: &["DUP-5"],
        about: "counts the window from the last publish of an id",
        make: || Arc::new(Remembering::new(Memory::Prolonged)),
    },
    Saboteur {
        name: "forgets_too_soon",
        breaks: &["DUP-6"],
        about: "clears what it remembers twice in every window",
        make: || Arc::new(Remembering::new(Memory::Halved)),
    },
    Saboteur {
        name: "forgets_when_done",
        breaks: &["DUP-7", "DUP-19", "DUP-20"],
        about: "knows the ids of the messages that it has, and of no others",
        make: || Arc::new(Remembering::new(Memory::WhileItLives)),
    },
    Saboteur {
        name: "forgets_the_dead",
        breaks: &["DUP-8"],
        about: "forgets an id when its message goes to the dead letters",
        make: || Arc::new(Remembering::new(Memory::UntilItDies)),
    },
    Saboteur {
        name: "remembers_a_thousand",
        breaks: &["DUP-9"],
        about: "remembers the last thousand ids",
        make: || Arc::new(Remembering::new(Memory::AThousand)),
    },
    Saboteur {
        name: "one_memory_for_all_queues",
        breaks: &["DUP-10", "DUP-11"],
        about: "remembers ids without their queues",
        make: || Arc::new(Remembering::new(Memory::OfAllQueues)),
    },
    Saboteur {
        name: "one_memory_for_all_tenants",
        breaks: &["DUP-11"],
        about: "remembers ids by the name of their queue, without its tenant",
        make: || Arc::new(Remembering::new(Memory::OfAllTenants)),
    },
    Saboteur {
        name: "remembers_the_refused",
        breaks: &["DUP-12", "DUP-13"],
        about: "remembers an id before it looks at the message",
        make: || Arc::new(Remembering::new(Memory::First)),
    },
    Saboteur {
        name: "full_before_duplicate",
        breaks: &["DUP-14"],
        about: "looks whether there is room before it looks at the id",
        make: || Arc::new(Remembering::new(Memory::AfterFull)),
    },
    Saboteur {
        name: "dedupes_by_content",
        breaks: &["DUP-15", "DUP-16"],
        about: "remembers ids together with a digest of the bytes",
        make: || Arc::new(Remembering::new(Memory::WithTheBytes)),
    },
    Saboteur {
        name: "the_last_bytes_win",
        breaks: &["DUP-16"],
        about: "writes a duplicate over the message that it has",
        make: || Arc::new(Remembering::new(Memory::Overwritten)),
    },
    Saboteur {
        name: "conflicts_undeclared",
        breaks: &["DUP-15"],
        about: "refuses other bytes under one id, and declares that they are a duplicate",
        make: || Arc::new(Remembering::new(Memory::Conflicting)),
    },
    Saboteur {
        name: "zero_is_the_default",
        breaks: &["DUP-17"],
        about: "takes a window of 0 for one that nobody gave",
        make: || Arc::new(Remembering::new(Memory::NeverOff)),
    },
    Saboteur {
        name: "batches_look_once",
        breaks: &["DUP-18"],
        about: "looks at the ids of a batch before it stores the first of it",
        make: || Arc::new(Remembering::new(Memory::BatchAtOnce)),
    },
    Saboteur {
        name: "ids_in_memory",
        breaks: &["DUP-19", "DUP-20"],
        about: "keeps what it remembers in memory and nowhere else",
        make: || Arc::new(Remembering::new(Memory::UntilARestart)),
    },
    Saboteur {
        name: "ids_saved_at_the_end",
        breaks: &["DUP-20"],
        about: "writes down what it remembers when it is shut down, and not when it is killed",
        make: || Arc::new(Remembering::new(Memory::UntilAKill)),
    },
];
