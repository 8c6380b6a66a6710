//! Every case on real brokers, on the time of the world: what is honest passes, and says so soon.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use workwire::spec::{self, Role};
use workwire_broker::adapter::{AdapterBroker, AdapterOptions, serve};
use workwire_broker::{MemoryBroker, OpenError, Target};
use workwire_conformance::cases;
use workwire_conformance::event::{Ended, Event};
use workwire_conformance::runner::{self, Options};
use workwire_conformance::subject::{Reached, Subject};
use workwire_conformance::verdict::Verdict;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_in_a_file_passes_everything() {
    all_pass(&of_target("sqlite:")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_in_memory_passes_everything() {
    all_pass(&of_target("memory:")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_in_memory_behind_an_adapter_passes_everything() {
    let subject = Subject::shared("memory: behind an adapter", || Box::pin(memory_behind_an_adapter()));
    let ended = all_pass(&subject).await;
    // It claims everything, and is spoken to over the protocol; there is only no machine.
    let of_the_machine = |ended: &&Ended| spec::explain(ended.clauses[0]).unwrap().role() == Role::Host;
    for skipped in ended.iter().filter(|ended| ended.verdict == Verdict::Skipped) {
        assert!(of_the_machine(&skipped), "{}: {}", skipped.id, skipped.reason);
    }
}

fn of_target(target: &'static str) -> Subject {
    Subject::shared(target, move || Box::pin(async move { Ok(Reached::bare(target.parse::<Target>()?.open().await?)) }))
}

async fn memory_behind_an_adapter() -> Result<Reached, OpenError> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let (input, output) = tokio::io::split(far);
    tokio::spawn(serve(Arc::new(MemoryBroker::default()), input, output));
    let (output, input) = tokio::io::split(near);
    let adapter = AdapterBroker::over(output, input, &AdapterOptions::default()).await;
    Ok(Reached::behind(Arc::new(adapter.map_err(|error| OpenError::setup(error.to_string()))?)))
}

async fn all_pass(subject: &Subject) -> Vec<Ended> {
    let start = Instant::now();
    let (events, mut heard) = mpsc::unbounded_channel();
    let options = Options { seed: 1, timeout: Duration::from_mins(2), ..Options::default() };
    runner::run(&cases::all(), subject, &options, events).await.unwrap();
    let (mut ended, mut wrong, mut again) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(event) = heard.recv().await {
        match event {
            Event::CaseEnded(case) => ended.push(*case),
            Event::CaseAgain { id } => again.push(id),
            Event::LeftBehind { what } => wrong.push(format!("left behind: {what}")),
            Event::Misbehaved(finding) => wrong.push(format!("misbehaved: {finding}")),
            Event::Began(_) | Event::CaseBegan { .. } | Event::Ended { .. } => {}
        }
    }
    ended.sort_by_key(|ended| std::cmp::Reverse(ended.duration_ms));
    let slowest: Vec<String> = ended.iter().take(5).map(|e| format!("{} {} ms", e.id, e.duration_ms)).collect();
    println!("{}: {} cases in {:?}", subject.address(), ended.len(), start.elapsed());
    println!("  the slowest: {}; again: {}", slowest.join(", "), again.join(", "));
    assert_eq!(ended.len(), cases::all().len(), "each case ends once");
    let failed = ended.iter().filter(|ended| !matches!(ended.verdict, Verdict::Pass | Verdict::Skipped));
    wrong.extend(failed.map(|ended| format!("{}: {}: {}", ended.id, ended.verdict.as_str(), ended.reason)));
    assert!(wrong.is_empty(), "{}\n{}", subject.address(), wrong.join("\n"));
    ended
}
