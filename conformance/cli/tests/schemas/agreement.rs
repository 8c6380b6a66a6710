//! Types and schemas agree on many thousand documents.
//!
//! `WORKWIRE_SEED` (a number) tries other documents than the usual ones, `WORKWIRE_MUTANTS` more of them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde_json::Value;
use workwire::{DocumentKind, Rule, Scope};

use super::documents::document;
use super::judges::{Schemas, Verdict, types};
use super::mutation::{Change, apply, change};
use super::numbers::spell;
use super::vectors;

/// Some of the mutants are no strict JSON: these many are tried, so that more than 20 000 are judged.
const MUTANTS: u32 = 24_000;

/// Larger vectors show a limit, and would only be slow.
const LARGEST: usize = 4096;

#[derive(Debug, Clone)]
struct Mutant {
    kind: DocumentKind,
    base: Rc<Value>,
    changes: Vec<Change>,
}

impl Mutant {
    fn text(&self) -> String {
        let mut document = Value::clone(&self.base);
        for change in &self.changes {
            // A change that does not fit is none.
            let _ = apply(&mut document, change);
        }
        spell(&document)
    }
}

fn mutant() -> impl Strategy<Value = Mutant> {
    let written: Vec<(DocumentKind, Rc<Value>)> = vectors::all()
        .iter()
        .filter(|vector| vector.body.to_string().len() <= LARGEST)
        .map(|vector| (vector.kind, Rc::new(vector.body.clone())))
        .collect();
    let made = |kind: DocumentKind| document(kind).prop_map(move |document| (kind, Rc::new(document)));
    let base = prop_oneof![
        6 => select(written),
        2 => made(DocumentKind::Envelope),
        1 => made(DocumentKind::Channel),
        1 => made(DocumentKind::Event),
    ];
    let changes = prop_oneof![
        1 => Just(Vec::new()),
        6 => prop::collection::vec(change(), 1),
        2 => prop::collection::vec(change(), 2..=3),
    ];
    (base, changes).prop_map(|((kind, base), changes)| Mutant { kind, base, changes })
}

/// What was judged, to know that it was not always the same.
#[derive(Debug, Default)]
struct Seen {
    accepted: usize,
    by_schema: usize,
    beyond: usize,
    unclear: usize,
    rules: BTreeSet<Rule>,
}

impl Seen {
    fn note(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Accepted => self.accepted += 1,
            Verdict::Unclear => self.unclear += 1,
            Verdict::BySchema(rules) => {
                self.by_schema += 1;
                self.rules.extend(rules);
            }
            Verdict::Beyond(rules) => {
                self.beyond += 1;
                self.rules.extend(rules);
            }
        }
    }

    /// A test that judged always the same has shown nothing.
    fn is_varied(&self, cases: usize) {
        println!("{self:?}");
        let judged = self.accepted + self.by_schema + self.beyond;
        assert!(judged * 6 >= cases * 5, "most mutants are judged: {self:?}");
        assert!(self.accepted * 8 > judged, "many are accepted: {self:?}");
        assert!(self.beyond * 200 > judged, "some are refused by what no schema can say: {self:?}");
        let unseen: Vec<&Rule> =
            Rule::ALL.iter().filter(|rule| rule.scope() == Scope::Schema && !self.rules.contains(rule)).collect();
        assert!(unseen.is_empty(), "every rule is broken by some mutant, but not {unseen:?}");
    }
}

/// Judges a text with the types and the schemas; an error says how they differ.
fn judge(kind: DocumentKind, text: &str, seen: &mut Seen) -> Result<(), String> {
    let schemas = Schemas::of(kind);
    let document: Option<Value> = serde_json::from_str(text).ok();
    for lenient in [false, true] {
        let mode = if lenient { "lenient" } else { "strict" };
        let verdict = types(kind, lenient, text);
        if !lenient {
            seen.note(&verdict);
        }
        if verdict == Verdict::Unclear {
            continue;
        }
        let document =
            document.as_ref().ok_or_else(|| format!("serde_json cannot read what is {verdict:?}: {text}"))?;
        let expected = !matches!(verdict, Verdict::BySchema(_));
        if schemas.validating(lenient).is_valid(document) != expected {
            let schema = if expected { "refuses" } else { "accepts" };
            return Err(format!("{kind}, {mode}: the types say {verdict:?}, the schema {schema}\n{text}"));
        }
    }
    let taken = |document: &Value| !schemas.strict.is_valid(document) || schemas.generating.is_valid(document);
    if document.is_some_and(|document| !taken(&document)) {
        return Err(format!("{kind}: the form to generate from refuses what the strict one accepts\n{text}"));
    }
    Ok(())
}

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}: expected a number, found {text:?}")))
}

#[test]
fn types_and_schemas_agree_on_mutants() {
    let seed = setting("WORKWIRE_SEED").unwrap_or(1);
    let cases = setting("WORKWIRE_MUTANTS").map_or(MUTANTS, |cases| u32::try_from(cases).unwrap());
    println!("WORKWIRE_SEED={seed} WORKWIRE_MUTANTS={cases}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let noted = RefCell::new(Seen::default());
    let result = runner.run(&mutant(), |mutant| {
        judge(mutant.kind, &mutant.text(), &mut noted.borrow_mut()).map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => {}
        Err(TestError::Abort(reason)) => panic!("{reason}"),
        Err(TestError::Fail(reason, mutant)) => {
            panic!("WORKWIRE_SEED={seed} repeats this: {reason}\nby {:?}", mutant.changes);
        }
    }
    noted.into_inner().is_varied(cases as usize);
}
