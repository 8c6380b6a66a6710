//! What is measured of each message, ready to run.

use std::hint::black_box;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use workwire::{AgentEvent, ChannelMessage, Document, DocumentKind, MessageEnvelope};

use crate::batch::{Batch, batch};
use crate::messages::{Message, messages};
use crate::plain;

/// The same work done in three ways.
pub(crate) struct Sides {
    /// This crate, with every check.
    pub(crate) ours: Batch,
    /// `serde_json` into plain structs, without any check, the type known beforehand.
    pub(crate) plain: Batch,
    /// `serde_json::Value`.
    pub(crate) value: Batch,
}

/// A message and what can be done with it.
pub(crate) struct Case {
    pub(crate) message: Message,
    pub(crate) decode: Sides,
    pub(crate) encode: Sides,
    /// Decoding of its variants, by what was done to them.
    pub(crate) variants: Vec<(&'static str, Batch)>,
}

/// All messages, each side of each found to do what it should.
pub(crate) fn cases() -> Vec<Case> {
    messages().into_iter().map(case).collect()
}

fn case(message: Message) -> Case {
    match message.kind {
        DocumentKind::Channel => pair::<ChannelMessage, plain::ChannelMessage>(message),
        DocumentKind::Event => pair::<AgentEvent, plain::AgentEvent>(message),
        DocumentKind::Envelope if message.text.contains("\"type\":\"error\"") => {
            pair::<MessageEnvelope, plain::Envelope<plain::ErrorMessage>>(message)
        }
        DocumentKind::Envelope if message.text.contains("\"type\":\"work_result\"") => {
            pair::<MessageEnvelope, plain::Envelope<plain::WorkResult>>(message)
        }
        DocumentKind::Envelope => pair::<MessageEnvelope, plain::Envelope<plain::WorkRequest>>(message),
    }
}

fn pair<D: Document + 'static, P: DeserializeOwned + Serialize + 'static>(message: Message) -> Case {
    let bytes: Rc<[u8]> = message.text.as_bytes().into();
    let ours = D::from_slice(&bytes).unwrap();
    let plain: P = serde_json::from_slice(&bytes).unwrap();
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    // Both read and write the same, so that they are compared on the same work.
    assert!(message.name == "300B" || ours.to_json() == message.text, "{} is not canonical", message.name);
    assert_eq!(ours.to_json(), serde_json::to_string(&plain).unwrap(), "{}", message.name);

    let (for_ours, for_plain, for_value) = (Rc::clone(&bytes), Rc::clone(&bytes), bytes);
    let decode = Sides {
        ours: batch(move || D::from_slice(black_box(&for_ours)).unwrap()),
        plain: batch(move || serde_json::from_slice::<P>(black_box(&for_plain)).unwrap()),
        value: batch(move || serde_json::from_slice::<Value>(black_box(&for_value)).unwrap()),
    };
    let encode = Sides {
        ours: batch(move || black_box(&ours).to_json()),
        plain: batch(move || serde_json::to_string(black_box(&plain)).unwrap()),
        value: batch(move || serde_json::to_string(black_box(&value)).unwrap()),
    };
    let variants = message.variants.iter().map(|variant| {
        let bytes: Rc<[u8]> = variant.text.as_bytes().into();
        let violations = D::from_slice(&bytes).err().map_or(0, |error| error.total());
        assert_eq!(violations, variant.violations, "{}, {}", message.name, variant.what);
        (variant.what, batch(move || D::from_slice(black_box(&bytes)).ok()))
    });
    Case { decode, encode, variants: variants.collect(), message }
}
