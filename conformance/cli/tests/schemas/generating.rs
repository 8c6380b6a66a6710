//! The form to generate types from: a superset, and what it does not carry is listed.

use workwire::{DocumentKind, Rule, Scope, not_in_generating_form};

use super::judges::Schemas;
use super::vectors::{self, Vector};

#[test]
fn it_takes_what_the_strict_form_takes() {
    for vector in vectors::all() {
        let schemas = Schemas::of(vector.kind);
        if schemas.strict.is_valid(&vector.body) {
            assert!(schemas.generating.is_valid(&vector.body), "{}", vector.name);
        }
    }
}

/// A field that is typed on a condition, which is CHN-4's: its type goes the way of its form.
fn is_conditional(vector: &Vector, rule: Rule) -> bool {
    rule == Rule::Fld1
        && vector.kind == DocumentKind::Channel
        && vector.broken.iter().any(|(_, pointer)| pointer == "/payload/artifact_path")
}

#[test]
fn it_carries_every_rule_but_the_listed_ones() {
    let strict: Vec<&Vector> = vectors::all().iter().filter(|vector| !vector.lenient).collect();
    for rule in Rule::ALL.iter().copied().filter(|rule| rule.scope() == Scope::Schema) {
        let alone = || strict.iter().filter(|vector| vector.breaks_alone(rule) && !is_conditional(vector, rule));
        assert!(alone().count() > 0, "{rule}: a vector breaks it alone");
        let taken: Vec<&str> = alone()
            .filter(|vector| Schemas::of(vector.kind).generating.is_valid(&vector.body))
            .map(|vector| vector.name.as_str())
            .collect();
        if not_in_generating_form().contains(&rule) {
            assert!(!taken.is_empty(), "{rule}: is listed, but every vector that breaks it is refused");
        } else {
            assert!(taken.is_empty(), "{rule}: is not listed, but the form takes {taken:?}");
        }
    }
}
