//! Every vector below `schemas/vectors` gets the verdict that was written for it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod vectors {
    pub(crate) mod file;
}

use workwire::Rule;

use vectors::file::{Vector, decode, load};

#[test]
fn every_vector_gets_its_verdict() {
    let all = load();
    let failures: Vec<String> = all.iter().filter_map(|vector| judge(vector).err()).collect();
    assert!(failures.is_empty(), "{} of {} vectors:\n{}", failures.len(), all.len(), failures.join("\n"));
}

#[test]
fn there_are_enough_and_every_rule_is_shown() {
    let all = load();
    let valid = all.iter().filter(|vector| vector.accepted).count();
    assert!(valid >= 150, "{valid} valid ones");
    assert!(all.len() - valid >= 400, "{} invalid ones", all.len() - valid);
    for rule in Rule::ALL {
        let shown = all.iter().any(|vector| {
            let mut places = vector.violations.iter().chain(&vector.warnings);
            places.any(|(_, id)| id == rule.id())
        });
        assert!(shown, "no vector shows {rule}");
    }
}

#[test]
fn every_vector_names_clauses_that_exist() {
    for vector in load() {
        for id in &vector.clauses {
            assert!(workwire::spec::explain(id).is_some(), "{}: {id}", vector.name);
        }
    }
}

fn judge(vector: &Vector) -> Result<(), String> {
    let name = &vector.name;
    match decode(vector) {
        Ok((canonical, warnings)) => {
            if !vector.accepted {
                return Err(format!("{name}: accepted, expected {:?}", vector.violations));
            }
            if Some(&canonical) != vector.canonical.as_ref() {
                return Err(format!("{name}: canonical\n  {canonical}\nexpected\n  {:?}", vector.canonical));
            }
            if warnings != vector.warnings {
                return Err(format!("{name}: warnings {warnings:?}, expected {:?}", vector.warnings));
            }
            Ok(())
        }
        Err(error) => {
            let found: Vec<(String, String)> =
                error.violations().iter().map(|v| (v.pointer().to_owned(), v.rule().id().to_owned())).collect();
            if vector.accepted {
                return Err(format!("{name}: refused\n{error}"));
            }
            if found != vector.violations {
                return Err(format!("{name}:\n  found    {found:?}\n  expected {:?}", vector.violations));
            }
            Ok(())
        }
    }
}
