//! `workwire validate`: one message and its verdict.

mod verdict;

use std::collections::BTreeMap;
use std::io::Write;

use serde::de::IgnoredAny;
use workwire::{AnyDocument, Decoder, DocumentKind, Limits, ProtocolError};

use crate::arguments::Validate;
use crate::exit::{Exit, Failure};
use crate::input;
use crate::output::Output;
use verdict::Verdict;

pub(crate) fn run(arguments: &Validate, out: &mut Output) -> Result<Exit, Failure> {
    let bytes = input::read(arguments.file.as_deref())?;
    let limits = Limits::default().with_max_bytes(arguments.max_bytes);
    let decoder = if arguments.lenient { Decoder::lenient() } else { Decoder::strict() }.with_limits(limits);
    let kind = arguments.kind.map_or_else(|| guess(&bytes, limits), DocumentKind::from);
    let result = kind.decode(&decoder, &bytes);
    if arguments.json {
        out.json(&Verdict::of(&result))?;
    } else {
        print(kind, &result, out)?;
    }
    Ok(if result.is_ok() { Exit::Holds } else { Exit::Fails })
}

/// Tells what a message is by the names of its fields. What is no JSON is refused as anything.
#[allow(clippy::zero_sized_map_values, reason = "of a map the values can be passed over, of a set they cannot")]
fn guess(bytes: &[u8], limits: Limits) -> DocumentKind {
    let small = bytes.len() <= limits.max_bytes();
    let fields = if small { serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(bytes).ok() } else { None };
    let has = |name: &str| fields.as_ref().is_some_and(|fields| fields.contains_key(name));
    if has("event_id") {
        DocumentKind::Event
    } else if has("id") && has("from_agent") {
        DocumentKind::Channel
    } else {
        DocumentKind::Envelope
    }
}

fn print(kind: DocumentKind, result: &Result<AnyDocument, ProtocolError>, out: &mut Output) -> Result<(), Failure> {
    match result {
        Ok(document) => {
            writeln!(out, "accepted as {kind}")?;
            for warning in &document.warnings() {
                writeln!(out, "warning: {warning}")?;
            }
        }
        Err(error) => {
            let count = match error.total() {
                1 => "1 violation".to_owned(),
                total => format!("{total} violations"),
            };
            writeln!(out, "{error}\nrefused as {kind}: {count}")?;
        }
    }
    Ok(())
}
