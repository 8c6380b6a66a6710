//! The walls between the modules: who may import whom, and what this crate never does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod walls {
    pub(crate) mod imports;
}

use std::collections::{BTreeMap, BTreeSet};

use walls::imports::{Source, imports, sources};

/// Each module and those that it may import, in the order in which a message flows: from the rules
/// and bytes to values, documents, the codec and what is mapped from it. A new import is a new word
/// here, and stands behind what it imports; [`BACK`] says where that is not so.
const MODULES: &[(&str, &str)] = &[
    ("rule", ""),
    ("violation", "rule"),
    ("error", "catalogue rule violation"),
    ("json", "error rule version violation"),
    ("free", "codec error field json rule violation"),
    ("field", "error free json rule schema violation"),
    ("version", "error field json rule schema violation"),
    ("id", "error field json rule schema violation"),
    ("time", "error field json rule schema violation"),
    ("number", "error field json rule schema violation"),
    ("catalogue", "error field json number rule schema violation"),
    ("name", "error field id rule"),
    ("document", "error field free json rule schema violation"),
    ("measures", "document error field free json rule schema violation"),
    ("work", "document field free id measures name number rule"),
    ("status", "document field id measures name time"),
    ("error_message", "catalogue document error free json name"),
    ("payload", "error_message field json name schema status violation work"),
    ("envelope", "document field free id json name number payload rule schema time version violation"),
    ("channel", "document error free id name number rule time version violation"),
    ("event", "codec document error field free id json name rule schema time version violation"),
    ("codec", "channel document envelope error error_message event field json rule status violation work"),
    ("borrowed", "codec envelope error free id measures name number payload time version work"),
    ("schema", "channel codec document envelope event field id name payload rule status version work"),
    ("trace", "envelope error id rule"),
    ("cloudevent", "codec error json name rule schema time trace violation"),
    ("spec", "rule"),
];

/// Imports of what stands behind, and why.
const BACK: &[(&str, &str, &str)] = &[
    ("error", "catalogue", "an error knows the code with which to answer"),
    ("json", "version", "unknown fields are no mistake in a later minor version, which the reader has to know"),
    ("free", "codec", "how text is handed to serde as it is"),
    ("free", "field", "the macro that gives a type its JSON Schema"),
    ("event", "codec", "the stream form is read by the decoder's mode and limits"),
    // A field describes itself: the forms of a schema, and the words around it.
    ("field", "schema", "the trait has a schema in it"),
    ("version", "schema", "describes itself"),
    ("catalogue", "schema", "describes itself"),
    ("id", "schema", "describes itself"),
    ("time", "schema", "describes itself"),
    ("number", "schema", "describes itself"),
    ("document", "schema", "describes itself"),
    ("measures", "schema", "describes itself"),
    ("payload", "schema", "describes itself"),
    ("envelope", "schema", "describes itself"),
    ("event", "schema", "describes itself"),
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
    let found = found();
    for (module, imports) in &found {
        let allowed = table.get(module).unwrap_or_else(|| panic!("{module} is not in the table"));
        let more: Vec<_> = imports.difference(allowed).collect();
        assert!(more.is_empty(), "{module} imports {more:?}, which the table does not allow");
        let fewer: Vec<_> = allowed.difference(imports).collect();
        assert!(fewer.is_empty(), "{module} imports {fewer:?} no more: take it out of the table");
    }
    assert!(table.keys().eq(found.keys()), "the table names a module that is none: {:?}", table.keys());
}

#[test]
fn a_module_imports_what_stands_before_it() {
    let place = |name: &str| MODULES.iter().position(|(module, _)| *module == name).unwrap();
    let mut back = Vec::new();
    for (module, imports) in MODULES {
        let behind = imports.split_whitespace().filter(|import| place(import) > place(module));
        back.extend(behind.map(|import| (*module, import)));
    }
    let known: Vec<_> = BACK.iter().map(|(module, import, _)| (*module, *import)).collect();
    for pair in &back {
        assert!(known.contains(pair), "{} imports {}, which stands behind it", pair.0, pair.1);
    }
    for pair in &known {
        assert!(back.contains(pair), "{} imports {} no more: take it out of the list", pair.0, pair.1);
    }
}

#[test]
fn documents_know_neither_their_codec_nor_what_is_mapped_from_them() {
    let found = found();
    for document in ["work", "status", "error_message", "payload", "envelope", "channel"] {
        for beyond in ["codec", "borrowed", "cloudevent", "trace", "spec"] {
            assert!(!found[document].contains(beyond), "{document} imports {beyond}");
        }
    }
    for beyond in ["borrowed", "cloudevent", "trace", "spec", "envelope", "channel"] {
        assert!(!found["event"].contains(beyond), "event imports {beyond}");
    }
}

#[test]
fn bytes_know_nothing_of_documents() {
    let allowed = ["error", "rule", "version", "violation"].map(str::to_owned).into();
    assert!(found()["json"].is_subset(&allowed), "{:?}", found()["json"]);
}

#[test]
fn no_module_waits_listens_or_opens_files() {
    let never = [
        "async fn",
        "async move",
        ".await",
        "tokio",
        "futures",
        "std::net",
        "std::fs",
        "std::io",
        "std::env",
        "std::process",
        "std::thread",
        "std::os",
        "println!",
        "eprintln!",
        "print!",
        "eprint!",
        "workwire_",
    ];
    for source in sources() {
        for word in never {
            assert!(!source.code().contains(word), "{} holds {word}", source.path());
        }
    }
}

#[test]
fn only_constructors_look_at_the_clock() {
    let clocks: Vec<String> = sources()
        .iter()
        .filter(|source| {
            ["Utc::now", "Local::now", "Instant", "SystemTime"].iter().any(|clock| source.code().contains(clock))
        })
        .map(|source| source.path().to_owned())
        .collect();
    assert_eq!(clocks, ["time.rs"]);
}

#[test]
fn unsafe_code_is_nowhere() {
    for source in sources() {
        let unsafe_code = source.code().split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe");
        assert!(!unsafe_code, "{}", source.path());
    }
}

#[test]
fn names_behind_crate_are_found_in_groups_paths_and_macros() {
    let of = |code: &str| {
        let source = Source { path: "work.rs".to_owned(), code: code.to_owned() };
        imports(&source).into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of("use crate::json::{Kind, Out};"), "json");
    assert_eq!(of("use crate::{json::{Kind, Out}, rule::Rule, Hints, };"), "json measures rule");
    assert_eq!(of("$crate::field::read(); crate::ErrorCode::new(1); crate::work::Step"), "catalogue field");
    assert_eq!(of("use super::Step; use std::fmt;"), "");
}
