//! A million of something: fields, repeated keys, names.

use std::fmt::Write;

use workwire::{AgentEvent, Decoder};

use super::inputs::{counted, event_with, with_content, with_fields};
use crate::{at_two_sizes, read, refused, widest};

const MILLION: usize = 1_000_000;

#[test]
fn unknown_fields_are_counted_or_dropped() {
    at_two_sizes(MILLION, |times| {
        let text = with_fields(&counted(times, |out, index| write!(out, r#","u{index}":0"#).unwrap()));
        let error = refused(&text, "FLD-2", times);
        assert_eq!(error.violations()[99].pointer(), "/u99");
        let lenient = Decoder::lenient().with_limits(workwire::Limits::default().with_max_bytes(usize::MAX));
        assert!(lenient.decode::<workwire::MessageEnvelope>(text.as_bytes()).is_ok());
    });
}

#[test]
fn unknown_fields_of_a_later_minor_version_are_kept() {
    at_two_sizes(MILLION, |times| {
        let fields = counted(times, |out, index| write!(out, r#","u{index}":[]"#).unwrap());
        let message = read(&with_fields(&format!(r#"{fields},"protocol_version":"1.1""#))).unwrap();
        assert_eq!(message.extra(&format!("u{}", times - 1)).unwrap().as_str(), "[]");
        assert_eq!(read(&message.to_json()).unwrap(), message);
    });
}

#[test]
fn repeated_keys_are_counted() {
    at_two_sizes(MILLION, |times| {
        refused(&with_fields(&r#","priority":3"#.repeat(times + 1)), "JSN-5", times);
        refused(&with_fields(&r#","u":3"#.repeat(times + 1)), "FLD-2", times + 1);
        refused(&with_content(&format!(r#"{{"a":1{}}}"#, r#","a":1"#.repeat(times))), "JSN-5", times);
    });
}

#[test]
fn different_keys_are_told_apart() {
    at_two_sizes(MILLION, |times| {
        let keys = counted(times, |out, index| write!(out, r#","{index}":1"#).unwrap());
        assert!(read(&with_content(&format!(r#"{{"a":1{keys}}}"#))).is_ok());
        let escaped = counted(times, |out, index| write!(out, r#","\u0061{index}":1"#).unwrap());
        let twice = with_content(&format!(r#"{{"a":1{escaped}{}}}"#, r#","a0":1"#));
        refused(&twice, "JSN-5", 1);
    });
}

#[test]
fn objects_of_repeated_keys_are_counted() {
    at_two_sizes(MILLION, |times| {
        let objects = r#"{"a":1,"a":1},"#.repeat(times);
        let error = refused(&with_content(&format!("[{objects}1]")), "JSN-5", times);
        assert_eq!(error.violations()[99].pointer(), "/payload/parameters/a/99/a");
    });
}

#[test]
fn chains_of_names_are_read_or_counted() {
    at_two_sizes(MILLION, |times| {
        let event = |names: &str| {
            let text = event_with(&format!(r#","call_chain":[{names}"a"]"#));
            widest().decode::<AgentEvent>(text.as_bytes())
        };
        assert_eq!(event(&r#""b","#.repeat(times)).unwrap().call_chain().names().len(), times + 1);
        for (name, rule) in [(r#""","#, "NAM-1"), (r#""\n","#, "TXT-1"), ("0,", "FLD-1"), ("null,", "FLD-1")] {
            let error = event(&name.repeat(times)).unwrap_err();
            assert_eq!((error.violations()[0].rule().id(), error.total()), (rule, times));
            assert_eq!(error.violations()[99].pointer(), "/call_chain/99");
        }
    });
}

#[test]
fn chains_without_the_source_are_told_in_few_words() {
    at_two_sizes(MILLION, |times| {
        let text = event_with(&format!(r#","call_chain":[{}"b"]"#, r#""b","#.repeat(times)));
        let error = widest().decode::<AgentEvent>(text.as_bytes()).unwrap_err();
        assert_eq!((error.violations()[0].rule().id(), error.total()), ("EVT-6", 1));
        assert!(error.to_string().len() < 300, "{error}");
    });
}

#[test]
fn payloads_before_the_type_are_looked_behind_once() {
    at_two_sizes(MILLION, |times| {
        let fields = counted(times, |out, index| write!(out, r#","u{index}":0"#).unwrap());
        let text = with_fields("").replacen(r#""type":"work_request","#, "", 1);
        let text = format!(r#"{}{fields},"payload":{{}},"type":"work_request"}}"#, text.strip_suffix('}').unwrap());
        refused(&text, "FLD-2", times + 1);
    });
}
