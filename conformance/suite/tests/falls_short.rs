//! The proof that cases can fail can fail itself: each way in which it falls short is seen.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::sync::Arc;

use workwire_broker::{Answer, BrokerError, CloseMode, Depth, Queue};
use workwire_conformance::Case;
use workwire_conformance::case::{Alone, Run, Stage, Stop};
use workwire_conformance::demand::Expectation;
use workwire_conformance::saboteurs::{Defect, Inner, Saboteur};
use workwire_conformance::selftest::{self, Shortfall};

const fn case(id: &'static str, run: fn(&mut Stage) -> Run<'_>) -> Case {
    Case { id, clauses: &["OBS-1"], needs: &[], checks: &[], alone: Alone::No, run }
}

/// Publishes one, and counts one.
static COUNTS: Case = case("t/counts", |stage| Box::pin(counts(stage)));

async fn counts(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let ada = stage.client("ada").await?;
    let message = stage.message("one");
    stage.publish(&ada, &queue, &message).await?;
    stage.demand("OBS-1", &ada.depth(&queue, None).await, Expectation::ready(1));
    Ok(())
}

/// Counts what nobody published.
static COUNTS_NOTHING: Case = case("t/counts_nothing", |stage| {
    Box::pin(async move {
        let queue = stage.queue("tasks", &stage.policy()).await?;
        let ada = stage.client("ada").await?;
        stage.demand("OBS-1", &ada.depth(&queue, None).await, Expectation::ready(0));
        Ok(())
    })
});

/// Does something, and demands nothing.
static DEMANDS_NOTHING: Case = case("t/demands_nothing", |stage| {
    Box::pin(async move {
        let ada = stage.client("ada").await?;
        stage.need(ada.close(CloseMode::Graceful).await)?;
        Ok(())
    })
});

static MISCOUNTS: Saboteur =
    Saboteur { name: "miscounts", breaks: &["OBS-1"], about: "counts one too many", make: || Arc::new(Miscounts) };

static REFUSES_TO_COUNT: Saboteur = Saboteur {
    name: "refuses_to_count",
    breaks: &["OBS-2"],
    about: "breaks another clause than it says",
    make: || Arc::new(RefusesToCount),
};

struct Miscounts;

impl Defect for Miscounts {
    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            let depth = inner.client.depth(queue, group).await?;
            Ok(Depth { ready: depth.ready + 1, ..depth })
        })
    }
}

struct RefusesToCount;

impl Defect for RefusesToCount {
    fn depth<'a>(&'a self, _: &'a Inner, _: &'a Queue, _: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async { Err(BrokerError::forbidden("not today")) })
    }
}

fn shortfalls(cases: &[&'static Case], saboteurs: &[&'static Saboteur], clauses: &[&str]) -> Vec<Shortfall> {
    selftest::run(cases, saboteurs, 1, 2).shortfalls(cases, clauses)
}

fn names(shortfalls: &[Shortfall]) -> Vec<String> {
    shortfalls.iter().map(ToString::to_string).collect()
}

#[test]
fn a_case_that_is_right_and_can_fail_leaves_nothing_to_be_desired() {
    assert_eq!(names(&shortfalls(&[&COUNTS], &[&MISCOUNTS], &["OBS-1"])), [""; 0]);
}

#[test]
fn a_clause_without_a_case_is_named() {
    assert_eq!(names(&shortfalls(&[&COUNTS], &[&MISCOUNTS], &["OBS-1", "OBS-9"])), ["OBS-9: no case"]);
}

#[test]
fn a_case_that_no_saboteur_fails_is_named() {
    assert_eq!(names(&shortfalls(&[&COUNTS], &[], &[])), ["t/counts: fails no saboteur"]);
}

#[test]
fn a_case_that_passes_on_who_does_nothing_is_named() {
    let all = shortfalls(&[&COUNTS_NOTHING], &[&MISCOUNTS], &[]);
    assert_eq!(names(&all), ["t/counts_nothing: passes on agreeing_adapter, which does nothing"]);
}

#[test]
fn a_case_that_demands_nothing_is_no_pass_for_anybody() {
    let all = shortfalls(&[&DEMANDS_NOTHING], &[], &[]);
    assert!(all.contains(&Shortfall::PassesNobody { case: "t/demands_nothing".to_owned() }), "{:?}", names(&all));
    let cries = all.iter().filter(|shortfall| matches!(shortfall, Shortfall::CriesWolf { .. })).count();
    assert!(cries > 12, "none of the honest passes it: {:?}", names(&all));
}

#[test]
fn a_saboteur_that_breaks_what_it_does_not_say_is_named() {
    let all = shortfalls(&[&COUNTS], &[&MISCOUNTS, &REFUSES_TO_COUNT], &[]);
    let [Shortfall::Escapes { saboteur }, Shortfall::BreaksEverything { saboteur: same, pass: 0, of: 1, .. }] =
        &all[..]
    else {
        panic!("{:?}", names(&all))
    };
    assert_eq!((saboteur.as_str(), same.as_str()), ("refuses_to_count", "refuses_to_count"));
}
