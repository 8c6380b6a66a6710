//! Each case quotes the clauses that it is about, word for word, so that it can be read alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeMap;
use std::path::Path;

use workwire::spec;
use workwire_conformance::cases;

/// The doc comments of the functions of a file, by the functions' names, as one line each.
fn comments(source: &str) -> BTreeMap<String, String> {
    let (mut all, mut comment) = (BTreeMap::new(), Vec::new());
    for line in source.lines() {
        if let Some(text) = line.trim_start().strip_prefix("///") {
            comment.push(text.trim().to_owned());
            continue;
        }
        let name = line.trim_start().split_once("async fn ").and_then(|(_, rest)| rest.split_once('('));
        if let Some((name, _)) = name {
            all.insert(name.to_owned(), comment.join(" "));
        }
        comment.clear();
    }
    all
}

/// The files of the cases, whatever folders they are in.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.push_str(&sources(&path));
        } else {
            all.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    all
}

/// The files of an area: the one of its name, and those of its folder.
fn sources_of(folder: &Path, area: &str) -> String {
    let mut all = std::fs::read_to_string(folder.join(format!("{area}.rs"))).unwrap_or_default();
    if folder.join(area).is_dir() {
        all.push_str(&sources(&folder.join(area)));
    }
    all
}

#[test]
fn every_case_quotes_its_clauses() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cases");
    let mut wrong = Vec::new();
    for case in cases::all() {
        let (area, name) = case.id.split_once('/').unwrap();
        // Functions of two areas may have one name. Those that need the machine stand together.
        let comments = comments(&(sources_of(&folder, area) + &sources_of(&folder, "host")));
        let Some(comment) = comments.get(name) else {
            wrong.push(format!("{}: no function `{name}`", case.id));
            continue;
        };
        for id in case.clauses {
            let clause = spec::explain(id).unwrap_or_else(|| panic!("{}: {id} is no clause", case.id));
            let quote = format!("{id}: {}", clause.text());
            if !comment.contains(&quote) {
                wrong.push(format!("{}: expected {quote:?} in its comment, found {comment:?}", case.id));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_clauses_of_a_case_are_of_one_level_and_ids_are_unique() {
    let all = cases::all();
    for case in &all {
        let levels: Vec<_> = case.clauses.iter().map(|id| spec::explain(id).unwrap().level()).collect();
        assert!(!levels.is_empty() && levels.iter().all(|level| *level == levels[0]), "{}", case.id);
        assert_eq!(all.iter().filter(|other| other.id == case.id).count(), 1, "{}", case.id);
        assert!(case.clauses[0].to_lowercase().starts_with(&format!("{}-", case.area())), "{}", case.id);
    }
}
