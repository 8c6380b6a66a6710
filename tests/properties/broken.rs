//! Arbitrary bytes and changed messages: never a panic, and always an orderly refusal.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use workwire::{AnyDocument, Decoder, DocumentKind, ErrorMessage, MAX_VIOLATIONS, ProtocolError, Rule};

use super::documents::document;
use super::free;
use super::tree::Tree;
use crate::config;

/// What holds of every refusal.
fn orderly(error: &ProtocolError) {
    let (kept, total) = (error.violations().len(), error.total());
    assert_eq!(kept, total.min(MAX_VIOLATIONS), "{error}");
    assert!(kept > 0 && !error.is_content(), "{error}");
    for violation in error.violations() {
        assert!(violation.found().is_none_or(|found| found.chars().count() <= 120), "{violation}");
        assert!(violation.pointer().is_empty() || violation.pointer().starts_with('/'), "{violation}");
        assert!(!violation.to_string().chars().any(char::is_control), "{violation:?}");
    }
    let answer = ErrorMessage::from(error);
    assert_eq!(ErrorMessage::from_json(&answer.to_json()).as_ref(), Ok(&answer));
}

fn is_syntax(error: &ProtocolError) -> bool {
    let rules = [Rule::Jsn1, Rule::Jsn2, Rule::Jsn3, Rule::Jsn4, Rule::Jsn6, Rule::Jsn7];
    rules.contains(&error.violations()[0].rule())
}

/// Reads bytes in every way; another reader of JSON must agree on what is JSON at all.
fn read_in_every_way(bytes: &[u8]) {
    let is_json = serde_json::from_slice::<serde_json::Value>(bytes).is_ok();
    for decoder in [Decoder::strict(), Decoder::lenient()] {
        for kind in DocumentKind::ALL {
            match kind.decode(&decoder, bytes) {
                Ok(document) => {
                    assert!(is_json);
                    let text = document.to_json();
                    assert_eq!(kind.decode(&Decoder::strict(), text.as_bytes()), Ok(document), "{text}");
                }
                Err(error) => {
                    orderly(&error);
                    assert!(!(is_json && is_syntax(&error)), "{error}");
                }
            }
        }
        if let Err(error) = AnyDocument::from_cloud_event(&decoder, bytes) {
            orderly(&error);
        }
        if let Err(error) = decoder.decode_stream_json(bytes) {
            orderly(&error);
        }
    }
    match Decoder::strict().borrow_result(bytes) {
        Ok(_) => assert!(is_json),
        Err(error) => orderly(&error),
    }
}

fn bits_of_json() -> impl Strategy<Value = Vec<u8>> {
    let bits: Vec<&'static [u8]> = vec![
        b"\"",
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\\ud83d",
        b"\\u00",
        b"null",
        b"nul",
        b"1e400",
        b"-",
        b"NaN",
        b"\xEF\xBB\xBF",
        b"\xFF",
        b"\xC3",
        b"\xED\xA0\x80",
        b" ",
        b"\n",
        b"\0",
        b"0",
        b".",
        b"e9",
        b"\"type\":",
        b"\"type\":\"error\",",
        b"\"version\":\"1.5\",",
        b"\"protocol_version\":\"2.0\",",
        b"\"payload\":{},",
    ];
    prop_oneof![select(bits).prop_map(<[u8]>::to_vec), vec(any::<u8>(), 1..4)]
}

/// A change of bytes: so many cut from a place, others put there.
fn change() -> impl Strategy<Value = (Index, usize, Vec<u8>)> {
    (any::<Index>(), 0..4usize, prop_oneof![Just(Vec::new()), bits_of_json()])
}

/// A change of a member: another value, another name, the member twice, or none of it.
#[derive(Debug, Clone)]
enum Edit {
    Replace(Index, String),
    Rename(Index, Index, String),
    NameLikeAnother(Index, Index, Index),
    Remove(Index, Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let index = any::<Index>;
    prop_oneof![
        4 => (index(), free::json()).prop_map(|(at, value)| Edit::Replace(at, value)),
        1 => (index(), index(), free::string()).prop_map(|(at, member, name)| Edit::Rename(at, member, name)),
        1 => (index(), index(), index()).prop_map(|(at, member, other)| Edit::NameLikeAnother(at, member, other)),
        2 => (index(), index()).prop_map(|(at, member)| Edit::Remove(at, member)),
    ]
}

/// The members of the object at or before that place.
fn members_near(tree: &mut Tree, at: Index) -> Option<&mut Vec<(String, Tree)>> {
    let last = at.index(tree.size());
    let number =
        (0..=last).rev().find(|number| matches!(tree.node(*number), Tree::Object(members) if !members.is_empty()))?;
    tree.node(number).members()
}

fn apply(tree: &mut Tree, edit: &Edit) {
    match edit {
        Edit::Replace(at, value) => {
            let number = at.index(tree.size());
            *tree.node(number) = Tree::parse(value);
        }
        Edit::Rename(at, member, name) => {
            if let Some(members) = members_near(tree, *at) {
                let index = member.index(members.len());
                members[index].0.clone_from(name);
            }
        }
        Edit::NameLikeAnother(at, member, other) => {
            if let Some(members) = members_near(tree, *at) {
                let name = other.get(members).0.clone();
                let index = member.index(members.len());
                members[index].0 = name;
            }
        }
        Edit::Remove(at, member) => {
            if let Some(members) = members_near(tree, *at) {
                let index = member.index(members.len());
                members.remove(index);
            }
        }
    }
}

/// Requires that the violations stand in the order of their places, as far as their pointers tell
/// the place: a missing one stands at the end of what should hold it.
fn in_order(tree: &Tree, error: &ProtocolError) {
    let mut places: HashMap<String, Vec<(usize, usize, bool)>> = HashMap::new();
    let text = tree.text();
    for (pointer, begin, end) in tree.places() {
        let is_null = text[..end].ends_with("null");
        places.entry(pointer).or_default().push((begin, end, is_null));
    }
    let place_of = |pointer: &str| {
        let mut rest = pointer;
        loop {
            match places.get(rest).map(Vec::as_slice) {
                Some([(begin, ..)]) if rest == pointer => return Some(*begin),
                Some([(_, end, false)]) => return Some(*end - 1),
                Some([(_, _, true)]) | None => rest = &rest[..rest.rfind('/')?],
                Some(_) => return None,
            }
        }
    };
    let found: Vec<usize> = error.violations().iter().filter_map(|violation| place_of(violation.pointer())).collect();
    assert!(found.is_sorted(), "{found:?} in {text}\n{error}");
}

/// Requires that a lenient reader says the same but for unknown fields.
fn agrees_with_lenient(kind: DocumentKind, text: &str, strict: Option<&ProtocolError>) {
    let of = |error: &ProtocolError| {
        let all = error.violations().iter().filter(|violation| violation.rule() != Rule::Fld2);
        all.map(ToString::to_string).collect::<Vec<_>>()
    };
    let lenient = kind.decode(&Decoder::lenient(), text.as_bytes()).err();
    if strict.is_none_or(|error| error.total() <= MAX_VIOLATIONS) {
        assert_eq!(lenient.as_ref().map(of).unwrap_or_default(), strict.map(of).unwrap_or_default(), "{text}");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn arbitrary_bytes_are_refused_in_order(bytes in vec(any::<u8>(), 0..200)) {
        read_in_every_way(&bytes);
    }

    #[test]
    fn arbitrary_bits_of_json_are_refused_in_order(bits in vec(bits_of_json(), 0..30)) {
        read_in_every_way(&bits.concat());
    }

    #[test]
    fn arbitrary_json_is_refused_in_order(text in free::json()) {
        read_in_every_way(text.as_bytes());
    }

    #[test]
    fn messages_with_changed_bytes_are_read_or_refused_in_order(
        document in document(),
        changes in vec(change(), 1..4),
        wrapped in any::<bool>(),
    ) {
        let text = if wrapped { document.to_cloud_event() } else { document.to_json() };
        let mut bytes = text.into_bytes();
        for (at, cut, put) in changes {
            let from = at.index(bytes.len() + 1);
            let to = (from + cut).min(bytes.len());
            bytes.splice(from..to, put);
        }
        read_in_every_way(&bytes);
    }

    #[test]
    fn messages_with_changed_members_are_read_or_refused_in_order(
        document in document(),
        edits in vec(edit(), 1..6),
    ) {
        let mut tree = Tree::parse(&document.to_json());
        for edit in &edits {
            apply(&mut tree, edit);
        }
        let text = tree.text();
        prop_assume!(text.starts_with('{'));
        match document.kind().decode(&Decoder::strict(), text.as_bytes()) {
            Ok(read) => {
                prop_assert_eq!(document.kind().decode(&Decoder::strict(), read.to_json().as_bytes()), Ok(read));
                agrees_with_lenient(document.kind(), &text, None);
            }
            Err(error) => {
                orderly(&error);
                prop_assert!(!is_syntax(&error), "{}: {}", text, error);
                in_order(&tree, &error);
                agrees_with_lenient(document.kind(), &text, Some(&error));
            }
        }
    }

    #[test]
    fn broken_data_is_told_in_a_cloud_event_as_by_itself(document in document(), edits in vec(edit(), 1..4)) {
        let mut data = Tree::parse(&document.to_json());
        for edit in &edits {
            apply(&mut data, edit);
        }
        let alone = document.kind().decode(&Decoder::strict(), data.text().as_bytes());
        prop_assume!(data.text().starts_with('{') && alone.is_err());
        let mut event = Tree::parse(&document.to_cloud_event());
        *event.member("data").unwrap() = data;
        let wrapped = AnyDocument::from_cloud_event(&Decoder::strict(), event.text().as_bytes()).unwrap_err();
        let alone: Vec<String> = alone.unwrap_err().violations().iter().map(|violation| format!("/data{violation}")).collect();
        let wrapped: Vec<String> = wrapped.violations().iter().map(ToString::to_string).collect();
        prop_assert_eq!(wrapped, alone);
    }
}
