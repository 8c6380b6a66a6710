//! `conformance/MATRIX.md` is the table of this run.

use std::fs;
use std::path::Path;

use workwire_broker::{Capability, why_unclaimed};

use super::runs::{all, command, folder};

/// The file, from this crate.
const MATRIX: &str = "../MATRIX.md";

/// Set, the file is written instead of compared.
const WRITE: &str = "WORKWIRE_WRITE_MATRIX";

#[test]
fn the_committed_matrix_is_the_one_of_this_run() {
    let ran = all();
    if ran.len() < 7 || ran.iter().any(|ran| ran.is_named) {
        println!("not compared: {} of 7 brokers are here as they are in the table", ran.len());
        return;
    }
    let (folder, file) = (folder("matrix"), Path::new(env!("CARGO_MANIFEST_DIR")).join(MATRIX));
    let made = folder.path().join("matrix.md");
    let reports = ran.iter().map(|ran| ran.report.to_str().unwrap());
    let arguments: Vec<&str> = ["matrix"].into_iter().chain(reports).chain(["-o", made.to_str().unwrap()]).collect();
    let output = command(folder.path(), &arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made = fs::read_to_string(made).unwrap();
    if std::env::var_os(WRITE).is_some() {
        fs::write(file, made).unwrap();
        return;
    }
    let committed = fs::read_to_string(&file).unwrap();
    // Versions are those of the machine; what is claimed and what it came to is not.
    let (made, committed) = (without_versions(&made), without_versions(&committed));
    let other = committed.iter().zip(&made).find(|(committed, made)| committed != made);
    assert!(
        other.is_none() && committed.len() == made.len(),
        "conformance/MATRIX.md is stale: {other:?}\n{WRITE}=1 cargo test -p workwire-cli --test engines writes it"
    );
}

/// Its lines, without the numbers that depend on the machine.
fn without_versions(text: &str) -> Vec<String> {
    let is_version = |word: &&str| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit());
    text.lines().map(|line| line.split(' ').filter(|word| !is_version(word)).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn there_is_a_reason_for_each_thing_that_is_not_claimed_and_for_nothing_else() {
    for ran in all().iter().filter(|ran| ran.target.starts_with("managed:") && !ran.is_named) {
        let report = ran.json();
        let name = report["target"]["name"].as_str().unwrap();
        let claims: Vec<&str> =
            report["target"]["capabilities"].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
        for capability in Capability::ALL {
            let (is_claimed, why) = (claims.contains(&capability.as_str()), why_unclaimed(name, *capability));
            assert_ne!(is_claimed, why.is_some(), "{name}: {capability}: {why:?}");
        }
    }
}
