//! The vectors of the crate are those of the repository, and the cases of the codec's role can fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc;
use workwire_conformance::codec::{self, OwnCodec};
use workwire_conformance::event::{Event, Judged};
use workwire_conformance::verdict::Verdict;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Strict ones of the three kinds of document, a line each, in the order of their names.
fn packed() -> String {
    let vectors = folder().join("../../schemas/vectors");
    let index: Value = serde_json::from_str(&std::fs::read_to_string(vectors.join("index.json")).unwrap()).unwrap();
    let mut lines = String::new();
    for entry in index["vectors"].as_array().unwrap() {
        let kind = entry["kind"].as_str().unwrap();
        if entry["mode"] != "strict" || !["envelope", "channel", "event"].contains(&kind) {
            continue;
        }
        let text = std::fs::read_to_string(vectors.join(entry["file"].as_str().unwrap())).unwrap();
        let vector: Value = serde_json::from_str(&text).unwrap();
        lines.push_str(&vector.to_string());
        lines.push('\n');
    }
    lines
}

#[test]
fn the_packed_vectors_are_those_of_the_repository() {
    let (file, packed) = (folder().join("vectors.jsonl"), packed());
    if std::env::var_os("WORKWIRE_PACK").is_some() {
        std::fs::write(&file, &packed).unwrap();
    }
    let is_current = std::fs::read_to_string(&file).is_ok_and(|found| found == packed);
    assert!(is_current, "stale: WORKWIRE_PACK=1 cargo test -p workwire-conformance --test codec writes it anew");
    assert_eq!(codec::vectors().len(), packed.lines().count(), "each line can be read");
}

#[test]
fn every_case_of_a_codec_can_fail_and_every_liar_is_caught() {
    let (matrix, shortfalls) = codec::prove();
    println!("{} cases, {} liars", codec::cases().len(), matrix.columns.len() - 1);
    let text: Vec<String> = shortfalls.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "\n{}", text.join("\n"));
}

#[tokio::test]
async fn the_own_codec_passes_every_case() {
    let (events, mut told) = mpsc::unbounded_channel();
    let target = Judged {
        address: "workwire".to_owned(),
        name: "workwire".to_owned(),
        version: "0".to_owned(),
        language: None,
        capabilities: Vec::new(),
        limits: None,
        choices: None,
    };
    codec::run(Arc::new(OwnCodec), target, |_| true, events).await.unwrap();
    let mut ended = 0;
    while let Some(event) = told.recv().await {
        if let Event::CaseEnded(case) = event {
            ended += 1;
            assert_eq!(case.verdict, Verdict::Pass, "{}: {}", case.id, case.reason);
        }
    }
    assert!(ended > 80 && ended == codec::cases().len(), "{ended} cases");
}
