//! The cuts, and what is looked at after each.

use std::collections::BTreeSet;
use std::path::Path;

use super::disk::{Disk, Lie};
use super::recording::{Act, Event, Recording};
use crate::support::checked::check;
use crate::support::dice::{Dice, seed};
use crate::support::folder::Folder;
use crate::support::ledger::{Fault, Kind, Ledger, Sums};
use crate::support::said::Line;
use crate::support::worker::Job;

const START: i64 = 1_800_000_000_000;

/// How many cuts are made of one record.
const CUTS: u32 = 100;

/// How many cuts are made before it is said that nothing was noticed.
const MOST_IN_VAIN: u32 = 60;

/// What was found after all cuts.
#[derive(Debug, Default)]
struct Sum {
    records: u32,
    syncs: usize,
    cuts: usize,
    /// The sums are over all cuts: what was acknowledged before each.
    all: Ledger,
}

/// With durability `full` nothing is missing, wherever the power is cut.
pub(crate) fn lose_nothing(cuts: u32) {
    let seed = seed();
    let sum = many(cuts, seed, false);
    println!("durability=full, {}", sum.in_words());
    assert!(sum.all.faults.is_empty(), "with WORKWIRE_SEED={seed}:\n{}", sum.all.listed());
    assert!(sum.all.sums.published > 0 && sum.all.sums.settled > 0, "nothing was acknowledged: this proves nothing");
}

/// With durability `normal` the last moments are missing: a test that does not see this sees nothing.
/// What is left is sound all the same.
pub(crate) fn are_noticed_where_nothing_is_synced(cuts: u32) {
    let seed = seed();
    let sum = many(cuts, seed, true);
    println!("durability=normal, {}", sum.in_words());
    assert!(sum.all.count(Kind::Lost) > 0, "with WORKWIRE_SEED={seed}: nothing is lost without syncs");
    let unsound = sum.all.faults.iter().filter(|fault| matches!(fault.kind, Kind::Counts | Kind::Refused));
    assert_eq!(unsound.count(), 0, "with WORKWIRE_SEED={seed}:\n{}", sum.all.listed());
}

/// Each kind of sync is needed: where the disk has not made it, something is missing or broken.
pub(crate) fn are_noticed_where_the_disk_lies() {
    let (seed, folder) = (seed(), Folder::new("power"));
    let mut dice = Dice::of(seed);
    let recording = Recording::of(&job(&folder, &mut dice, 20, false), folder.as_ref());
    for lie in [Lie::File, Lie::Log, Lie::Folder] {
        let mut faults = 0;
        let places = places(&recording, MOST_IN_VAIN, &mut dice);
        each_cut(&recording, Some(lie), &places, &folder, &mut dice, |ledger| {
            faults += ledger.faults.len();
            faults == 0
        });
        assert!(faults > 0, "with WORKWIRE_SEED={seed}: nobody noticed that {lie:?} was never synced");
    }
}

fn many(cuts: u32, seed: u64, normal: bool) -> Sum {
    let (mut dice, mut sum, mut left) = (Dice::of(seed), Sum::default(), cuts);
    while left > 0 {
        let now = left.min(CUTS);
        left -= now;
        let folder = Folder::new("power");
        // A short job where few cuts are made of it.
        let job = job(&folder, &mut dice, if now < CUTS { 20 } else { 60 }, normal);
        let recording = Recording::of(&job, folder.as_ref());
        sum.records += 1;
        sum.syncs += recording.acts.iter().filter(|act| matches!(act, Act::Sync(_))).count();
        let places = places(&recording, now, &mut dice);
        each_cut(&recording, None, &places, &folder, &mut dice, |ledger| {
            sum.cuts += 1;
            sum.all.sums += ledger.acknowledged;
            sum.all.faults.extend(ledger.faults);
            true
        });
    }
    sum
}

fn job(folder: &Folder, dice: &mut Dice, publishes: u32, normal: bool) -> Job {
    let (file, seed, publishes) = (folder.file(), dice.throw(), Some(publishes));
    Job { file, normal, begins_at: START, seed, publishes, rounds: 2 }
}

/// Where the power is cut: half of the places are anywhere, half are where something has just been
/// acknowledged.
fn places(recording: &Recording, cuts: u32, dice: &mut Dice) -> BTreeSet<usize> {
    let says = |event: &Event| matches!(event, Event::Asked(act) if matches!(recording.acts[*act], Act::Say(_)));
    let said: Vec<usize> = (0..recording.events.len()).filter(|at| says(&recording.events[*at])).collect();
    let mut places = BTreeSet::new();
    while places.len() < cuts as usize {
        let anywhere = places.len() % 2 == 0;
        let among = if anywhere { recording.events.len() } else { said.len() };
        let one = usize::try_from(dice.below(among as u64)).unwrap();
        places.insert(if anywhere { one } else { said[one] });
    }
    places
}

/// What is wrong after a cut, and what had been acknowledged before it.
struct AfterCut {
    acknowledged: Sums,
    faults: Vec<Fault>,
}

/// Cuts the power at these places, until `go_on` has seen enough.
fn each_cut(
    recording: &Recording,
    lie: Option<Lie>,
    places: &BTreeSet<usize>,
    folder: &Folder,
    dice: &mut Dice,
    mut go_on: impl FnMut(AfterCut) -> bool,
) {
    let (mut disk, mut ledger) = (Disk::that_lies(lie), Ledger::default());
    for (at, event) in recording.events.iter().enumerate() {
        disk.pass(recording, *event);
        if let Event::Asked(act) = event
            && let Act::Say(line) = &recording.acts[*act]
        {
            ledger.hear(line.clone());
        }
        if places.contains(&at) {
            // The next time that is known is later than all that has happened.
            let next = recording.events[at..].iter().find_map(|event| time(recording, *event));
            let last = || recording.events.iter().rev().find_map(|event| time(recording, *event));
            let now = next.or_else(last).expect("a record in which something is said") + 1_000;
            let mut ledger = ledger.clone();
            let before = ledger.sums;
            after(recording, &disk, dice, folder.as_ref(), &mut ledger, now);
            let acknowledged = Sums { unanswered: ledger.sums.unanswered, ..before };
            if !go_on(AfterCut { acknowledged, faults: ledger.faults }) {
                return;
            }
        }
    }
}

/// Makes the files as they may be after a cut, and looks at them.
fn after(recording: &Recording, disk: &Disk, dice: &mut Dice, folder: &Path, ledger: &mut Ledger, at: i64) {
    let memory = Path::new("/dev/shm");
    // The disk has had its say: these need not be on one.
    let copy = Folder::within(if memory.is_dir() { memory } else { folder }, "cut");
    for (path, bytes) in disk.after_a_cut(recording, dice) {
        std::fs::write(copy.as_ref().join(path.file_name().unwrap()), bytes).unwrap();
    }
    if dice.percent(50) {
        // Nobody knows what is in the index of the log.
        let rubbish: Vec<u8> = (0..32_768).map(|_| dice.throw().to_le_bytes()[0]).collect();
        std::fs::write(copy.as_ref().join("work.db-shm"), rubbish).unwrap();
    }
    check(&copy.file(), ledger, START, at);
}

/// When something was said.
fn time(recording: &Recording, event: Event) -> Option<i64> {
    match event {
        Event::Asked(act) => match &recording.acts[act] {
            Act::Say(Line::Asks { at, .. } | Line::Hears { at, .. }) => Some(*at),
            _ => None,
        },
        Event::Answered(_) => None,
    }
}

impl Sum {
    fn in_words(&self) -> String {
        let Sum { records, syncs, cuts, all } = self;
        format!("{cuts} cuts of {records} records with {syncs} syncs, before them {}", all.in_words())
    }
}
