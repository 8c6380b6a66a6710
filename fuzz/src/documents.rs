//! Each kind of document, read strictly and leniently.

use std::fmt::Debug;

use workwire::{AgentEvent, ChannelMessage, Decoder, Document, Limits, MessageEnvelope, MessageType, Rule};

use crate::refusal;

/// Any bytes as an envelope; as one whose output is left in the bytes it is the same.
pub fn decode_envelope(data: &[u8]) {
    decode::<MessageEnvelope>(data);
    for decoder in [Decoder::strict(), Decoder::lenient()] {
        let owned = decoder.decode::<MessageEnvelope>(data);
        match decoder.borrow_result(data) {
            Ok(Some(borrowed)) => assert_eq!(Ok(borrowed.into_owned()), owned),
            Ok(None) => assert!(owned.is_ok_and(|envelope| envelope.message_type() != MessageType::WorkResult)),
            Err(error) => assert_eq!(Err(error), owned),
        }
    }
}

/// Any bytes as a channel message.
pub fn decode_channel(data: &[u8]) {
    decode::<ChannelMessage>(data);
}

/// Any bytes as an event.
pub fn decode_event(data: &[u8]) {
    decode::<AgentEvent>(data);
}

/// A lenient reader accepts what a strict one does, reads it the same, and forgives nothing but
/// unknown fields and the case of event types. Refusals are complete and in their places.
fn decode<D: Document + PartialEq + Debug>(data: &[u8]) {
    let strict = Decoder::strict().decode::<D>(data);
    let lenient = Decoder::lenient().decode::<D>(data);
    for error in [&strict, &lenient].into_iter().filter_map(|verdict| verdict.as_ref().err()) {
        refusal::check_in(data, &[64], error);
    }
    match (&strict, &lenient) {
        (Ok(strict), lenient) => assert_eq!(lenient.as_ref(), Ok(strict)),
        (Err(strict), Ok(_)) => {
            for violation in strict.violations() {
                assert!(matches!(violation.rule(), Rule::Fld2 | Rule::Evt2), "only this is forgiven: {violation}");
            }
        }
        (Err(strict), Err(lenient)) => {
            assert!(lenient.total() <= strict.total(), "leniently\n{lenient}\nstrictly\n{strict}");
            if strict.total() <= strict.violations().len() {
                for violation in lenient.violations() {
                    assert!(strict.violations().contains(violation), "only leniently refused: {violation}");
                }
            }
        }
    }
    within_limits(data, &strict);
}

/// A limit that a document keeps changes nothing; one that it does not keep is what is reported.
fn within_limits<D: Document + PartialEq + Debug>(data: &[u8], verdict: &Result<D, workwire::ProtocolError>) {
    let read = |limits: Limits| Decoder::strict().with_limits(limits).decode::<D>(data);
    assert_eq!(&read(Limits::default().with_max_bytes(data.len())), verdict);
    if let Some(less) = data.len().checked_sub(1) {
        let error = read(Limits::default().with_max_bytes(less)).expect_err("it is one byte too large");
        assert!(error.is_too_large(), "{error}");
    }
    match read(Limits::default().with_max_depth(3)) {
        Err(error) if error.violations().iter().any(|violation| violation.rule() == Rule::Jsn8) => {}
        shallow => assert_eq!(&shallow, verdict),
    }
}
