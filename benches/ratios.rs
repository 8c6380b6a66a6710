//! How the crate compares with `serde_json`, as ratios that hold on a noisy machine.
//!
//! ```text
//! cargo bench -p workwire --bench ratios                   # the tables, in Markdown
//! cargo bench -p workwire --bench ratios -- 570B 4KiB      # these messages only
//! cargo bench -p workwire --bench ratios -- --rounds 200 --us 1000
//! cargo bench -p workwire --bench ratios -- --export DIR   # writes the messages and schemas as files
//! cargo bench -p workwire --bench ratios -- --serve        # measures on demand, for `peers.py`
//! ```
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

#[path = "common/batch.rs"]
mod batch;
#[path = "common/cases.rs"]
mod cases;
#[path = "common/messages.rs"]
mod messages;
#[path = "common/plain.rs"]
mod plain;
#[path = "common/rounds.rs"]
mod rounds;

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Duration;

use batch::Batch;
use cases::{Case, Sides, cases};
use rounds::{Calibrated, Plan, in_turn, nanoseconds, ratios};

fn main() {
    let mut plan = Plan::default();
    let mut names = Vec::new();
    let (mut measures, mut serves) = (false, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse().ok()).unwrap();
        match argument.as_str() {
            "--bench" => measures = true,
            "--serve" => serves = true,
            "--rounds" => plan.rounds = number(),
            "--us" => plan.batch = Duration::from_micros(u64::from(number())),
            "--export" => return export(Path::new(&arguments.next().unwrap())),
            _ => names.push(argument),
        }
    }
    let mut cases = cases();
    if serves {
        return serve(&cases);
    }
    if !measures {
        // `cargo test` runs it too: that the messages are read and written is all it wants to know.
        return;
    }
    cases.retain(|case| names.is_empty() || names.iter().any(|name| name == case.message.name));
    sides("Decode and validate", &cases, |case| &case.decode, plan);
    sides("Encode", &cases, |case| &case.encode, plan);
    variants(&cases, plan);
}

fn sides(title: &str, cases: &[Case], of: impl Fn(&Case) -> &Sides, plan: Plan) {
    println!("\n{title}, ns: the median of {} rounds; ratios with their 10th and 90th percentile.\n", plan.rounds);
    println!("| message | bytes | workwire | plain serde_json | ratio | `serde_json::Value` | ratio |");
    println!("|---|---:|---:|---:|---|---:|---|");
    for case in cases {
        let sides = of(case);
        let figures = in_turn(&[&sides.ours, &sides.plain, &sides.value], plan);
        let [ours, unchecked, value] = [&figures[0], &figures[1], &figures[2]];
        println!(
            "| {}: {} | {} | {} | {} | {} | {} | {} |",
            case.message.name,
            case.message.what,
            case.message.text.len(),
            nanoseconds(ours),
            nanoseconds(unchecked),
            ratios(ours, unchecked),
            nanoseconds(value),
            ratios(ours, value),
        );
    }
}

fn variants(cases: &[Case], plan: Plan) {
    println!(
        "\nDecode, ns: a message refused with eight violations, or otherwise changed, beside the message itself.\n"
    );
    println!("| message | violations | changed | itself | ratio |");
    println!("|---|---|---:|---:|---|");
    for case in cases {
        for (what, variant) in &case.variants {
            let figures = in_turn(&[variant, &case.decode.ours], plan);
            println!(
                "| {} | {what} | {} | {} | {} |",
                case.message.name,
                nanoseconds(&figures[0]),
                nanoseconds(&figures[1]),
                ratios(&figures[0], &figures[1]),
            );
        }
    }
}

/// Writes the messages as `NAME.DOCUMENT.json`, and the schemas below `schemas/`.
fn export(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for message in messages::messages() {
        std::fs::write(folder.join(format!("{}.{}.json", message.name, message.kind)), message.text).unwrap();
    }
    for schema in workwire::schemas() {
        let path = folder.join("schemas").join(schema.path());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, schema.text()).unwrap();
    }
}

/// Answers each line `SIDE OPERATION NAME`, as in `ours decode 570B`, with the nanoseconds of a batch.
fn serve(cases: &[Case]) {
    let mut known: HashMap<String, Calibrated<'_>> = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let work =
            known.entry(line.clone()).or_insert_with(|| Calibrated::new(find(cases, &line), Plan::default().batch));
        println!("{:.1}", work.run());
        std::io::stdout().flush().unwrap();
    }
}

fn find<'a>(cases: &'a [Case], line: &str) -> &'a Batch {
    let words: Vec<&str> = line.split(' ').collect();
    let case = cases.iter().find(|case| case.message.name == words[2]).unwrap();
    let sides = if words[1] == "decode" { &case.decode } else { &case.encode };
    match words[0] {
        "ours" => &sides.ours,
        "plain" => &sides.plain,
        _ => &sides.value,
    }
}
