//! Checkers on histories that show something wrong, that nearly do, and that were recorded from a
//! broker that does nothing wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "checkers/anomalies.rs"]
mod anomalies;
#[path = "checkers/crowd.rs"]
mod crowd;
#[path = "checkers/edges_attempts.rs"]
mod edges_attempts;
#[path = "checkers/edges_copies.rs"]
mod edges_copies;
#[path = "checkers/edges_depth.rs"]
mod edges_depth;
#[path = "checkers/edges_holders.rs"]
mod edges_holders;
#[path = "checkers/edges_letters.rs"]
mod edges_letters;
#[path = "checkers/edges_lost.rs"]
mod edges_lost;
#[path = "checkers/edges_origin.rs"]
mod edges_origin;
#[path = "checkers/edges_purged.rs"]
mod edges_purged;
#[path = "checkers/edges_told.rs"]
mod edges_told;
#[path = "checkers/edges_turns.rs"]
mod edges_turns;
#[path = "checkers/mutations.rs"]
mod mutations;
#[path = "checkers/random.rs"]
mod random;
#[path = "checkers/tale.rs"]
mod tale;
