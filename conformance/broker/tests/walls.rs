//! The walls between the modules: who may import whom.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "../../../tests/walls/imports.rs"]
mod imports;

use std::collections::{BTreeMap, BTreeSet};

use imports::{imports, sources};

/// Each module and those that it may import, each of which stands before it: names and errors, the
/// contract, what all brokers check, the brokers, the faces over any of them. A new broker is a new
/// line, and a word in the line of `target`.
const MODULES: &[(&str, &str)] = &[
    ("clock", ""),
    ("capability", ""),
    ("unclaimed", "capability"),
    ("presence", ""),
    ("open_error", ""),
    ("error", ""),
    ("queue", "error"),
    ("policy", "error"),
    ("contract", "capability error policy presence queue"),
    ("deliveries", "contract error queue"),
    ("demand", "clock contract error policy queue"),
    ("memory", "capability clock contract demand error policy presence queue"),
    ("sqlite", "capability clock contract demand error open_error policy presence queue"),
    ("rabbitmq", "capability clock contract demand error open_error policy queue"),
    ("redis", "capability clock contract demand error open_error policy presence queue"),
    ("nats", "capability clock contract demand error open_error policy presence queue"),
    ("postgres", "capability clock contract demand error open_error policy presence queue"),
    ("managed", "capability contract error nats open_error policy postgres presence queue rabbitmq redis"),
    ("adapter", "capability contract error policy presence queue"),
    ("target", "adapter contract managed memory nats open_error postgres rabbitmq redis sqlite"),
    ("face", "capability clock contract error policy queue"),
    ("limit", "clock contract error face policy presence queue"),
    ("breaker", "clock contract error face policy presence queue"),
    ("work_bus", "capability clock contract face policy queue"),
    ("channels", "capability clock contract face policy presence queue"),
    ("event_bus", "capability clock contract error face policy queue"),
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
    for (module, imports) in MODULES {
        for import in imports.split_whitespace() {
            assert!(place(import) < place(module), "{module} imports {import}, which stands behind it");
        }
    }
}

#[test]
fn a_broker_knows_no_other_and_a_face_knows_none() {
    let brokers = ["memory", "sqlite", "adapter", "rabbitmq", "redis", "nats", "postgres"];
    for (module, imports) in found() {
        for import in imports.iter().filter(|import| brokers.contains(&import.as_str())) {
            // A private instance is opened as what it is.
            let may = module == "target"
                || module == "managed" && !["memory", "sqlite", "adapter"].contains(&import.as_str());
            assert!(may, "{module} imports {import}");
        }
    }
}

#[test]
fn nothing_here_prints_or_ends_the_program() {
    for source in sources() {
        for word in ["println!", "eprintln!", "print!", "eprint!", "process::exit"] {
            assert!(!source.code().contains(word), "{} says {word}", source.path());
        }
    }
}
