//! How long all checkers take over long histories, and in how much memory. `cargo bench -p
//! workwire-conformance --bench checkers`; lengths of histories as arguments, each measured in a
//! process of its own, so that one does not see the memory of another. `WORKWIRE_BENCH_EACH=1` says
//! also how long each checker takes by itself.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss, reason = "a measurement")]

use std::collections::VecDeque;
use std::time::Instant;

use uuid::Uuid;
use workwire_broker::{Capabilities, Depth, Stored};
use workwire_conformance::checkers;
use workwire_conformance::history::{
    About, Answer, Body, Call, Delivered, FetchCall, History, Operation, Outcome, PublishCall, SettleAs, SettleCall,
    Terms, Word,
};

const LENGTHS: [usize; 3] = [100_000, 1_000_000, 10_000_000];

fn main() {
    let mut lengths: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    if let Ok(length) = std::env::var("WORKWIRE_BENCH_ONE") {
        return one(length.parse().unwrap());
    }
    if lengths.is_empty() {
        lengths = LENGTHS.to_vec();
    }
    println!("| operations | recorded | all checkers | processor time | each 1 000 000 | memory at the peak |");
    println!("|---|---|---|---|---|---|");
    for length in lengths {
        let program = std::env::current_exe().unwrap();
        std::process::Command::new(program).env("WORKWIRE_BENCH_ONE", length.to_string()).status().unwrap();
    }
}

fn one(length: usize) {
    let start = Instant::now();
    let history = Made::history(length);
    let recorded = start.elapsed();
    let (start, busy) = (Instant::now(), processor());
    for (checker, found) in checkers::ALL.iter().zip(checkers::look(&history, checkers::ALL)) {
        assert!(found.anomalies.is_empty(), "{}: {:?}", checker.name, found.anomalies);
    }
    let (took, busy) = (start.elapsed(), processor() - busy);
    let operations = history.operations().len();
    println!(
        "| {operations} | {:.1} s | {:.2} s | {busy:.2} s | {:.2} s | {} |",
        recorded.as_secs_f64(),
        took.as_secs_f64(),
        busy / (operations as f64 / 1e6),
        peak()
    );
    if std::env::var("WORKWIRE_BENCH_EACH").is_ok() {
        for checker in checkers::ALL {
            let start = processor();
            let found = (checker.check)(&history);
            println!("{} {:.2} s, looked at {}", checker.name, processor() - start, found.looked_at);
        }
    }
}

/// The time for which this process kept processors busy, where the system tells. On a machine that does
/// other work too it says more than the clock on the wall.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything: the 12th and 13th, in hundredths of a second.
    let numbers = stat.rsplit(')').next().unwrap_or("").split_whitespace().skip(11).take(2);
    numbers.filter_map(|number| number.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The most memory that this process ever had, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(str::trim);
    let kibibytes: Option<f64> = peak.and_then(|peak| peak.strip_suffix(" kB")).and_then(|peak| peak.parse().ok());
    kibibytes.map_or("unknown".to_owned(), |peak| format!("{:.0} MiB", peak / 1024.0))
}

/// Four publishers and two consumers on eight queues of five priorities: consumers take up to ten,
/// retry one in fifty, and are done with the rest. One message in twenty has a time to live, one turn
/// in ten counts what is left, and in the end every queue is drained.
struct Made {
    history: History,
    dice: fastrand::Rng,
    now: u64,
    tags: u64,
    publishers: Vec<Word>,
    consumers: Vec<Word>,
    queues: Vec<Word>,
    /// The broker's own view: of each queue, messages by priority, in order.
    waiting: Vec<[VecDeque<(PublishCall, u32)>; 6]>,
}

impl Made {
    fn history(length: usize) -> History {
        let capabilities = Capabilities::all().iter().map(|capability| capability.as_str().to_owned()).collect();
        let mut history = History::new(About { capabilities, complete: true, ..About::default() });
        let mut words =
            |name: &str, count| (0..count).map(|n| history.words_mut().word(&format!("{name}-{n}"))).collect();
        let (publishers, consumers, queues): (_, _, Vec<Word>) =
            (words("publisher", 4), words("consumer", 2), words("queue", 8));
        let (dice, waiting) = (fastrand::Rng::with_seed(1), vec![Default::default(); queues.len()]);
        let mut made = Made { history, dice, now: 0, tags: 0, publishers, consumers, queues, waiting };
        for queue in made.queues.clone() {
            made.step(made.publishers[0], Call::Declare(queue, Box::default()), Answer::Done);
        }
        while made.history.operations().len() < length {
            let place = made.dice.usize(0..made.queues.len());
            made.publish(place);
            made.take(place);
            if made.dice.u8(0..10) == 0 {
                made.count(place);
            }
        }
        for place in 0..made.queues.len() {
            while made.take(place) > 0 {}
            made.count(place);
            let (keeper, drained) = (made.publishers[0], Call::Drained(made.queues[place], None));
            made.step(keeper, drained, Answer::Done);
        }
        made.history
    }

    fn step(&mut self, client: Word, call: Call, answer: Answer) {
        let (began, ended) = (self.now + 1, Some(self.now + 2));
        self.now += 3;
        self.history.begin(Operation { client, began, ended, call, outcome: Outcome::Ok(answer) });
    }

    fn publish(&mut self, place: usize) {
        for _ in 0..10 {
            let id = self.history.words_mut().id(Uuid::from_u128(self.dice.u128(..)));
            let (priority, body) = (self.dice.i64(1..6), Body { bytes: 100, digest: self.dice.u64(..) });
            let ttl_ms = (self.dice.u8(0..20) == 0).then_some(3_600_000);
            let publish = PublishCall::new(self.queues[place], id, body, Some(priority));
            let publish = publish.on(Terms { ttl_ms, ..Terms::default() });
            let publisher = self.publishers[self.dice.usize(0..self.publishers.len())];
            self.step(publisher, Call::Publish(publish.clone()), Answer::Published(Stored::Stored));
            self.waiting[place][usize::try_from(priority).unwrap()].push_back((publish, 1));
        }
    }

    fn take(&mut self, place: usize) -> usize {
        let mut taken = Vec::new();
        while let Some(next) = self.waiting[place].iter_mut().rev().find_map(VecDeque::pop_front) {
            taken.push(next);
            if taken.len() == 10 {
                break;
            }
        }
        let mut deliveries = Vec::new();
        for (publish, attempt) in &taken {
            self.tags += 1;
            let tag = self.history.words_mut().word(&format!("{}", self.tags));
            let (id, body, priority) = (publish.id, publish.body, publish.priority.unwrap_or(3));
            deliveries.push(Delivered { tag, id, body, priority, attempt: *attempt });
        }
        let (queue, consumer) = (self.queues[place], self.consumers[place % self.consumers.len()]);
        let fetch = FetchCall { queue, max: 10, wait_ms: 0, group: None, recipient: None, only: None };
        self.step(consumer, Call::Fetch(fetch), Answer::Deliveries(deliveries.clone().into()));
        let count = taken.len();
        for ((publish, attempt), delivery) in taken.into_iter().zip(deliveries) {
            let retried = attempt == 1 && self.dice.u8(0..50) == 0;
            let verdict = if retried { SettleAs::Retry(None) } else { SettleAs::Done };
            let settle = SettleCall { queue, tag: delivery.tag, verdict, reason: None };
            self.step(consumer, Call::Settle(settle), Answer::Done);
            if retried {
                let level = usize::try_from(publish.priority.unwrap_or(3)).unwrap();
                self.waiting[place][level].push_front((publish, attempt + 1));
            }
        }
        count
    }

    fn count(&mut self, place: usize) {
        let ready = self.waiting[place].iter().map(|level| level.len() as u64).sum();
        let depth = Depth { ready, leased: Some(0), delayed: Some(0), dead: Some(0) };
        let (keeper, call) = (self.publishers[0], Call::Depth(self.queues[place], None));
        self.step(keeper, call, Answer::Depth(Box::new(depth)));
    }
}
