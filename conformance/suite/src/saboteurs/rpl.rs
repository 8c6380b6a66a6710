//! Saboteurs of replay.

mod again;
mod back;

use std::sync::Arc;

use super::Saboteur;
use again::{Again, As};
use back::{Back, How};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "replays_only_what_was_given_up",
        breaks: &["RPL-1", "RPL-3"],
        about: "removes a letter whose attempts were used up, and sees when it is to be queued that it has none left",
        make: || Arc::new(Back::new(How::DropsTheUsedUp)),
    },
    Saboteur {
        name: "replays_into_the_count",
        breaks: &["RPL-2"],
        about: "tells the attempts from before with those after a replay",
        make: || Arc::new(Back::new(How::CountsOn)),
    },
    Saboteur {
        name: "one_attempt_after_a_replay",
        breaks: &["RPL-3"],
        about: "gives up a replayed message at its first failure",
        make: || Arc::new(Back::new(How::OneAttempt)),
    },
    Saboteur {
        name: "replays_text",
        breaks: &["RPL-4"],
        about: "sends letters back by a tool that reads them as text",
        make: || Arc::new(Back::new(How::AsText)),
    },
    Saboteur {
        name: "replays_at_middling_priority",
        breaks: &["RPL-5"],
        about: "publishes a letter again without its priority",
        make: || Arc::new(Again::new(As::OfNoPriority)),
    },
    Saboteur {
        name: "replays_a_copy",
        breaks: &["RPL-6"],
        about: "leaves the letter where it is, marked as replayed, and lists it all the same",
        make: || Arc::new(Back::new(How::KeepsTheLetter)),
    },
    Saboteur {
        name: "looks_before_it_replays",
        breaks: &["RPL-7"],
        about: "looks for the letter, and then publishes it again, without a lock around both",
        make: || Arc::new(Again::new(As::InTwoSteps)),
    },
    Saboteur {
        name: "replays_for_ever",
        breaks: &["RPL-8"],
        about: "takes a letter that was replayed from its journal and replays it once more",
        make: || Arc::new(Again::new(As::OftenAsWanted)),
    },
    Saboteur {
        name: "replays_nothing_gladly",
        breaks: &["RPL-8", "RPL-9"],
        about: "answers ok where there is no such letter",
        make: || Arc::new(Back::new(How::OkForNothing)),
    },
    Saboteur {
        name: "replays_up_to_it",
        breaks: &["RPL-10"],
        about: "replays with a letter all that died before it",
        make: || Arc::new(Back::new(How::AllBefore)),
    },
    Saboteur {
        name: "replays_the_younger",
        breaks: &["RPL-11"],
        about: "finds letters in an index that knows the youngest of an id alone",
        make: || Arc::new(Back::new(How::TheYounger)),
    },
    Saboteur {
        name: "replays_to_the_front",
        breaks: &["RPL-12"],
        about: "puts a replayed message where it stood before it died",
        make: || Arc::new(Back::new(How::ToTheFront)),
    },
    Saboteur {
        name: "replays_the_old_expiry",
        breaks: &["RPL-13"],
        about: "keeps the moment of expiry of the first publish",
        make: || Arc::new(Back::new(How::OldExpiry)),
    },
    Saboteur {
        name: "replayed_live_for_ever",
        breaks: &["RPL-14"],
        about: "publishes a letter again without its ttl",
        make: || Arc::new(Again::new(As::ForEver)),
    },
    Saboteur {
        name: "replays_through_dedupe",
        breaks: &["RPL-15"],
        about: "publishes a letter again by the door that knows its id already",
        make: || Arc::new(Again::new(As::ItIs)),
    },
    Saboteur {
        name: "replays_over_the_brim",
        breaks: &["RPL-16"],
        about: "does not look at the length of a queue when it replays",
        make: || Arc::new(Back::new(How::OverTheBrim)),
    },
    Saboteur {
        name: "refuses_and_drops",
        breaks: &["RPL-17"],
        about: "takes the letter out before it finds the queue full",
        make: || Arc::new(Back::new(How::DropsTheRefused)),
    },
    Saboteur {
        name: "replays_to_whoever_comes",
        breaks: &["RPL-18"],
        about: "publishes a letter again without its recipient",
        make: || Arc::new(Again::new(As::ToNobody)),
    },
    Saboteur {
        name: "replays_to_every_group",
        breaks: &["RPL-19"],
        about: "publishes a letter again, for every group to see",
        make: || Arc::new(Again::new(As::ItIs)),
    },
    Saboteur {
        name: "replays_in_memory",
        breaks: &["RPL-20"],
        about: "removes the letter on the disk and queues the message in memory",
        make: || Arc::new(Back::new(How::InMemory)),
    },
];
