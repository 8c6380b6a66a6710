//! A run that is broken off: what runs is cut short, cleaned away, and not judged.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use workwire_broker::{Answer, Broker, MemoryBroker, Policy, Queue};
use workwire_conformance::Case;
use workwire_conformance::case::{Alone, Stage, Stop};
use workwire_conformance::event::Event;
use workwire_conformance::runner::{self, Brake, Options};
use workwire_conformance::saboteurs::{Defect, Inner, Layered};
use workwire_conformance::subject::{Reached, Subject};

/// No case is waited for that long.
const SOON: Duration = Duration::from_secs(20);

const fn endless(id: &'static str, alone: Alone) -> Case {
    Case { id, clauses: &["ACK-1"], needs: &[], checks: &[], alone, run: |stage| Box::pin(never_through(stage)) }
}

static CASES: [Case; 3] =
    [endless("ack/one", Alone::No), endless("ack/other", Alone::No), endless("ack/alone", Alone::Yes)];

async fn never_through(stage: &mut Stage) -> Result<(), Stop> {
    stage.queue("tasks", &Policy::default()).await?;
    stage.pass(3_600_000).await;
    Ok(())
}

/// Changes nothing, and keeps in mind which queues there are.
#[derive(Default)]
struct Ledger {
    there: Mutex<Vec<Queue>>,
    ever: Mutex<usize>,
}

impl Defect for Ledger {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.there.lock().unwrap().push(queue.clone());
        *self.ever.lock().unwrap() += 1;
        inner.client.declare(queue, policy)
    }

    fn delete<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, ()> {
        self.there.lock().unwrap().retain(|there| there != queue);
        inner.client.delete(queue)
    }
}

struct Running {
    ledger: Arc<Ledger>,
    events: mpsc::UnboundedReceiver<Event>,
    brake: Brake,
    run: tokio::task::JoinHandle<()>,
}

fn start() -> Running {
    let ledger = Arc::new(Ledger::default());
    let broker = Layered::new(Arc::new(MemoryBroker::default()), Arc::clone(&ledger) as Arc<dyn Defect>);
    let broker: Arc<dyn Broker> = Arc::new(broker);
    let subject = Subject::shared("ledger:", move || {
        let broker = Arc::clone(&broker);
        Box::pin(async move { Ok(Reached::bare(broker)) })
    });
    let options = Options { seed: 1, ..Options::default() };
    let brake = options.brake.clone();
    let (sender, events) = mpsc::unbounded_channel();
    let run = tokio::spawn(async move {
        let cases: Vec<&'static Case> = CASES.iter().collect();
        runner::run(&cases, &subject, &options, sender).await.unwrap();
    });
    Running { ledger, events, brake, run }
}

impl Running {
    /// Waits until both cases that run side by side have their queues.
    async fn is_under_way(&self) {
        let both = async {
            while *self.ledger.ever.lock().unwrap() < 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(SOON, both).await.expect("two cases begin");
        assert_eq!(self.ledger.there.lock().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_pulled_brake_cuts_running_cases_short_and_cleans_them_away() {
    let mut running = start();
    running.is_under_way().await;
    running.brake.pull();
    timeout(SOON, &mut running.run).await.expect("it ends").unwrap();
    assert_eq!(*running.ledger.there.lock().unwrap(), []);
    assert_eq!(*running.ledger.ever.lock().unwrap(), 2, "the case that runs alone is not begun");
    let mut told = Vec::new();
    while let Ok(event) = running.events.try_recv() {
        told.push(event);
    }
    assert!(!told.iter().any(|event| matches!(event, Event::CaseEnded(_))), "what was cut short is not judged");
    assert!(matches!(told.last(), Some(Event::Ended { broken_off: true, .. })), "{told:?}");
}

#[tokio::test]
async fn whoever_stops_listening_breaks_it_off_as_well() {
    let mut running = start();
    running.is_under_way().await;
    drop(running.events);
    timeout(SOON, &mut running.run).await.expect("it ends").unwrap();
    assert_eq!(*running.ledger.there.lock().unwrap(), []);
}

#[tokio::test]
async fn a_broker_that_is_never_reached_can_be_broken_off_too() {
    let subject = Subject::shared("nowhere:", || Box::pin(std::future::pending()));
    let options = Options::default();
    options.brake.pull();
    let (sender, mut events) = mpsc::unbounded_channel();
    timeout(SOON, runner::run(&[], &subject, &options, sender)).await.expect("it ends").unwrap();
    assert!(matches!(events.recv().await, Some(Event::Ended { broken_off: true, .. })));
}

#[tokio::test]
async fn a_case_that_panics_is_told_and_ends_no_other() {
    static CASES: [Case; 2] = [
        Case { run: |_| Box::pin(async { panic!("on purpose") }), ..endless("ack/beside", Alone::No) },
        Case { run: |_| Box::pin(async { panic!("on purpose") }), ..endless("ack/alone", Alone::Yes) },
    ];
    let broker: Arc<dyn Broker> = Arc::new(MemoryBroker::default());
    let subject = Subject::shared("memory:", move || {
        let broker = Arc::clone(&broker);
        Box::pin(async move { Ok(Reached::bare(broker)) })
    });
    let (sender, mut events) = mpsc::unbounded_channel();
    let cases: Vec<&'static Case> = CASES.iter().collect();
    runner::run(&cases, &subject, &Options::default(), sender).await.unwrap();
    let mut told = Vec::new();
    while let Some(event) = events.recv().await {
        if let Event::CaseEnded(ended) = event {
            told.push((ended.id, ended.verdict.as_str(), ended.reason));
        }
    }
    let why = "the case panicked: a defect of the suite".to_owned();
    assert_eq!(told, [("ack/beside", "unknown", why.clone()), ("ack/alone", "unknown", why)]);
}
