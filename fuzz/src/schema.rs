//! The types and the JSON Schemas that are made from them, held against each other.

use std::sync::LazyLock;

use jsonschema::{Draft, Validator};
use serde_json::Value;
use workwire::{Decoder, DocumentKind, Scope, Violation, not_in_generating_form};

use crate::refusal;

/// The three forms of one document's schema.
struct Forms {
    kind: DocumentKind,
    strict: Validator,
    open: Validator,
    generating: Validator,
}

static FORMS: LazyLock<Vec<Forms>> = LazyLock::new(|| {
    let files = workwire::schemas();
    let validator = |path: String| {
        let file = files.iter().find(|file| file.path() == path).expect("there is such a schema");
        let schema: Value = serde_json::from_str(file.text()).expect("a schema is JSON");
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true).offline();
        options.build(&schema).expect("a schema is valid")
    };
    let forms = |kind: &DocumentKind| Forms {
        kind: *kind,
        strict: validator(format!("{kind}.json")),
        open: validator(format!("open/{kind}.json")),
        generating: validator(format!("generate/{kind}.json")),
    };
    DocumentKind::ALL.iter().map(forms).collect()
});

/// Of strict JSON, the validating schema refuses what breaks a rule that a schema can say, and
/// nothing else; the open one does the same for a lenient reader. The generating one accepts what
/// the strict one does, and refuses by the rules that it is said to carry.
pub fn types_against_schema(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    for forms in FORMS.iter() {
        let Some(strict) = violations(forms.kind, &Decoder::strict(), data) else { return };
        let accepted = agree(forms.kind, &forms.strict, &strict, &value);
        let lenient = violations(forms.kind, &Decoder::lenient(), data).expect("it is strict JSON");
        agree(forms.kind, &forms.open, &lenient, &value);

        let generating = forms.generating.is_valid(&value);
        assert!(generating || !accepted, "{}: only the generating form refuses: {value}", forms.kind);
        let carried = |violation: &&Violation| {
            let rule = violation.rule();
            // Whether this key is free depends on the type, and that form has no conditions.
            let conditional = forms.kind == DocumentKind::Channel && violation.pointer() == "/payload/artifact_path";
            rule.scope() == Scope::Schema && !not_in_generating_form().contains(&rule) && !conditional
        };
        if let Some(violation) = strict.iter().find(carried) {
            assert!(!generating, "{}: the generating form carries {violation}: {value}", forms.kind);
        }
    }
}

/// What a decoder holds against bytes; nothing where they are no strict JSON.
fn violations(kind: DocumentKind, decoder: &Decoder, data: &[u8]) -> Option<Vec<Violation>> {
    let Err(error) = kind.decode(decoder, data) else { return Some(Vec::new()) };
    if error.violations().iter().any(|violation| refusal::of_json(violation.rule())) {
        return None;
    }
    // Beyond those that are kept there may be one about JSON.
    (error.total() <= error.violations().len()).then(|| error.violations().to_vec())
}

/// The verdict of a schema, which follows from the violations.
fn agree(kind: DocumentKind, schema: &Validator, violations: &[Violation], value: &Value) -> bool {
    let refused = violations.iter().find(|violation| violation.rule().scope() == Scope::Schema);
    match (schema.is_valid(value), refused) {
        (true, Some(violation)) => panic!("{kind}: the schema accepts {violation}: {value}"),
        (false, None) => {
            let errors: Vec<String> =
                schema.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
            panic!("{kind}: the schema refuses {value}: {errors:#?}, the types {violations:?}")
        }
        (accepted, _) => accepted,
    }
}
