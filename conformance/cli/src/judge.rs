//! `workwire judge`: recorded histories, judged again.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use serde::Serialize;
use workwire::spec::{self, Clause, Level};
use workwire_conformance::cases;
use workwire_conformance::history::History;
use workwire_conformance::judge::judge_file;
use workwire_conformance::plan;
use workwire_conformance::verdict::{Broken, Judgement, Verdict};

use crate::arguments::Judge;
use crate::exit::{Exit, Failure};
use crate::output::{Output, quoted};
use crate::text::plain;

/// What `--json` prints. Others script against it: members are added, never changed.
#[derive(Serialize)]
struct Judged {
    format: u32,
    histories: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    file: String,
    case: Option<String>,
    target: String,
    level: &'static str,
    verdict: Verdict,
    reason: String,
    broken: Vec<Broken>,
}

pub(crate) fn run(arguments: &Judge, out: &mut Output) -> Result<Exit, Failure> {
    // A file that is none is found before anything is said of the others.
    let histories = arguments.file.iter().map(|path| Ok((path, read(path)?))).collect::<Result<Vec<_>, Failure>>()?;
    let mut entries = Vec::new();
    for (path, history) in &histories {
        let Judgement { verdict, reason, broken, .. } = judge_file(history);
        let case = history.about.case.clone();
        let level = if is_must(case.as_deref(), &broken) { "must" } else { "should" };
        let (file, target) = (path.to_string_lossy().into_owned(), history.about.target.clone());
        entries.push(Entry { file, case, target, level, verdict, reason, broken });
    }
    let exit = exit(&entries);
    if arguments.json {
        out.json(&Judged { format: 1, histories: entries })?;
        return Ok(exit);
    }
    for ((path, history), entry) in histories.iter().zip(&entries) {
        print(path, history, entry, out)?;
    }
    Ok(exit)
}

fn read(path: &Path) -> Result<History, Failure> {
    let file = File::open(path).map_err(|error| Failure::file("read", path, error))?;
    History::read(BufReader::new(file))
        .map_err(|error| Failure::file("take for a history", path, plain(&error.to_string())))
}

/// By the case that made it; else by what is broken.
fn is_must(case: Option<&str>, broken: &[Broken]) -> bool {
    if let Some(case) = case.and_then(cases::find) {
        return plan::is_must(case);
    }
    let is_must = |clause: &str| spec::explain(clause).is_none_or(|clause| clause.level() == Level::Must);
    broken.is_empty() || broken.iter().any(|broken| is_must(&broken.clause))
}

fn exit(entries: &[Entry]) -> Exit {
    let is = |verdict: Verdict| entries.iter().any(|entry| entry.verdict == verdict && entry.level == "must");
    if is(Verdict::Fail) {
        Exit::Fails
    } else if is(Verdict::Unknown) {
        Exit::Unknown
    } else {
        Exit::Holds
    }
}

fn print(path: &Path, history: &History, entry: &Entry, out: &mut Output) -> Result<(), Failure> {
    let word =
        if entry.verdict == Verdict::Fail && entry.level == "should" { "warning" } else { entry.verdict.as_str() };
    let case = entry.case.as_deref().map_or_else(|| "recorded elsewhere".to_owned(), plain);
    let count = history.operations().len();
    writeln!(out, "{word} {}: {case}, {count} operations of {}", quoted(path), plain(&entry.target))?;
    if entry.broken.is_empty() && !entry.reason.is_empty() {
        writeln!(out, "  {}", plain(&entry.reason))?;
    }
    for Broken { clause, anomaly } in &entry.broken {
        let text = spec::explain(clause).map_or("what the case builds upon", Clause::text);
        writeln!(out, "  {clause} {text}")?;
        writeln!(out, "    {}: expected {}", anomaly.kind.as_str(), plain(&anomaly.expected))?;
        writeln!(out, "    found {}", plain(&anomaly.found))?;
        let operations: Vec<String> = anomaly.operations.iter().map(ToString::to_string).collect();
        if !operations.is_empty() {
            writeln!(out, "    by the operations {}", operations.join(" "))?;
        }
    }
    Ok(())
}
