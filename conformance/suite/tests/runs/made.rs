//! Runs for tests of reports: one of the suite against a saboteur, and one that is made up, with every
//! verdict and with all that a target should better not say.

use uuid::Uuid;
use workwire_broker::{Capability, Choices, CloseMode, Code, Policy, RetryPlace, Stored};
use workwire_conformance::anomaly::{Anomaly, Kind};
use workwire_conformance::case::{Alone, Case};
use workwire_conformance::event::{Beginning, Ended, Event, Figures, Judged, Limits, Suite};
use workwire_conformance::history::{
    About, Answer, Body, Call, Delivered, FetchCall, History, Number, Operation, Outcome, PublishCall, SettleAs,
    SettleCall,
};
use workwire_conformance::plan::Filter;
use workwire_conformance::reports::{Collector, RunReport};
use workwire_conformance::verdict::{Broken, Verdict};
use workwire_conformance::{cases, runner, saboteurs};

/// Two cases of the suite, each of which one of the saboteurs below fails.
pub(crate) const TWO: [&str; 2] = ["ack/done_never_comes_back", "ack/an_unknown_tag_is_refused"];

/// What a target might say to steer who reads it.
pub(crate) const HOSTILE: &str =
    "</script><script>alert(1)</script><img src=x onerror=alert(2)> \u{1b}[31m\u{202e}gnp & \"q\" 'a' `b` ]]> |";

const fn case(id: &'static str, clauses: &'static [&'static str], needs: &'static [Capability]) -> Case {
    Case { id, clauses, needs, checks: &[], alone: Alone::No, run: |_| Box::pin(std::future::ready(Ok(()))) }
}

/// A made-up suite.
pub(crate) static SUITE: &[Case] = &[
    case("ack/done_never_comes_back", &["ACK-1"], &[]),
    case("ack/an_unknown_tag_is_refused", &["ACK-2"], &[]),
    case("lse/two_never_hold_one_message", &["ACK-1", "ACK-2"], &[Capability::Lease]),
    case("lse/a_lease_ends_in_time", &["ACK-2"], &[Capability::Lease]),
    case("pri/the_most_urgent_comes_first", &["ACK-1"], &[Capability::Priority]),
    case("pri/within_a_priority_first_in_is_first_out", &["ACK-2"], &[Capability::Priority, Capability::Fifo]),
    case("dlq/a_letter_keeps_its_reason", &["CON-5"], &[Capability::DeadLetter]),
    case("dlq/attempts_used_up", &["ACK-1"], &[Capability::DeadLetter]),
    case("ten/a_crafted_name_stays_in_its_tenant", &["ACK-1"], &[Capability::Tenancy]),
    case("exp/what_has_expired_is_not_delivered", &["ACK-1"], &[Capability::Ttl]),
    case("con/every_waiter_wakes", &["WRS-4"], &[Capability::Wait]),
    case("dur/confirmed_survives_a_kill", &["ACK-1"], &[Capability::Durable, Capability::Restart]),
];

/// The cases of the made-up suite.
pub(crate) fn suite() -> Vec<&'static Case> {
    SUITE.iter().collect()
}

/// A broker that says hostile things, and a run of every verdict against it.
pub(crate) fn made() -> Vec<Event> {
    let mut events = vec![Event::Began(beginning("oddmq", "2.4.1-rc.1", SUITE.len()))];
    for case in SUITE {
        events.push(Event::CaseBegan { id: case.id });
        events.push(Event::CaseEnded(Box::new(ended(case))));
    }
    events.push(Event::LeftBehind { what: format!("queue wk1-tasks: {HOSTILE}") });
    events.push(Event::Ended { duration_ms: 12_345, broken_off: false });
    events
}

/// How a run against a broker of this name begins.
pub(crate) fn beginning(name: &str, version: &str, cases: usize) -> Beginning {
    let claims = [
        Capability::Core,
        Capability::Priority,
        Capability::Fifo,
        Capability::Lease,
        Capability::DeadLetter,
        Capability::Ttl,
        Capability::Wait,
        Capability::Durable,
        Capability::Restart,
    ];
    Beginning {
        suite: Suite { name: "workwire-conformance".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        target: Judged {
            address: "exec:python3 oddmq.py --url amqp://guest:secret@localhost/".to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            language: Some("python".to_owned()),
            capabilities: claims.iter().map(|claim| claim.as_str().to_owned()).collect(),
            limits: Some(Limits { max_priority: 10, max_message_bytes: 1_048_576 }),
            choices: Some(Choices { retry_place: RetryPlace::Back, ..Choices::default() }),
        },
        seed: 18_446_744_073_709_551_557,
        started_at: "2026-11-20T12:00:00.000Z".to_owned(),
        cases,
        figures: Figures::default(),
    }
}

fn ended(case: &Case) -> Ended {
    let mut ended = Ended {
        id: case.id,
        clauses: case.clauses,
        must: case.id != "dlq/a_letter_keeps_its_reason",
        verdict: Verdict::Pass,
        reason: String::new(),
        broken: Vec::new(),
        duration_ms: 3 + u64::try_from(case.id.len()).unwrap() * 7,
        history: Some(two_holders()),
        log: String::new(),
        figure: None,
    };
    match case.id {
        "lse/two_never_hold_one_message" => {
            let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002);
            ended.fail(
                "ACK-1",
                Kind::TwoHolders,
                "nobody else while it is held",
                &format!("{id} held by both"),
                &[5, 8],
            );
            ended.log = format!("oddmq: lease of {id} forgotten\n{HOSTILE}\n");
        }
        "pri/the_most_urgent_comes_first" => {
            ended.fail("ACK-1", Kind::PriorityInversion, "priorities [5, 3, 1]", "priorities [1, 3, 5]", &[300, 302]);
            ended.history = Some(busy(900));
            ended.broken.push(broken("ACK-1", Kind::OrderInversion, "first in", HOSTILE, &[700]));
        }
        "dlq/a_letter_keeps_its_reason" => {
            ended.fail("CON-5", Kind::Demand, "the reasons [\"poison\"]", HOSTILE, &[2]);
        }
        "ten/a_crafted_name_stays_in_its_tenant" => {
            ended.verdict = Verdict::Skipped;
            "not claimed: tenancy".clone_into(&mut ended.reason);
            ended.history = None;
        }
        "exp/what_has_expired_is_not_delivered" => {
            ended.verdict = Verdict::Unknown;
            "no margin: an answer by 150.000 ms was needed, and it was 420.118 ms".clone_into(&mut ended.reason);
        }
        "dur/confirmed_survives_a_kill" => {
            ended.verdict = Verdict::SetupFailed;
            ended.reason = format!("amqp://guest:secret@localhost/ refused: {HOSTILE}{}", "x".repeat(1_048_576));
            ended.history = None;
        }
        _ => {}
    }
    ended
}

trait Fails {
    fn fail(&mut self, clause: &str, kind: Kind, expected: &str, found: &str, operations: &[usize]);
}

impl Fails for Ended {
    fn fail(&mut self, clause: &str, kind: Kind, expected: &str, found: &str, operations: &[usize]) {
        self.verdict = Verdict::Fail;
        self.reason = format!("expected {expected}, found {found}");
        self.broken = vec![broken(clause, kind, expected, found, operations)];
    }
}

fn broken(clause: &str, kind: Kind, expected: &str, found: &str, operations: &[usize]) -> Broken {
    let operations = operations.iter().map(|index| Number::of(*index)).collect();
    let (expected, found) = (expected.to_owned(), found.to_owned());
    Broken { clause: clause.to_owned(), anomaly: Anomaly { kind, operations, expected, found, timing: false } }
}

/// Somebody who writes a history by hand.
struct Pen(History);

impl Pen {
    fn new() -> Self {
        Pen(History::new(About { complete: true, stall: 2_000, ..About::default() }))
    }

    fn write(&mut self, client: &str, began: u64, ended: Option<u64>, call: Call, outcome: Outcome) {
        let client = self.0.words_mut().word(client);
        self.0.begin(Operation { client, began, ended, call, outcome });
    }

    fn publish(&mut self, client: &str, began: u64, message: u128, priority: i64) {
        let (queue, id) = (self.0.words_mut().word("tasks"), self.0.words_mut().id(uuid(message)));
        let body = Body::of(&message.to_be_bytes());
        let call = PublishCall::new(queue, id, body, Some(priority));
        self.write(
            client,
            began,
            Some(began + 700),
            Call::Publish(call),
            Outcome::Ok(Answer::Published(Stored::Stored)),
        );
    }

    fn fetch(&mut self, client: &str, began: u64, took: u64, message: Option<(u128, i64, u32)>) {
        let words = self.0.words_mut();
        let queue = words.word("tasks");
        let deliveries = message.map(|(message, priority, attempt)| Delivered {
            tag: words.word(&format!("{client}-{message}")),
            id: words.id(uuid(message)),
            body: Body::of(&message.to_be_bytes()),
            priority,
            attempt,
        });
        let call = FetchCall { queue, max: 1, wait_ms: 500, group: None, recipient: None, only: None };
        let answer = Answer::Deliveries(deliveries.into_iter().collect());
        self.write(client, began, Some(began + took), Call::Fetch(call), Outcome::Ok(answer));
    }

    fn settle(&mut self, client: &str, began: u64, message: u128, outcome: Option<(Code, &str)>) {
        let words = self.0.words_mut();
        let (queue, tag) = (words.word("tasks"), words.word(&format!("{client}-{message}")));
        let outcome = outcome.map_or(Outcome::Ok(Answer::Done), |(code, why)| Outcome::Refused(code, words.word(why)));
        let call = SettleCall { queue, tag, verdict: SettleAs::Done, reason: None };
        self.write(client, began, Some(began + 300), Call::Settle(call), outcome);
    }
}

fn uuid(message: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + message)
}

/// Two workers hold one message, a third never gets an answer.
fn two_holders() -> History {
    let mut pen = Pen::new();
    let queue = pen.0.words_mut().word("tasks");
    let policy = Box::new(Policy { lease_ms: 200, ..Policy::default() });
    pen.write("setup", 0, Some(1_200), Call::Declare(queue, policy), Outcome::Ok(Answer::Done));
    pen.write("worker-1", 1_300, Some(1_700), Call::Open, Outcome::Ok(Answer::Done));
    pen.write("worker-2", 1_350, Some(1_900), Call::Open, Outcome::Ok(Answer::Done));
    pen.publish("producer", 2_000, 1, 3);
    pen.publish("producer", 2_900, 2, 3);
    pen.fetch("worker-1", 4_000, 2_100, Some((2, 3, 1)));
    pen.fetch("worker-2", 4_100, 1_600, Some((1, 3, 1)));
    pen.settle("worker-2", 7_000, 1, None);
    pen.fetch("worker-2", 9_000, 90_000, Some((2, 3, 1)));
    let why = pen.0.words_mut().word("it never ended");
    let call = FetchCall { queue, max: 10, wait_ms: 5_000, group: None, recipient: None, only: None };
    pen.write("worker-<3>-of-a-long-name", 9_500, None, Call::Fetch(call), Outcome::Indefinite(why));
    pen.settle("worker-1", 240_000, 2, Some((Code::Stale, HOSTILE)));
    pen.settle("worker-2", 251_000, 2, None);
    pen.write("worker-1", 252_000, Some(252_400), Call::Close(CloseMode::Graceful), Outcome::Ok(Answer::Done));
    pen.0
}

/// Many operations, of four clients.
fn busy(operations: u64) -> History {
    let mut pen = Pen::new();
    for number in 0..operations {
        let client = format!("client-{}", number % 4);
        let at = number * 800;
        match number % 3 {
            0 => pen.publish(&client, at, u128::from(number), 1 + i64::try_from(number % 5).unwrap()),
            1 => pen.fetch(&client, at, 2_500, Some((u128::from(number - 1), 3, 1))),
            _ => pen.settle(&client, at, u128::from(number - 2), None),
        }
    }
    pen.0
}

/// What these events come to.
pub(crate) fn collected(suite: Vec<&'static Case>, events: &[Event]) -> RunReport {
    let mut collector = Collector::of(suite);
    for event in events {
        collector.take(event);
    }
    collector.report().expect("it began")
}

/// Two cases of the suite against the saboteur of a name; against an honest broker where it has none.
pub(crate) fn ran(saboteur: Option<&str>) -> Vec<Event> {
    let subject = match saboteur {
        Some(name) => saboteurs::all().into_iter().find(|one| one.name == name).expect("there is one").subject(),
        None => workwire_conformance::selftest::honest(),
    };
    let filter = Filter { only: TWO.map(str::to_owned).to_vec(), skip: Vec::new() };
    let options = runner::Options { filter, seed: 7, jobs: 2, ..runner::Options::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    runtime.block_on(runner::run(&cases::all(), &subject, &options, sender)).expect("it can be reached");
    let mut events = Vec::new();
    while let Ok(event) = receiver.try_recv() {
        events.push(event);
    }
    events
}
