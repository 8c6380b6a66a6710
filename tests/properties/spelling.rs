//! White space, the order of fields and the spelling of strings mean nothing.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use workwire::{AnyDocument, Decoder, DocumentKind};

use super::documents::document;
use super::free::escaped;
use super::tree::Tree;
use crate::config;

/// Puts the members in the order of these numbers, taken round and round.
fn shuffle(tree: &mut Tree, order: &[u8]) {
    let Some(members) = tree.members() else { return };
    let mut numbered: Vec<_> = order.iter().cycle().zip(std::mem::take(members)).collect();
    numbered.sort_by_key(|(number, _)| **number);
    members.extend(numbered.into_iter().map(|(_, member)| member));
}

/// Shuffles the fields that the protocol knows; the order of free content is kept.
fn shuffle_fields(tree: &mut Tree, kind: DocumentKind, order: &[u8]) {
    if kind == DocumentKind::Envelope {
        let payload = tree.member("payload").unwrap();
        if let Some(step) = payload.member("step") {
            shuffle(step, order);
        }
        shuffle(payload, order);
    }
    shuffle(tree, order);
}

/// Fields of a later minor version are kept in the order in which they come.
fn is_of_this_version(document: &AnyDocument) -> bool {
    match document {
        AnyDocument::Envelope(document) => !document.protocol_version().is_later(),
        AnyDocument::Channel(document) => !document.version().is_later(),
        AnyDocument::Event(document) => !document.version().is_later(),
    }
}

/// Writes the keys of the document's own fields with escapes.
fn escape_keys(tree: &mut Tree) {
    for (key, _) in tree.members().unwrap() {
        let name: String = serde_json::from_str(key).unwrap();
        *key = escaped(&name);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn white_space_and_the_order_of_fields_do_not_matter(
        document in document().prop_filter("of this version", is_of_this_version),
        order in vec(any::<u8>(), 1..16),
        spaces in vec(select(vec!["", " ", "\n", "\t\r\n  ", "          "]), 1..16),
        escaped in any::<bool>(),
    ) {
        let mut tree = Tree::parse(&document.to_json());
        shuffle_fields(&mut tree, document.kind(), &order);
        if escaped {
            escape_keys(&mut tree);
        }
        let mut spaces = spaces.into_iter().cycle();
        let text = tree.text_with(&mut || spaces.next().unwrap());
        let same = document.kind().decode(&Decoder::strict(), text.as_bytes());
        prop_assert_eq!(same, Ok(document), "{}", text);
    }

    #[test]
    fn white_space_does_not_matter_in_later_versions(
        document in document(),
        spaces in vec(select(vec!["", " ", "\n"]), 1..16),
    ) {
        let mut spaces = spaces.into_iter().cycle();
        let text = Tree::parse(&document.to_json()).text_with(&mut || spaces.next().unwrap());
        let same = document.kind().decode(&Decoder::strict(), text.as_bytes());
        prop_assert_eq!(same, Ok(document), "{}", text);
    }
}
