//! The walls between the modules: who may import whom.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "../../../tests/walls/imports.rs"]
mod imports;

use std::collections::{BTreeMap, BTreeSet};

use imports::{imports, sources};

/// Each module and those that it may import, each of which stands before it, but for those of [`BACK`]:
/// a case knows no driver, a checker only the history, a report no runner.
const MODULES: &[(&str, &str)] = &[
    ("history", "demand"),
    ("demand", "history"),
    ("anomaly", "history"),
    ("verdict", "anomaly"),
    ("checkers", "anomaly history"),
    ("recorder", "demand history"),
    ("host", "subject"),
    ("judge", "anomaly cases checkers demand history verdict"),
    ("case", "demand history host judge recorder"),
    ("cases", "case checkers demand history host judge recorder"),
    ("subject", "case host"),
    ("plan", "case host subject"),
    ("event", "history verdict"),
    ("runner", "case event history host judge plan recorder subject verdict"),
    ("check", "cases event runner subject verdict"),
    ("between", "subject"),
    ("saboteurs", "between host oddities subject"),
    ("oddities", "between case saboteurs subject"),
    ("trivial", "between oddities saboteurs subject"),
    ("selftest", "anomaly case cases oddities runner saboteurs subject trivial verdict"),
    ("codec", "anomaly case event runner selftest verdict"),
    ("profiles", "case plan verdict"),
    ("reports", "case cases codec event history plan profiles selftest verdict"),
];

/// Imports of what stands behind, and why.
const BACK: &[(&str, &str, &str)] = &[
    ("history", "demand", "what is demanded stands in the history, as data"),
    ("host", "subject", "a machine starts what is reached as any subject is"),
    ("judge", "cases", "a history that was saved names its case"),
    ("saboteurs", "oddities", "both are spoken to through the adapter protocol, in process"),
];

fn found() -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        all.entry(source.module().to_owned()).or_default().extend(imports(&source));
    }
    all
}

#[test]
fn every_import_is_in_the_table_and_every_word_of_the_table_is_an_import() {
    let table: BTreeMap<String, BTreeSet<String>> = MODULES
        .iter()
        .map(|(module, imports)| ((*module).to_owned(), imports.split_whitespace().map(str::to_owned).collect()))
        .collect();
    for (module, imports) in found() {
        let allowed = table.get(&module).unwrap_or_else(|| panic!("{module} is not in the table"));
        assert_eq!(&imports, allowed, "{module} imports what is left, and the table allows what is right");
    }
    assert!(table.keys().eq(found().keys()), "the table names a module that is none");
}

#[test]
fn a_module_imports_what_stands_before_it() {
    let place = |name: &str| MODULES.iter().position(|(module, _)| *module == name).unwrap();
    let mut back = Vec::new();
    for (module, imports) in MODULES {
        for import in imports.split_whitespace().filter(|import| place(import) > place(module)) {
            back.push((*module, import));
        }
    }
    let known: Vec<(&str, &str)> = BACK.iter().map(|(module, import, _)| (*module, *import)).collect();
    assert_eq!(back, known, "each with its reason");
}

#[test]
fn only_reports_of_the_terminal_know_a_terminal_and_the_runner_prints_nothing() {
    for source in sources() {
        for word in ["println!", "eprintln!", "print!(", "process::exit"] {
            assert!(!source.code().contains(word), "{}: {word}", source.path());
        }
    }
}
