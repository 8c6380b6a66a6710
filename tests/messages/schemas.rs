//! The schemas that the types make.

use std::fmt::Write;
use std::path::Path;

use super::outline::outline;

#[test]
fn schema_outlines() {
    let mut all = String::new();
    for file in workwire::schemas() {
        let schema = serde_json::from_str(file.text()).unwrap();
        writeln!(all, "{}\n{}", file.path(), outline(&schema)).unwrap();
    }
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("schema_outlines", all);
    });
}

#[test]
fn schema_files_are_those_that_the_types_make() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for file in workwire::schemas() {
        let path = folder.join(file.path());
        let committed = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(committed == file.text(), "{} is stale: write the schemas anew", path.display());
    }
}

#[test]
fn schema_texts_hold_nothing_that_is_not_for_readers() {
    for file in workwire::schemas() {
        assert!(!file.text().contains("u0000order"), "{}: a mark of order", file.path());
        assert!(file.text().ends_with("}\n"), "{}: ends in one newline", file.path());
        assert!(file.text().lines().all(|line| line == line.trim_end()), "{}: space at the end", file.path());
    }
}

#[test]
fn schemas_by_schemars_stand_alone() {
    use schemars::{JsonSchema, Schema, SchemaGenerator};

    fn of<T: JsonSchema>() -> Schema {
        T::json_schema(&mut SchemaGenerator::default())
    }

    let schemas = [
        ("MessageEnvelope", of::<workwire::MessageEnvelope>()),
        ("ChannelMessage", of::<workwire::ChannelMessage>()),
        ("AgentEvent", of::<workwire::AgentEvent>()),
        ("WorkStatus", of::<workwire::WorkStatus>()),
        ("Priority", of::<workwire::Priority>()),
    ];
    for (name, schema) in schemas {
        let text = serde_json::to_string(&schema).unwrap();
        assert!(!text.contains("$ref") && !text.contains("$defs"), "{name}: {text}");
        assert!(!text.contains("u0000order"), "{name}: a mark of order");
        assert!(text.contains(r#""description""#), "{name}: {text}");
    }
    assert_eq!(<workwire::MessageEnvelope as JsonSchema>::schema_name(), "MessageEnvelope");
}

#[test]
fn schema_for_generators_says_which_rules_it_does_not_carry() {
    let rules = workwire::not_in_generating_form();
    assert!(rules.contains(&workwire::Rule::Fld2), "{rules:?}");
    for rule in rules {
        assert_eq!(rule.scope(), workwire::Scope::Schema, "{rule}");
    }
}
