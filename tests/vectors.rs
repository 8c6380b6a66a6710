//! Every vector below `schemas/vectors` gets the verdict that was written for it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod vectors {
    pub(crate) mod file;
}

use vectors::file::{Vector, decode, load};

#[test]
fn every_vector_gets_its_verdict() {
    let all = load();
    let failures: Vec<String> = all.iter().filter_map(|vector| judge(vector).err()).collect();
    assert!(failures.is_empty(), "{} of {} vectors:\n{}", failures.len(), all.len(), failures.join("\n"));
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
