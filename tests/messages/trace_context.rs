//! W3C trace context.

use workwire::{AgentType, MessageEnvelope, MessageId, TraceId, TraceParent};

use crate::bodies::{TRACE, places, request, work_request};

const WIRE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn traceparent_of_a_message_is_its_trace_id_and_the_end_of_its_message_id() {
    let parent = TraceParent::of_message(&request().read()).unwrap();
    assert_eq!(parent.to_string(), "00-4bf92f3577b34da6a3ce929d0e0e4736-bcceb302099a8057-01");
    assert_eq!(parent.trace_id().to_string(), TRACE);
    assert!(parent.is_sampled());
}

#[test]
fn traceparent_round_trips() {
    for text in [WIRE, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", &format!("{}ff", &WIRE[..53])] {
        let parent: TraceParent = text.parse().unwrap();
        assert_eq!(parent.to_string(), text);
        assert_eq!(parent.parent_id(), 0x00f0_67aa_0ba9_02b7);
        assert_eq!(parent.is_sampled(), !text.ends_with("00"));
    }
}

#[test]
fn traceparent_of_a_nil_trace_id_is_none() {
    let nil = TraceId::from_uuid(uuid::Uuid::nil());
    assert_eq!(TraceParent::new(nil, 1, true), None);
    assert_eq!(TraceParent::new(TraceId::new(), 0, true), None);
    let made = MessageEnvelope::new(AgentType::Orchestrator, AgentType::Infra, work_request().read());
    assert!(TraceParent::of_message(&made).is_some());
    assert_eq!(TraceParent::of_message(&made.clone().with_trace_id(nil)), None);
    assert_eq!(TraceParent::of_message(&made.with_message_id(MessageId::from_uuid(uuid::Uuid::nil()))), None);
}

#[test]
fn traceparent_of_a_later_version_is_read_with_what_follows() {
    for text in [format!("01{}", &WIRE[2..]), format!("cc{}-what-follows", &WIRE[2..]), format!("01{}-", &WIRE[2..])] {
        let parent: TraceParent = text.parse().unwrap();
        assert_eq!(parent.to_string(), WIRE, "{text}");
    }
}

#[test]
fn traceparent_that_is_broken_is_refused() {
    let broken = [
        String::new(),
        WIRE.to_uppercase(),
        WIRE.replace("4bf9", "4BF9"),
        format!("{WIRE}-"),
        format!("{WIRE}-more"),
        format!(" {WIRE}"),
        format!("ff{}", &WIRE[2..]),
        format!("0g{}", &WIRE[2..]),
        format!("1{}", &WIRE[2..]),
        format!("01{}more", &WIRE[2..]),
        WIRE[..54].to_owned(),
        WIRE.replace('-', "_"),
        WIRE.replace("00f067aa0ba902b7", "0000000000000000"),
        WIRE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
        WIRE.replace("4bf92f35", "+bf92f35"),
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7".to_owned(),
    ];
    for text in broken {
        let error = text.parse::<TraceParent>().expect_err(&text);
        assert_eq!(places(&error), [("", "TRC-2")], "{text}");
    }
}
