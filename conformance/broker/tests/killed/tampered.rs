//! The comparison itself: a store that somebody changed behind the broker's back is not right, and
//! each kind of change is noticed as what it is.

use std::path::Path;

use rusqlite::Connection;

use super::kills::Working;
use crate::support::dice::{Dice, seed};
use crate::support::folder::Folder;
use crate::support::found::Found;
use crate::support::ledger::{Kind, Ledger};

const START: i64 = 1_800_000_000_000;

/// A change, and what it must be noticed as.
const CHANGES: &[(&str, Kind)] = &[
    // A message that waits is gone, and all counts are right.
    (
        "CREATE TEMP TABLE gone AS SELECT seq, queue, id, forget_at FROM message 
             WHERE seq = (SELECT min(seq) FROM ready WHERE place = 1);
         DELETE FROM ready WHERE seq IN (SELECT seq FROM gone);
         DELETE FROM message WHERE seq IN (SELECT seq FROM gone);
         INSERT INTO fading SELECT forget_at, seq, queue, id FROM gone;
         UPDATE tally SET ready = ready - 1, length = length - 1 WHERE place = 1",
        Kind::Lost,
    ),
    // A message that is done is ready again.
    (
        "CREATE TEMP TABLE back AS SELECT * FROM fading WHERE queue = 1
             AND id NOT IN (SELECT id FROM letter) AND id NOT IN (SELECT id FROM message) ORDER BY seq LIMIT 1;
         DELETE FROM fading WHERE seq IN (SELECT seq FROM back);
         INSERT INTO message SELECT seq, queue, id, 3, '', 0, 0, NULL, NULL, forget_at, x'' FROM back;
         INSERT INTO ready SELECT 1, '', 7, seq, 0, NULL, NULL, NULL FROM back;
         UPDATE tally SET ready = ready + 1, length = length + 1 WHERE place = 1",
        Kind::Twice,
    ),
    ("UPDATE ready SET used = used + 1", Kind::Wrong),
    ("UPDATE letter SET attempts = attempts + 1", Kind::Wrong),
    ("UPDATE letter SET reason = 'another'", Kind::Wrong),
    ("UPDATE held SET until = until - 2000000", Kind::Wrong),
    ("UPDATE resting SET wake_at = wake_at - 2000000", Kind::Wrong),
    (
        "INSERT INTO letter SELECT letter + 1000000, queue, place, id, priority, recipient, ttl_ms, published_at, attempts, reason, died_at, body FROM letter",
        Kind::Counts,
    ),
    ("UPDATE tally SET ready = ready + 1 WHERE place = 1", Kind::Counts),
    ("UPDATE tally SET length = length - 1 WHERE place = 1", Kind::Counts),
    ("UPDATE tally SET ready = 1 WHERE place = 0", Kind::Counts),
    ("DELETE FROM known WHERE seq = (SELECT min(seq) FROM message)", Kind::Counts),
    ("DELETE FROM fading WHERE seq = (SELECT min(seq) FROM fading)", Kind::Counts),
    ("DELETE FROM message WHERE seq = (SELECT max(seq) FROM ready)", Kind::Counts),
    ("UPDATE share SET turns = turns + 1", Kind::Counts),
];

pub(crate) fn each_change_is_noticed() {
    let (folder, seed) = (Folder::new("tampered"), seed());
    let mut ledger = Ledger::default();
    let mut working = Working::start(&folder.file(), Dice::of(seed).throw(), START);
    working.until_heard(1_500);
    let (at, lines) = working.kill();
    for line in lines {
        ledger.hear(line);
    }
    // Opened and closed, so that all of it is in the one file.
    assert!(Found::read(&folder.file()).unwrap().faults.is_empty());
    let faults = after("SELECT 1", folder.as_ref(), &ledger, at);
    assert!(faults.is_empty(), "with WORKWIRE_SEED={seed}, unchanged: {faults:?}");
    for (change, kind) in CHANGES {
        let faults = after(change, folder.as_ref(), &ledger, at);
        assert!(faults.contains(kind), "with WORKWIRE_SEED={seed}, {change}: noticed as {faults:?}, expected {kind:?}");
    }
}

/// What is noticed of a change to a copy.
fn after(change: &str, folder: &Path, ledger: &Ledger, at: i64) -> Vec<Kind> {
    let copy = Folder::within(folder, "copy");
    std::fs::copy(folder.join("work.db"), copy.file()).unwrap();
    let connection = Connection::open(copy.file()).unwrap();
    connection.execute_batch(change).unwrap();
    drop(connection);
    let mut ledger = ledger.clone();
    ledger.ended(at, &copy.file());
    ledger.faults.iter().map(|fault| fault.kind).collect()
}
