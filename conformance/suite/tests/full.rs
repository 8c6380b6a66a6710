//! Runs with the protocol's own times: what shows only then, and that honest brokers pass them too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::sync::Arc;

use tokio::sync::mpsc;
use workwire_broker::{AgentState, Answer, MemoryBroker, Policy, Queue};
use workwire_conformance::event::{Ended, Event, Figures};
use workwire_conformance::history::History;
use workwire_conformance::plan::{FIGURES, Filter};
use workwire_conformance::runner::{self, Options};
use workwire_conformance::saboteurs::{Defect, Inner, Layered};
use workwire_conformance::subject::Subject;
use workwire_conformance::verdict::Verdict;
use workwire_conformance::{cases, oddities, selftest};

/// A broker that is honest for as long as nobody waits, as some engines are.
#[derive(Debug, Clone, Copy)]
enum Short {
    /// No lease is longer than two minutes.
    Lease,
    /// No id is remembered for more than two minutes.
    Window,
    /// No rest is longer than ten seconds.
    Rest,
    /// Where no time is named, who was silent for a minute is offline.
    Silence,
}

impl Defect for Short {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        let mut policy = policy.clone();
        match self {
            Short::Lease => policy.lease_ms = policy.lease_ms.min(120_000),
            Short::Window => policy.dedupe_ms = policy.dedupe_ms.min(120_000),
            Short::Rest => policy.backoff_ms.iter_mut().for_each(|rest| *rest = (*rest).min(10_000)),
            Short::Silence => {}
        }
        Box::pin(async move { inner.client.declare(queue, &policy).await })
    }

    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        let named = match self {
            Short::Silence => offline_after_ms.or(Some(60_000)),
            _ => offline_after_ms,
        };
        Box::pin(async move { inner.client.agents(named, tenant).await })
    }
}

fn short(what: Short) -> Subject {
    Subject::on_paused_time("memory:", move || {
        Arc::new(Layered::new(Arc::new(MemoryBroker::default()), Arc::new(what)))
    })
}

fn of_figures(full: bool) -> Options {
    let only = FIGURES.iter().map(|figure| figure.case.to_owned()).collect();
    Options { filter: Filter { only, skip: Vec::new() }, full, seed: 7, jobs: 2, ..Options::default() }
}

fn ran(subject: &Subject, options: &Options) -> Vec<Event> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (sender, mut told) = mpsc::unbounded_channel();
    runtime.block_on(runner::run(&cases::all(), subject, options, sender)).unwrap();
    std::iter::from_fn(|| told.try_recv().ok()).collect()
}

fn ended(events: Vec<Event>) -> Vec<Ended> {
    let ended = events.into_iter().filter_map(|event| match event {
        Event::CaseEnded(ended) => Some(*ended),
        _ => None,
    });
    ended.collect()
}

fn failed(subject: &Subject, full: bool) -> Vec<&'static str> {
    let mut failed: Vec<&str> = ended(ran(subject, &of_figures(full)))
        .into_iter()
        .inspect(|ended| assert!(matches!(ended.verdict, Verdict::Pass | Verdict::Fail), "{}", ended.reason))
        .filter(|ended| ended.verdict == Verdict::Fail)
        .inspect(|ended| assert!(ended.reason.starts_with("with "), "it says with what: {}", ended.reason))
        .map(|ended| ended.id)
        .collect();
    failed.sort_unstable();
    failed
}

#[test]
fn what_shows_only_after_minutes_is_seen_with_the_protocols_own_times_alone() {
    for (what, cases) in [
        (Short::Lease, &["lse/never_before_the_lease_ends"][..]),
        (Short::Window, &["dup/a_duplicate_prolongs_nothing", "dup/known_until_the_window_is_over"]),
        (Short::Rest, &["dly/a_rest_after_a_failure"]),
        (Short::Silence, &["prs/three_minutes_where_nothing_is_said"]),
    ] {
        assert_eq!(failed(&short(what), false), [""; 0], "{what:?}: nothing shows in short times");
        assert_eq!(failed(&short(what), true), cases, "{what:?}");
    }
}

#[test]
fn honest_brokers_pass_them_and_each_case_is_told_once() {
    let honest = oddities::all().into_iter().map(|oddity| (oddity.name, oddity.subject()));
    for (name, subject) in honest.chain([("memory", selftest::honest())]) {
        let ended = ended(ran(&subject, &of_figures(true)));
        assert_eq!(ended.len(), FIGURES.len(), "{name}");
        for ended in ended {
            assert!(
                matches!(ended.verdict, Verdict::Pass | Verdict::Skipped),
                "{name}: {}: {}",
                ended.id,
                ended.reason
            );
            assert_eq!(ended.figure.is_some(), ended.verdict == Verdict::Pass, "{name}: {}", ended.id);
        }
    }
}

/// The figure stands in the history, and the case takes as long as it is said to.
#[test]
fn a_figure_is_what_it_is_said_to_be() {
    for ended in ended(ran(&selftest::honest(), &of_figures(true))) {
        let figure = FIGURES.iter().find(|figure| figure.case == ended.id).unwrap();
        assert_eq!(ended.figure, Some(figure.words));
        let history = ended.history.unwrap();
        let mut text = Vec::new();
        history.write(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lasted_s = lasted(&history).div_ceil(1_000_000);
        let says_it = text.contains(&figure.ms.to_string()) || lasted_s * 1_000 >= u64::try_from(figure.ms).unwrap();
        assert!(says_it, "{}: {} ms", ended.id, figure.ms);
        assert!(lasted_s <= u64::from(figure.lasts_s) + 1, "{}: it took {lasted_s} s", ended.id);
        assert!(lasted_s + 20 >= u64::from(figure.lasts_s), "{}: it took {lasted_s} s", ended.id);
    }
}

/// In microseconds, from the first operation's beginning to the last one's end.
fn lasted(history: &History) -> u64 {
    let ends = history.operations().iter().filter_map(|operation| operation.ended);
    ends.max().unwrap_or(0) - history.operations().first().map_or(0, |operation| operation.began)
}

#[test]
fn how_long_it_takes_is_said_before_it_does() {
    let told = |subject: &Subject, full| match ran(subject, &of_figures(full)).into_iter().next() {
        Some(Event::Began(beginning)) => beginning.figures,
        other => panic!("{other:?}"),
    };
    assert_eq!(told(&selftest::honest(), false), Figures::default());
    let on_paused_time = told(&selftest::honest(), true);
    assert_eq!(on_paused_time, Figures { cases: FIGURES.len(), wait_ms: 0 });
}
