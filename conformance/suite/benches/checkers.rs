//! How long all checkers take over long histories, and in how much memory. `cargo bench -p
//! workwire-conformance --bench checkers`; lengths of histories as arguments, each measured in a
//! process of its own, so that one does not see the memory of another.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss, reason = "a measurement")]

use std::time::Instant;

use uuid::Uuid;
use workwire_broker::{Capabilities, Stored};
use workwire_conformance::checkers;
use workwire_conformance::history::{
    About, Answer, Body, Call, Delivered, FetchCall, History, Operation, Outcome, PublishCall, SettleAs, SettleCall,
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
    println!("| operations | recorded | all checkers | each 1 000 000 | memory at the peak |");
    println!("|---|---|---|---|---|");
    for length in lengths {
        let program = std::env::current_exe().unwrap();
        std::process::Command::new(program).env("WORKWIRE_BENCH_ONE", length.to_string()).status().unwrap();
    }
}

fn one(length: usize) {
    let start = Instant::now();
    let history = history(length);
    let recorded = start.elapsed();
    let start = Instant::now();
    let mut times = Vec::new();
    for checker in checkers::ALL {
        let begin = Instant::now();
        let found = (checker.check)(&history);
        assert!(found.anomalies.is_empty(), "{}: {:?}", checker.name, found.anomalies);
        times.push(format!("{} {:.2}", checker.name, begin.elapsed().as_secs_f64()));
    }
    let took = start.elapsed();
    let (operations, seconds) = (history.operations().len(), took.as_secs_f64());
    println!(
        "| {operations} | {:.1} s | {seconds:.2} s | {:.2} s | {} |",
        recorded.as_secs_f64(),
        seconds / (operations as f64 / 1e6),
        peak()
    );
    eprintln!("{}", times.join(", "));
}

/// The most memory that this process ever had, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(str::trim);
    let kibibytes: Option<f64> = peak.and_then(|peak| peak.strip_suffix(" kB")).and_then(|peak| peak.parse().ok());
    kibibytes.map_or("unknown".to_owned(), |peak| format!("{:.0} MiB", peak / 1024.0))
}

/// Four publishers and two consumers on eight queues of five priorities: consumers take up to ten,
/// retry one in fifty, and are done with the rest.
fn history(length: usize) -> History {
    let capabilities = Capabilities::all().iter().map(|capability| capability.as_str().to_owned()).collect();
    let mut history = History::new(About { capabilities, complete: true, ..About::default() });
    let mut dice = fastrand::Rng::with_seed(1);
    let publishers: Vec<_> = (0..4).map(|n| history.words_mut().word(&format!("publisher-{n}"))).collect();
    let consumers: Vec<_> = (0..2).map(|n| history.words_mut().word(&format!("consumer-{n}"))).collect();
    let queues: Vec<_> = (0..8).map(|n| history.words_mut().word(&format!("queue-{n}"))).collect();
    let mut now = 0;
    for queue in &queues {
        let call = Call::Declare(*queue, Box::default());
        step(&mut history, &mut now, publishers[0], call, Answer::Done);
    }
    // The broker's own view: of each queue, messages by priority, in order.
    let mut waiting: Vec<[std::collections::VecDeque<(PublishCall, u32)>; 6]> = vec![Default::default(); queues.len()];
    let mut tags = 0_u64;
    while history.operations().len() < length {
        let place = dice.usize(0..queues.len());
        let queue = queues[place];
        for _ in 0..10 {
            let (id, priority) = (history.words_mut().id(Uuid::from_u128(dice.u128(..))), dice.i64(1..6));
            let body = Body { bytes: 100, digest: dice.u64(..) };
            let priority_given = Some(priority);
            let publish =
                PublishCall { queue, id, body, priority: priority_given, ttl_ms: None, delay_ms: None, to: None };
            let publisher = publishers[dice.usize(0..publishers.len())];
            step(&mut history, &mut now, publisher, Call::Publish(publish), Answer::Published(Stored::Stored));
            waiting[place][usize::try_from(priority).unwrap()].push_back((publish, 1));
        }
        let mut taken = Vec::new();
        while let Some(next) = waiting[place].iter_mut().rev().find_map(std::collections::VecDeque::pop_front) {
            taken.push(next);
            if taken.len() == 10 {
                break;
            }
        }
        let mut deliveries = Vec::new();
        for (publish, attempt) in &taken {
            tags += 1;
            let tag = history.words_mut().word(&format!("{tags}"));
            let (id, body, priority) = (publish.id, publish.body, publish.priority.unwrap_or(3));
            deliveries.push(Delivered { tag, id, body, priority, attempt: *attempt });
        }
        let consumer = consumers[place % consumers.len()];
        let fetch = FetchCall { queue, max: 10, wait_ms: 0, group: None, recipient: None, only: None };
        step(&mut history, &mut now, consumer, Call::Fetch(fetch), Answer::Deliveries(deliveries.clone().into()));
        for ((publish, attempt), delivery) in taken.into_iter().zip(deliveries) {
            let retried = attempt == 1 && dice.u8(0..50) == 0;
            let verdict = if retried { SettleAs::Retry(None) } else { SettleAs::Done };
            let settle = SettleCall { queue, tag: delivery.tag, verdict, reason: None };
            step(&mut history, &mut now, consumer, Call::Settle(settle), Answer::Done);
            if retried {
                let level = usize::try_from(publish.priority.unwrap_or(3)).unwrap();
                waiting[place][level].push_front((publish, attempt + 1));
            }
        }
    }
    history
}

fn step(history: &mut History, now: &mut u64, client: workwire_conformance::history::Word, call: Call, answer: Answer) {
    let (began, ended) = (*now + 1, Some(*now + 2));
    *now += 3;
    history.begin(Operation { client, began, ended, call, outcome: Outcome::Ok(answer) });
}
