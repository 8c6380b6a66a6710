//! How cases are run: side by side, each in a namespace and a time of its own, and told of in order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use workwire_broker::adapter::{AdapterBroker, AdapterOptions, FindingKind};
use workwire_broker::{
    About, Answer, Broker, BrokerError, Capabilities, Capability, Fetch, MemoryBroker, OpenError, Policy, Queue,
};
use workwire_conformance::Case;
use workwire_conformance::case::{Alone, Run, Stage, Stop};
use workwire_conformance::demand::Expectation;
use workwire_conformance::event::{Ended, Event};
use workwire_conformance::runner::{self, Options};
use workwire_conformance::saboteurs::{Defect, Inner, Layered};
use workwire_conformance::subject::{Reached, Subject};
use workwire_conformance::verdict::Verdict;

const fn case(id: &'static str, run: fn(&mut Stage) -> Run<'_>) -> Case {
    Case { id, clauses: &["ACK-1"], needs: &[], checks: &[], alone: Alone::No, run }
}

/// The only message of its queue, of the name that every case uses.
async fn has_a_queue_for_itself(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy::default()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("mine");
    stage.publish(&worker, &queue, &message).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(9), 1).await;
    stage.demand("ACK-1", &told, Expectation::shows(message.id));
    Ok(())
}

const BESIDE: [Case; 6] = [
    case("t/one", |stage| Box::pin(has_a_queue_for_itself(stage))),
    case("t/two", |stage| Box::pin(has_a_queue_for_itself(stage))),
    case("t/three", |stage| Box::pin(has_a_queue_for_itself(stage))),
    case("t/four", |stage| Box::pin(has_a_queue_for_itself(stage))),
    case("t/five", |stage| Box::pin(has_a_queue_for_itself(stage))),
    Case { alone: Alone::Yes, ..case("t/alone", |stage| Box::pin(has_a_queue_for_itself(stage))) },
];

static GOOD: [Case; 6] = BESIDE;

/// Never comes to its end.
static ENDLESS: Case = case("t/endless", |stage| {
    Box::pin(async move {
        stage.queue("left", &Policy::default()).await?;
        std::future::pending().await
    })
});

/// Wants an answer within a time that is too short unless it is four times as long.
static HASTY: Case = case("t/hasty", |stage| {
    Box::pin(async move {
        let queue = stage.queue("tasks", &Policy::default()).await?;
        let worker = stage.client("worker").await?;
        let told = worker.depth(&queue, None).await;
        stage.pass(60).await;
        let late = worker.depth(&queue, None).await;
        stage.demand("ACK-1", &late, Expectation::By { moment: told.after_answer(stage.ms(30)) });
        Ok(())
    })
});

/// Demands what is not so, whatever the time.
static WRONG: Case = case("t/wrong", |stage| {
    Box::pin(async move {
        let queue = stage.queue("tasks", &Policy::default()).await?;
        let worker = stage.client("worker").await?;
        stage.demand("ACK-1", &worker.depth(&queue, None).await, Expectation::ready(7));
        Ok(())
    })
});

static PANICS: Case = case("t/panics", |_| Box::pin(async { panic!("a defect of the suite") }));

static NEEDS: Case = Case { needs: &[Capability::Ttl, Capability::Groups], ..BESIDE[0] };

fn memory() -> Subject {
    of(|| Arc::new(MemoryBroker::default()))
}

/// One broker for all cases, on the time of the world.
fn of(make: fn() -> Arc<dyn Broker>) -> Subject {
    let reach = move || Reached::bare(make());
    Subject::shared("test:", move || Box::pin(std::future::ready(Ok(reach()))))
}

async fn run(cases: &[&'static Case], subject: &Subject, options: &Options) -> Vec<Event> {
    let (events, mut heard) = mpsc::unbounded_channel();
    runner::run(cases, subject, options, events).await.unwrap();
    let mut all = Vec::new();
    while let Some(event) = heard.recv().await {
        all.push(event);
    }
    all
}

fn ended(events: &[Event]) -> Vec<&Ended> {
    let ended = events.iter().filter_map(|event| match event {
        Event::CaseEnded(ended) => Some(&**ended),
        _ => None,
    });
    ended.collect()
}

fn only(events: &[Event]) -> &Ended {
    let [one] = ended(events)[..] else { panic!("one case was to end, and not {:?}", events.len()) };
    one
}

fn again(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::CaseAgain { .. })).count()
}

fn left(events: &[Event]) -> Vec<&str> {
    let left = events.iter().filter_map(|event| match event {
        Event::LeftBehind { what } => Some(what.as_str()),
        _ => None,
    });
    left.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cases_side_by_side_have_names_of_their_own() {
    let broker = Arc::new(MemoryBroker::default());
    let shared: Arc<dyn Broker> = broker.clone();
    let subject = Subject::shared("memory:", move || {
        let reached = Reached::bare(Arc::clone(&shared));
        Box::pin(std::future::ready(Ok(reached)))
    });
    let events = run(&GOOD.iter().collect::<Vec<_>>(), &subject, &Options::default()).await;
    let all = ended(&events);
    assert_eq!(all.len(), GOOD.len());
    for case in all {
        assert_eq!((case.verdict, case.reason.as_str()), (Verdict::Pass, ""), "{}", case.id);
    }
    assert_eq!(left(&events), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_in_their_order() {
    let mut cases: Vec<&'static Case> = GOOD.iter().collect();
    cases.push(&NEEDS);
    let some = || -> Arc<dyn Broker> { Arc::new(Layered::new(Arc::new(MemoryBroker::default()), Arc::new(CoreOnly))) };
    let events = run(&cases, &of(some), &Options { seed: 7, ..Options::default() }).await;
    let Some(Event::Began(began)) = events.first() else { panic!("it begins with the beginning") };
    assert_eq!((began.seed, began.cases, began.target.capabilities.len()), (7, 7, 1));
    assert!(matches!(events.last(), Some(Event::Ended { broken_off: false, .. })), "it ends with the end");
    let mut open: Vec<&str> = Vec::new();
    let mut most = 0;
    for event in &events {
        match event {
            Event::CaseBegan { id } => {
                assert!(*id != "t/alone" || open.is_empty(), "beside it runs {open:?}");
                open.push(id);
                most = most.max(open.len());
            }
            Event::CaseEnded(ended) if ended.verdict == Verdict::Skipped => {
                assert_eq!((ended.id, ended.reason.as_str()), (NEEDS.id, "not claimed: ttl, groups"));
                assert!(ended.history.is_none());
            }
            Event::CaseEnded(ended) => {
                let place = open.iter().position(|id| *id == ended.id).expect("it began before");
                open.remove(place);
                assert_eq!(ended.history.as_ref().unwrap().about.case.as_deref(), Some(ended.id));
            }
            _ => {}
        }
    }
    assert!(open.is_empty() && most >= 1, "{open:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_that_does_not_end_is_ended_and_cleaned_up_after() {
    let options = Options { timeout: Duration::from_millis(100), ..Options::default() };
    let events = run(&[&ENDLESS], &memory(), &options).await;
    let case = only(&events);
    assert_eq!(case.verdict, Verdict::Unknown);
    assert!(case.reason.contains("not through"), "{}", case.reason);
    assert_eq!(left(&events), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_only_the_time_was_wrong_it_runs_again_with_more() {
    let events = run(&[&HASTY], &memory(), &Options::default()).await;
    assert_eq!(only(&events).verdict, Verdict::Pass, "{}", only(&events).reason);
    assert!((1..=2).contains(&again(&events)), "{} times again", again(&events));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_more_than_the_time_was_wrong_it_does_not() {
    let events = run(&[&WRONG], &memory(), &Options::default()).await;
    assert_eq!((only(&events).verdict, again(&events)), (Verdict::Fail, 0));
    let broken = &only(&events).broken[0];
    assert_eq!((broken.clause.as_str(), broken.anomaly.operations.len()), ("ACK-1", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_that_panics_is_told_of_and_the_others_run() {
    let events = run(&[&PANICS, &GOOD[0], &GOOD[1]], &memory(), &Options::default()).await;
    let mut all: Vec<(&str, Verdict)> = ended(&events).iter().map(|ended| (ended.id, ended.verdict)).collect();
    all.sort_unstable();
    assert_eq!(all, [("t/one", Verdict::Pass), ("t/panics", Verdict::Unknown), ("t/two", Verdict::Pass)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_removed_is_named() {
    let some = || -> Arc<dyn Broker> { Arc::new(Layered::new(Arc::new(MemoryBroker::default()), Arc::new(CoreOnly))) };
    let events = run(&[&GOOD[0]], &of(some), &Options::default()).await;
    assert_eq!(only(&events).verdict, Verdict::Pass);
    let left = left(&events);
    assert!(left.len() == 1 && left[0].contains("tasks: it was emptied, and cannot be deleted"), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adapter_that_ends_badly_is_told_of() {
    let script = r#"n=0
        while read -r line; do
            n=$((n + 1))
            case $line in
                *'"initialize"'*) r='{"contract":"1","name":"sh","version":"0","capabilities":["core"]}' ;;
                *) r='{}' ;;
            esac
            echo "{\"jsonrpc\":\"2.0\",\"id\":$n,\"result\":$r}"
            case $line in *'"shutdown"'*) exit 3 ;; esac
        done"#;
    let subject = Subject::shared("exec:sh", move || {
        Box::pin(async move {
            let command = ["sh", "-c", script].map(str::to_owned);
            let started = AdapterBroker::start(&command, &AdapterOptions::default()).await;
            Ok(Reached::behind(Arc::new(started.map_err(|error| OpenError::setup(error.to_string()))?)))
        })
    });
    let events = run(&[], &subject, &Options::default()).await;
    let found = events.iter().filter_map(|event| match event {
        Event::Misbehaved(finding) => Some(finding.kind),
        _ => None,
    });
    assert_eq!(found.collect::<Vec<_>>(), [FindingKind::BadExit]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stops_listening_breaks_it_off() {
    let (events, heard) = mpsc::unbounded_channel();
    drop(heard);
    let all: Vec<&'static Case> = GOOD.iter().chain([&ENDLESS]).collect();
    let (subject, options) = (memory(), Options::default());
    let running = runner::run(&all, &subject, &options, events);
    tokio::time::timeout(Duration::from_mins(1), running).await.expect("nobody waits for what nobody hears").unwrap();
}

#[tokio::test]
async fn a_broker_that_cannot_be_reached_is_no_run() {
    let subject = Subject::shared("test:", || Box::pin(std::future::ready(Err(OpenError::setup("nobody is there")))));
    let (events, mut heard) = mpsc::unbounded_channel();
    let error = runner::run(&[&GOOD[0]], &subject, &Options::default(), events).await.unwrap_err();
    assert_eq!(error.to_string(), "nobody is there");
    assert!(heard.recv().await.is_none());
}

/// Claims the core alone, and cannot delete.
struct CoreOnly;

impl Defect for CoreOnly {
    fn about(&self, about: About) -> About {
        About { capabilities: Capabilities::CORE, ..about }
    }

    fn delete<'a>(&'a self, _: &'a Inner, _: &'a Queue) -> Answer<'a, ()> {
        Box::pin(async { Err(BrokerError::unsupported("delete")) })
    }
}
