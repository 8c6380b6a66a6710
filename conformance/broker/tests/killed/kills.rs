//! The kills, and what is looked at after each.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use workwire_broker::clock::ManualClock;
use workwire_broker::{Broker as _, SqliteBroker, SqliteOptions};

use crate::listening::listen;
use crate::support::again::{Running, myself};
use crate::support::checked::check;
use crate::support::dice::{Dice, seed};
use crate::support::folder::Folder;
use crate::support::found::Found;
use crate::support::ledger::{Kind, Ledger};
use crate::support::said::Line;
use crate::support::view::Visitor;
use crate::support::worker::Job;

/// When the first process starts.
const START: i64 = 1_800_000_000_000;

/// The longest that a process may live, in milliseconds.
const LONGEST_MS: u64 = 350;

/// A process is killed so many times, at random moments of its work; all of it on one file.
pub(crate) fn many(kills: u32) {
    let (folder, seed) = (Folder::new("killed"), seed());
    let (mut dice, mut ledger) = (Dice::of(seed), Ledger::default());
    let mut now = START;
    for _ in 0..kills {
        now = one(&folder.file(), &mut dice, &mut ledger, now);
        if !ledger.faults.is_empty() {
            break;
        }
    }
    finish(&folder.file(), &mut ledger, now);
    println!("{kills} kills: {}", ledger.in_words());
    assert!(ledger.faults.is_empty(), "with WORKWIRE_SEED={seed}:\n{}", ledger.listed());
    assert!(ledger.sums.published > 0 && ledger.sums.settled > 0, "nothing was acknowledged: this proves nothing");
}

/// A process is killed within its first moments, each time with a new file.
pub(crate) fn while_the_file_is_made(kills: u32) {
    let seed = seed();
    let mut dice = Dice::of(seed);
    for _ in 0..kills {
        let (folder, mut ledger) = (Folder::new("made"), Ledger::default());
        let mut working = Working::start(&folder.file(), dice.throw(), START);
        std::thread::sleep(Duration::from_micros(dice.below(60_000)));
        let (at, lines) = working.kill();
        for line in lines {
            ledger.hear(line);
        }
        check(&folder.file(), &mut ledger, START, at);
        assert!(ledger.faults.is_empty(), "with WORKWIRE_SEED={seed}:\n{}", ledger.listed());
    }
}

/// Lets a process work, kills it, and looks at what it left. Says what time it is by then.
fn one(file: &Path, dice: &mut Dice, ledger: &mut Ledger, now: i64) -> i64 {
    // Some open the file and close it all the time.
    let mut working = if dice.percent(25) {
        Working::start_restless(file, dice.throw(), now)
    } else {
        Working::start(file, dice.throw(), now)
    };
    working.until_ready();
    std::thread::sleep(Duration::from_micros(dice.below(LONGEST_MS * 1_000)));
    let (at, lines) = working.kill();
    for line in lines {
        ledger.hear(line);
    }
    check(file, ledger, now, at)
}

/// Takes all that is left.
fn finish(file: &Path, ledger: &mut Ledger, now: i64) {
    let broker = SqliteBroker::open_with_clock(SqliteOptions::at(file), Arc::new(ManualClock::at(now))).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime
        .block_on(async {
            let client = broker.open("visitor").await?;
            let mut visitor = Visitor { client: &*client, now, call: 1 << 33 };
            visitor.drain(ledger, 0).await?;
            visitor.purge_letters(ledger, 0).await?;
            visitor.look(ledger).await?;
            broker.shutdown().await
        })
        .unwrap_or_else(|error| ledger.fault(Kind::Refused, error.to_string()));
    let found = Found::read(file).unwrap();
    ledger.ended(now, file);
    if !found.lives.is_empty() {
        ledger.fault(Kind::Twice, format!("{} messages are left after all were taken", found.lives.len()));
    }
}

/// A process that works, and what it says.
pub(crate) struct Working {
    running: Running,
    born: Instant,
    born_at: i64,
    lines: Receiver<Line>,
    listening: Option<JoinHandle<()>>,
    heard: Vec<Line>,
}

impl Working {
    /// One that opens the file once, and never ends.
    pub(crate) fn start(file: &Path, seed: u64, begins_at: i64) -> Self {
        Self::doing(&Job { file: file.to_owned(), normal: false, begins_at, seed, publishes: None, rounds: 1 })
    }

    /// One that opens it again and again, for a few messages.
    fn start_restless(file: &Path, seed: u64, begins_at: i64) -> Self {
        let (publishes, rounds) = (Some(3), u32::MAX);
        Self::doing(&Job { file: file.to_owned(), normal: false, begins_at, seed, publishes, rounds })
    }

    fn doing(job: &Job) -> Self {
        let born = Instant::now();
        let mut running = Running::start(&mut myself(&[], "worker", job));
        let (sender, lines) = channel();
        let listening = listen(&mut running.child, move |line| {
            if let Some(line) = line {
                // Whoever wanted it may have failed.
                let _ = sender.send(line);
            }
        });
        Working { running, born, born_at: job.begins_at, lines, listening: Some(listening), heard: Vec::new() }
    }

    /// Waits for the next thing that it says; the first is that it is ready.
    pub(crate) fn until_ready(&mut self) {
        let line = self.lines.recv_timeout(Duration::from_mins(1)).expect("a worker that goes on");
        self.heard.push(line);
    }

    /// Waits until it has said so much.
    pub(crate) fn until_heard(&mut self, lines: usize) {
        while self.heard.len() < lines {
            self.until_ready();
        }
    }

    /// Kills it. Says what time it is by its clock at the latest, and all that it had said.
    pub(crate) fn kill(&mut self) -> (i64, Vec<Line>) {
        let ended = self.running.child.try_wait().unwrap();
        assert!(ended.is_none(), "the worker ended before it was killed: {ended:?}");
        self.running.child.kill().unwrap();
        self.running.child.wait().unwrap();
        let age = i64::try_from(self.born.elapsed().as_millis()).unwrap();
        self.listening.take().expect("killed once").join().unwrap();
        let mut heard = std::mem::take(&mut self.heard);
        heard.extend(self.lines.iter());
        (self.born_at + age + 1, heard)
    }
}
