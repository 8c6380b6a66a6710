//! The two that have to agree: the types, and the schemas of a kind of document.

use std::sync::LazyLock;

use jsonschema::{Draft, Validator};
use serde_json::Value;
use workwire::{Decoder, DocumentKind, Rule, Scope};

use super::files::schema;
use super::vectors::is_about_bytes;

/// The three schemas of a kind of document.
pub(crate) struct Schemas {
    pub(crate) strict: Validator,
    pub(crate) open: Validator,
    pub(crate) generating: Validator,
}

impl Schemas {
    pub(crate) fn of(kind: DocumentKind) -> &'static Schemas {
        static ALL: LazyLock<Vec<Schemas>> = LazyLock::new(|| DocumentKind::ALL.iter().copied().map(make).collect());
        let index = DocumentKind::ALL.iter().position(|each| *each == kind).unwrap();
        &ALL[index]
    }

    pub(crate) fn validating(&self, lenient: bool) -> &Validator {
        if lenient { &self.open } else { &self.strict }
    }
}

fn make(kind: DocumentKind) -> Schemas {
    let of = |folder: &str| compile(&schema(&format!("{folder}{kind}.json")));
    Schemas { strict: of(""), open: of("open/"), generating: of("generate/") }
}

pub(crate) fn compile(schema: &Value) -> Validator {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .build(schema)
        .unwrap_or_else(|error| panic!("{error}\n{schema:#}"))
}

/// What the types say of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    /// By rules that the schema carries, and perhaps others.
    BySchema(Vec<Rule>),
    /// By rules that no schema can carry.
    Beyond(Vec<Rule>),
    /// By a rule that a schema has no say in, or by so many that there may be one.
    Unclear,
}

pub(crate) fn types(kind: DocumentKind, lenient: bool, text: &str) -> Verdict {
    let decoder = if lenient { Decoder::lenient() } else { Decoder::strict() };
    let Err(error) = kind.decode(&decoder, text.as_bytes()) else { return Verdict::Accepted };
    let rules: Vec<Rule> = error.violations().iter().map(workwire::Violation::rule).collect();
    if rules.len() < error.total() || rules.iter().copied().any(is_about_bytes) {
        Verdict::Unclear
    } else if rules.iter().any(|rule| rule.scope() == Scope::Schema) {
        Verdict::BySchema(rules)
    } else {
        Verdict::Beyond(rules)
    }
}
