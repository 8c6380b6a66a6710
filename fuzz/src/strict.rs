//! Which bytes are strict JSON, held against `serde_json`.

use serde_json::Value;
use workwire::{
    AgentEvent, ChannelMessage, Decoder, Document, FreeObject, Limits, MessageEnvelope, ProtocolError, Rule, Violation,
    WorkStatus,
};

use crate::refusal;

/// Free content nests one level less than a document, in which it stands.
const FREE_LEVELS: usize = 63;

/// What is accepted, `serde_json` accepts and reads the same; what `serde_json` accepts is refused
/// only by a rule that it does not have. Every kind of document says the same about the JSON.
pub fn strict_json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        let error = Decoder::strict().decode::<AgentEvent>(data).expect_err("not UTF-8");
        refusal::check_in(data, &[64], &error);
        let expected = if data.starts_with("\u{FEFF}".as_bytes()) { Rule::Jsn2 } else { Rule::Jsn3 };
        return assert_eq!(error.violations()[0].rule(), expected);
    };
    let theirs = serde_json::from_str::<Value>(text);
    let ours = text.parse::<FreeObject>();
    match &ours {
        Ok(object) => {
            let theirs = theirs.expect("serde_json accepts what is accepted here");
            let written = serde_json::from_str::<Value>(object.as_str()).expect("what is written is JSON");
            assert_eq!(written, theirs, "both read the same");
            assert_eq!(object.as_str().parse().as_ref(), Ok(object), "what is written can be read");
            check_members(object);
        }
        Err(error) => {
            refusal::check_in(data, &[FREE_LEVELS], error);
            let rules = || error.violations().iter().map(Violation::rule);
            if error.total() <= 100 && !rules().any(|rule| refusal::ends_reading(rule) || rule == Rule::Jsn11) {
                assert!(theirs.is_ok(), "serde_json accepts what only these rules refuse:\n{error}");
            }
        }
    }
    let about_json = violations(&ours);
    let as_deep = Limits::default().with_max_depth(u32::try_from(FREE_LEVELS).expect("a few"));
    for decoder in [Decoder::strict(), Decoder::lenient()] {
        // A payload by itself is as deep as free content.
        same_verdict(&about_json, &decoder.decode::<WorkStatus>(data));
        let decoder = decoder.with_limits(as_deep);
        same_verdict(&about_json, &decoder.decode::<MessageEnvelope>(data));
        same_verdict(&about_json, &decoder.decode::<ChannelMessage>(data));
        same_verdict(&about_json, &decoder.decode::<AgentEvent>(data));
    }
}

/// A document breaks the rules of JSON where free content does. Of more than a hundred violations
/// the rest is not known.
fn same_verdict<D: Document>(about_json: &Option<Vec<Violation>>, document: &Result<D, ProtocolError>) {
    if let (Some(expected), Some(found)) = (about_json, violations(document)) {
        assert_eq!(&found, expected);
    }
}

/// All violations that are about JSON itself; nothing where some were not kept.
fn violations<T>(verdict: &Result<T, ProtocolError>) -> Option<Vec<Violation>> {
    match verdict {
        Ok(_) => Some(Vec::new()),
        Err(error) if error.total() > error.violations().len() => None,
        Err(error) => Some(error.violations().iter().filter(|one| refusal::of_json(one.rule())).cloned().collect()),
    }
}

/// The members that an object gives are those that it is made of.
fn check_members(object: &FreeObject) {
    let mut copy = FreeObject::new();
    for (key, value) in object.iter() {
        let value = serde_json::value::RawValue::from_string(value.as_str().to_owned()).expect("a value is JSON");
        copy = copy.with(&key, &value).expect("a member of an object can be put into another");
    }
    assert_eq!(&copy, object);
}
