//! The suite against its saboteurs. `WORKWIRE_AREA=pri` takes only the cases of one area, and the
//! saboteurs that break a clause of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test")]

use std::collections::BTreeSet;

use workwire::spec::{self, Role};
use workwire_conformance::{cases, saboteurs, selftest};

#[test]
fn every_case_can_fail_and_every_saboteur_is_caught() {
    let area = std::env::var("WORKWIRE_AREA").unwrap_or_default().to_ascii_uppercase();
    let wanted = |clause: &str| area.is_empty() || clause.starts_with(&format!("{area}-"));
    let all = cases::all();
    let of_area: Vec<_> = all.iter().copied().filter(|case| case.clauses.iter().any(|c| wanted(c))).collect();
    let saboteurs: Vec<_> =
        saboteurs::all().into_iter().filter(|saboteur| saboteur.breaks.iter().any(|c| wanted(c))).collect();
    // A saboteur must spare the other cases, so all are run.
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let matrix = selftest::run(&all, &saboteurs, 1, threads);
    let bound: Vec<&str> = spec::clauses()
        .iter()
        .filter(|clause| matches!(clause.role(), Role::Broker | Role::Adapter) && wanted(clause.id()))
        .map(spec::Clause::id)
        .collect();
    let shortfalls = matrix.shortfalls(&of_area, &bound);
    for column in &matrix.columns {
        let caught: Vec<&str> = column.caught_by().map(|cell| cell.case).collect();
        println!("{:40} {}", column.name, caught.join(" "));
    }
    println!("{} clauses, {} cases, {} saboteurs", bound.len(), of_area.len(), saboteurs.len());
    let text: Vec<String> = shortfalls.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "\n{}", text.join("\n"));
}

/// Whoever runs one by its name gets the one that he means.
#[test]
fn no_two_saboteurs_bear_one_name() {
    let mut seen = BTreeSet::new();
    for saboteur in saboteurs::all() {
        assert!(seen.insert(saboteur.name), "two are named {}", saboteur.name);
    }
}
