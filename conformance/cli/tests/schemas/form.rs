//! The schemas by themselves: valid, current, told apart, every field described by example.

use std::fs;

use serde_json::{Map, Value};
use workwire::{Rule, Scope};

use super::files::{all, folder};
use super::judges::compile;

#[test]
fn schemas_are_valid_by_their_own_schema() {
    for (name, schema) in all() {
        if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
            panic!("{name}: {error} at {}", error.instance_path());
        }
        compile(&schema);
    }
}

#[test]
fn committed_files_are_those_that_the_types_make() {
    for file in workwire::schemas() {
        let committed = fs::read_to_string(folder().join(file.path())).unwrap_or_default();
        assert!(committed == file.text(), "{}: run `cargo run -- schema`", file.path());
    }
}

#[test]
fn ids_name_the_files() {
    for (name, schema) in all().iter().filter(|(name, _)| !name.starts_with("asyncapi")) {
        assert_eq!(schema["$id"], format!("https://workwire.dev/schemas/v1/{name}"));
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
    }
}

/// Calls for every schema inside of a schema, with the place that it stands at.
fn each(schema: &Value, place: &str, call: &mut impl FnMut(&Map<String, Value>, &str)) {
    let Value::Object(members) = schema else { return };
    call(members, place);
    for (key, value) in members {
        let place = format!("{place}/{key}");
        match (key.as_str(), value) {
            ("properties" | "$defs", Value::Object(schemas)) => {
                schemas.iter().for_each(|(name, schema)| each(schema, &format!("{place}/{name}"), call));
            }
            ("allOf" | "oneOf", Value::Array(schemas)) => {
                for schema in schemas {
                    each(schema, &place, call);
                }
            }
            ("items" | "if" | "then" | "additionalProperties", schema) => each(schema, &place, call),
            _ => {}
        }
    }
}

#[test]
fn examples_and_defaults_are_valid() {
    let mut tried = 0;
    for (name, schema) in all() {
        each(&schema, &name, &mut |members, place| {
            let examples = members.get("examples").and_then(Value::as_array).into_iter().flatten();
            for value in examples.chain(members.get("default")) {
                let schema = compile(&Value::Object(members.clone()));
                assert!(schema.is_valid(value), "{place}: {value} is no example");
                tried += 1;
            }
        });
    }
    assert!(tried > 300, "{tried}");
}

/// A payload's type, in the place of the field or referred to from there.
fn is_a_type(schema: &Value) -> bool {
    let title = schema["title"].as_str().unwrap_or_default();
    schema.get("$ref").is_some() || title.starts_with(char::is_uppercase)
}

#[test]
fn every_field_has_a_description_and_an_example() {
    for (name, schema) in all() {
        let titled = !name.starts_with("generate/") && !name.starts_with("asyncapi");
        each(&schema, &name, &mut |members, place| {
            // Conditions speak of fields that are described elsewhere.
            if ["/allOf", "/if", "/then"].iter().any(|condition| place.contains(condition)) {
                return;
            }
            let fields = members.get("properties").and_then(Value::as_object).into_iter().flatten();
            for (field, schema) in fields.filter(|(_, schema)| !is_a_type(schema)) {
                assert!(schema["description"].is_string(), "{place}/{field}: no description");
                assert!(schema["examples"].is_array(), "{place}/{field}: no examples");
                assert_eq!(schema["title"].is_string(), titled, "{place}/{field}: title");
            }
        });
    }
}

#[test]
fn schemas_to_generate_from_have_no_conditions() {
    for (name, schema) in all().iter().filter(|(name, _)| name.starts_with("generate") || name.starts_with("asyncapi"))
    {
        each(schema, name, &mut |members, place| {
            for keyword in ["if", "then", "else", "not", "allOf", "anyOf", "dependentRequired", "dependentSchemas"] {
                assert!(!members.contains_key(keyword), "{place}: generators stumble over `{keyword}`");
            }
        });
    }
}

#[test]
fn no_schema_leans_on_formats() {
    for (name, schema) in all() {
        each(&schema, &name, &mut |members, place| {
            assert!(!members.contains_key("format"), "{place}: libraries disagree about formats");
        });
    }
}

#[test]
fn the_read_me_names_the_rules_that_are_not_carried() {
    let text = fs::read_to_string(folder().join("README.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).collect();
    for rule in workwire::not_in_generating_form() {
        assert!(rows.contains(&rule.id()), "{rule} is not in the form to generate from");
    }
    let beyond = Rule::ALL.iter().filter(|rule| rule.scope() == Scope::Beyond);
    for rule in beyond.filter(|rule| !["JSN", "STR", "TRC", "CLE"].contains(&&rule.id()[..3])) {
        assert!(rows.contains(&rule.id()), "{rule} is in no schema");
    }
}
