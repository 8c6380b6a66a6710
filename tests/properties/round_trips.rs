//! What is written is read as the same.

use proptest::prelude::*;
use workwire::{AgentEvent, AnyDocument, ChannelMessage, Decoder, ErrorMessage, FreeObject, MessageEnvelope, Payload};

use super::documents::{channel_message, document, envelope, event};
use super::{free, values};
use crate::config;

fn read(kind: workwire::DocumentKind, text: &str) -> AnyDocument {
    kind.decode(&Decoder::strict(), text.as_bytes()).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_document_survives_writing_and_reading(document in document()) {
        let text = document.to_json();
        let same = read(document.kind(), &text);
        prop_assert_eq!(&same, &document);
        prop_assert_eq!(same.to_json(), text, "what was read is written the same");
    }

    #[test]
    fn any_document_survives_cloud_events(document in document()) {
        let text = document.to_cloud_event();
        let same = AnyDocument::from_cloud_event(&Decoder::strict(), text.as_bytes());
        prop_assert_eq!(same, Ok(document), "{}", text);
    }

    #[test]
    fn any_event_survives_the_stream_form(event in event()) {
        let fields = event.to_stream();
        let same = AgentEvent::from_stream(fields.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        prop_assert_eq!(same.as_ref(), Ok(&event), "{:?}", fields);
        let members: Vec<_> = fields.iter().map(|(key, value)| (free::quoted(key), free::quoted(value))).collect();
        let text = free::join(&members);
        prop_assert_eq!(Decoder::strict().decode_stream_json(text.as_bytes()), Ok(event), "{}", text);
    }

    #[test]
    fn any_document_is_read_leniently_as_strictly(document in document()) {
        let text = document.to_json();
        let same = document.kind().decode(&Decoder::lenient(), text.as_bytes());
        prop_assert_eq!(same, Ok(document));
    }

    #[test]
    fn any_document_survives_serde(envelope in envelope(), message in channel_message(), event in event()) {
        let all = (envelope, vec![message], Some(event));
        let text = serde_json::to_string(&all).unwrap();
        prop_assert_eq!(serde_json::from_str::<(MessageEnvelope, Vec<_>, Option<_>)>(&text).unwrap(), all);
    }

    #[test]
    fn any_result_is_borrowed_as_it_is(envelope in envelope()) {
        let text = envelope.to_json();
        let borrowed = Decoder::strict().borrow_result(text.as_bytes()).unwrap();
        match envelope.payload() {
            Payload::WorkResult(result) => {
                let borrowed = borrowed.unwrap();
                prop_assert_eq!(borrowed.output(), result.output());
                let has_escapes = result.output().contains(|c: char| c < ' ' || c == '"' || c == '\\');
                prop_assert_eq!(borrowed.is_borrowed(), !has_escapes);
                prop_assert_eq!(borrowed.into_owned(), envelope);
            }
            _ => prop_assert!(borrowed.is_none()),
        }
    }

    #[test]
    fn any_reply_can_be_read(envelope in envelope(), reason in values::reason()) {
        let error = ErrorMessage::builder().error_code(workwire::ErrorCode::INTERNAL).error_message(reason);
        let reply = envelope.reply(error.build().unwrap());
        prop_assert_eq!(MessageEnvelope::from_json(&reply.to_json()), Ok(reply.clone()));
        prop_assert_eq!(reply.request_id(), envelope.request_id());
    }

    #[test]
    fn any_event_causes_another(event in event(), agent in values::name()) {
        let next = event.caused(agent.clone(), workwire::EventType::TaskFailed).build().unwrap();
        prop_assert_eq!(next.call_chain().names().last(), Some(&agent));
        prop_assert_eq!(AgentEvent::from_json(&next.to_json()), Ok(next));
    }

    #[test]
    fn any_free_content_keeps_its_members(text in free::object_text()) {
        let object: FreeObject = text.parse().unwrap();
        let again: FreeObject = object.as_str().parse().unwrap();
        prop_assert_eq!(&again, &object);
        let same: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(object.read::<serde_json::Value>().unwrap(), same);
        let rebuilt = object.iter().try_fold(FreeObject::new(), |made, (key, value)| {
            made.with(&key, &value.read::<Box<serde_json::value::RawValue>>()?)
        });
        prop_assert_eq!(rebuilt, Ok(object));
    }

    #[test]
    fn whatever_can_be_built_can_be_read(depth in 56..=64usize, lists in any::<bool>(), event in event()) {
        let (open, close) = if lists { ("[", "]") } else { ("{\"a\":", "}") };
        let text = format!("{{\"a\":{}1{}}}", open.repeat(depth - 1), close.repeat(depth - 1));
        let Ok(content) = text.parse::<FreeObject>() else { return Ok(()) };
        let source = event.source_agent_id().clone();
        let next = event.caused(source.clone(), workwire::EventType::TaskFailed).data(content.clone()).build();
        let message = ChannelMessage::compose("a".parse().unwrap(), source).payload(content.clone()).build();
        let error = ErrorMessage::builder().error_code(workwire::ErrorCode::INTERNAL).context(content.clone());
        let error = error.error_message("x".parse::<workwire::Reason>().unwrap()).build();
        let (from, to) = (workwire::AgentType::Code, workwire::AgentType::Orchestrator);
        let envelope = error.map(|error| MessageEnvelope::new(from, to, error).with_custom_fields(content));
        let built = [
            next.map(AnyDocument::Event),
            message.map(AnyDocument::Channel),
            envelope.map(AnyDocument::Envelope),
        ];
        for document in built.into_iter().flatten() {
            prop_assert_eq!(&read(document.kind(), &document.to_json()), &document);
            let text = document.to_cloud_event();
            prop_assert_eq!(AnyDocument::from_cloud_event(&Decoder::strict(), text.as_bytes()), Ok(document));
        }
    }
}
