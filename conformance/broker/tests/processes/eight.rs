//! What several processes on one file do together.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use uuid::Uuid;
use workwire_broker::{Broker as _, Message, Policy, SqliteBroker, SqliteOptions, Stored};

use super::crew::Crew;
use super::member::{EACH, Line, Told, WAITER, WORKER, tasks};
use crate::audit;
use crate::folder::Folder;

const MANY: usize = 8;

/// How long a test waits for what has to come, before it says that it did not.
const PATIENCE: Duration = Duration::from_mins(2);

/// Longer than any of them is kept from its work.
const LONG_LEASE_MS: i64 = 3_600_000;

/// What a killed process held comes back so late.
const SHORT_LEASE_MS: i64 = 2_000;

/// What has been heard of a crew.
#[derive(Debug, Default)]
struct Heard {
    published: [usize; MANY],
    settled: [usize; MANY],
    acknowledged: BTreeSet<Uuid>,
    settling: BTreeSet<Uuid>,
    done: BTreeSet<Uuid>,
}

impl Heard {
    fn hear(&mut self, (number, line): (usize, Line)) {
        match line {
            Line::Published(id) => {
                self.published[number] += 1;
                assert!(self.acknowledged.insert(id));
            }
            Line::Settling(id) => {
                self.settling.insert(id);
            }
            Line::Done(id) => {
                self.settled[number] += 1;
                assert!(self.done.insert(id), "{id} is done twice");
            }
            line => panic!("process {number}: {line:?}"),
        }
    }

    /// What each had done of its work.
    fn shares(&self) -> Vec<usize> {
        self.published.iter().zip(self.settled).map(|(published, settled)| published + settled).collect()
    }
}

/// Nothing is lost or done twice, nobody hears that the file is locked, and while all of them want to
/// work, the slowest gets at least half of what the fastest gets.
pub(crate) fn share_a_file() {
    let folder = Folder::new("eight");
    let told = Told { file: folder.file(), lease_ms: LONG_LEASE_MS };
    let mut crew = Crew::start(&told, WORKER, MANY);
    crew.begin();
    let (mut heard, mut shares) = (Heard::default(), None);
    while heard.done.len() < MANY * EACH {
        heard.hear(crew.next());
        if heard.published.contains(&EACH) {
            // From here on not all of them want to work.
            shares.get_or_insert_with(|| heard.shares());
        }
    }
    for line in crew.end() {
        heard.hear(line);
    }
    assert_eq!(heard.done, heard.acknowledged);
    let shares = shares.expect("somebody was the first");
    let (slowest, fastest) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
    assert!(slowest * 2 >= *fastest, "the shares are {shares:?}");
    check(&folder.file());
}

/// Those who go on are not disturbed, and get what it held.
pub(crate) fn of_which_one_is_killed() {
    let folder = Folder::new("seven");
    let told = Told { file: folder.file(), lease_ms: SHORT_LEASE_MS };
    let mut crew = Crew::start(&told, WORKER, MANY);
    crew.begin();
    let mut heard = Heard::default();
    while heard.published[3] < EACH / 3 {
        heard.hear(crew.next());
    }
    crew.kill(3);
    let others_have_published =
        |heard: &Heard| heard.published.iter().filter(|published| **published == EACH).count() == MANY - 1;
    while !others_have_published(&heard) {
        heard.hear(crew.next());
    }
    // What it held comes back when its lease ends, unless its last words were not its last deeds.
    let store = Connection::open(folder.file()).unwrap();
    let start = Instant::now();
    while left(&store) > 0 {
        assert!(start.elapsed() < PATIENCE, "{} messages are left", left(&store));
        std::thread::sleep(Duration::from_millis(5));
    }
    for line in crew.end() {
        heard.hear(line);
    }
    // It may have settled what nobody heard of.
    assert!(heard.acknowledged.is_subset(&(&heard.done | &heard.settling)));
    assert!(heard.acknowledged.difference(&heard.done).count() <= 2, "each of its two consumers had one at most");
    check(&folder.file());
}

/// A fetch that waits in one process is answered when another publishes.
pub(crate) fn wake_each_other() {
    let folder = Folder::new("wake");
    let told = Told { file: folder.file(), lease_ms: LONG_LEASE_MS };
    let crew = Crew::start(&told, WAITER, 2);
    for _ in 0..2 {
        assert!(matches!(crew.next(), (_, Line::Waits)));
    }
    let broker = SqliteBroker::open(SqliteOptions::at(folder.file())).unwrap();
    let ids = BTreeSet::from([Uuid::new_v4(), Uuid::new_v4()]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut done = BTreeSet::new();
    runtime.block_on(async {
        let client = broker.open("publisher").await.unwrap();
        client.declare(&tasks(), &Policy { lease_ms: LONG_LEASE_MS, ..Policy::default() }).await.unwrap();
        for id in &ids {
            assert_eq!(client.publish(&tasks(), Message::new(*id, "wake up")).await, Ok(Stored::Stored));
            let (_, line) = crew.next();
            let Line::Done(id) = line else { panic!("{line:?}") };
            assert!(done.insert(id));
        }
        broker.shutdown().await.unwrap();
    });
    assert_eq!(done, ids);
    assert!(crew.end().is_empty());
    check(&folder.file());
}

/// The tables agree with each other, and nothing is left.
fn check(file: &Path) {
    let connection = Connection::open(file).unwrap();
    assert_eq!(audit::faults(&connection).unwrap(), Vec::<String>::new());
    assert_eq!(left(&connection), 0);
}

fn left(store: &Connection) -> i64 {
    store.query_row("SELECT count(*) FROM message", [], |row| row.get(0)).unwrap()
}
