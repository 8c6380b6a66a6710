//! Every vector gets from the schemas the verdict that its rules call for.

use workwire::DocumentKind;

use super::files;
use super::judges::{Schemas, compile};
use super::vectors;

#[test]
fn vectors_are_accepted_and_refused_as_their_rules_say() {
    let all = vectors::all();
    let judged = |kind: DocumentKind| all.iter().filter(|vector| vector.kind == kind).count();
    assert!(DocumentKind::ALL.iter().all(|kind| judged(*kind) > 100), "vectors of each kind are judged");
    let mut failures = Vec::new();
    for vector in all {
        let schema = Schemas::of(vector.kind).validating(vector.lenient);
        let expected = if vector.is_for_schemas() { "refused" } else { "accepted" };
        let found = if schema.is_valid(&vector.body) { "accepted" } else { "refused" };
        if found != expected {
            failures.push(format!("{}: {found}, expected {expected} for {:?}", vector.name, vector.broken));
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), all.len(), failures.join("\n"));
}

#[test]
fn messages_of_the_asyncapi_document_take_what_is_accepted() {
    let schemas = files::all();
    for vector in vectors::all().iter().filter(|vector| vector.is_accepted() && !vector.lenient) {
        let name = match vector.kind {
            DocumentKind::Channel => "ChannelMessage",
            DocumentKind::Event => "AgentEvent",
            DocumentKind::Envelope => match vector.body["type"].as_str().unwrap() {
                "work_request" => "WorkRequestEnvelope",
                "work_status" => "WorkStatusEnvelope",
                "work_result" => "WorkResultEnvelope",
                "status_update" => "StatusUpdateEnvelope",
                _ => "ErrorMessageEnvelope",
            },
        };
        let (_, schema) = schemas.iter().find(|(key, _)| *key == format!("asyncapi.json {name}")).unwrap();
        assert!(compile(schema).is_valid(&vector.body), "{}: refused as {name}", vector.name);
    }
}
