//! Events of a tenant.

use std::collections::HashSet;

use serde_json::json;
use workwire::{AgentEvent, CallChain, CorrelationId, Decoder, EventId, EventPriority, EventType, Name, Timestamp};

use crate::bodies::{event, places, requires};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[test]
fn event_creation() {
    let before = Timestamp::now();
    let made = AgentEvent::compose(EventType::TaskAssigned, "acme".parse().unwrap(), name("coder-2")).build().unwrap();
    assert!(before <= *made.timestamp() && *made.timestamp() <= Timestamp::now());
    assert_eq!(made.event_type(), &EventType::TaskAssigned);
    assert_eq!(made.tenant_id().as_str(), "acme");
    assert_eq!(made.source_agent_id(), &name("coder-2"));
    assert_eq!(made.call_chain().names(), [name("coder-2")]);
    assert_eq!(made.priority(), &EventPriority::Normal);
    assert!(made.data().is_empty() && made.context_refs().is_empty());
    assert_eq!((made.correlation_id(), made.parent_event_id()), (None, None));
    assert_eq!(AgentEvent::from_json(&made.to_json()).unwrap(), made);
}

#[test]
fn event_makes_unique_ids() {
    let make = || AgentEvent::compose(EventType::AgentHealth, "acme".parse().unwrap(), name("a")).build().unwrap();
    let ids: HashSet<EventId> = (0..100).map(|_| *make().event_id()).collect();
    assert_eq!(ids.len(), 100);
}

#[test]
fn event_requires_its_fields() {
    for field in ["/event_id", "/event_type", "/timestamp", "/tenant_id", "/source_agent_id", "/call_chain"] {
        requires(event, field, "EVT-1");
    }
}

#[test]
fn event_call_chain_missing_or_empty_refused() {
    event().without("/call_chain").breaks(&[("/call_chain", "EVT-1")]);
    event().with("/call_chain", json!([])).breaks(&[("/call_chain", "EVT-5")]);
    event().with("/call_chain", "coder-2").breaks(&[("/call_chain", "FLD-1")]);
    event().with("/call_chain", json!(["coder-2", "no name"])).breaks(&[("/call_chain/1", "NAM-1")]);
    assert_eq!(places(&CallChain::new(Vec::new()).unwrap_err()), [("", "EVT-5")]);
    assert_eq!(CallChain::from(name("a")).names(), [name("a")]);
}

#[test]
fn event_source_not_in_call_chain_refused() {
    event().with("/call_chain", json!(["planner-1"])).breaks(&[("/call_chain", "EVT-6")]);
    event().with("/source_agent_id", "other").breaks(&[("/call_chain", "EVT-6")]);
    let compose = AgentEvent::compose(EventType::TaskFailed, "acme".parse().unwrap(), name("coder-2"));
    let error = compose.call_chain(CallChain::from(name("planner-1"))).build().unwrap_err();
    assert_eq!(places(&error), [("/call_chain", "EVT-6")]);
}

#[test]
fn event_call_chain_holds_a_name_twice() {
    let chain = event().with("/call_chain", json!(["coder-2", "planner-1", "coder-2"])).read();
    assert_eq!(chain.call_chain().names().len(), 3);
}

#[test]
fn event_type_is_one_of_nine_in_lower_case() {
    assert_eq!(EventType::ALL.len(), 9);
    for event_type in EventType::ALL {
        assert_eq!(event().with("/event_type", event_type.as_str()).read().event_type(), event_type);
    }
    event().with("/event_type", "TASK_FAILED").breaks(&[("/event_type", "EVT-2")]);
}

#[test]
fn event_type_in_any_case_is_taken_leniently() {
    let lenient = event().with("/event_type", "Task_FAILED").read_leniently();
    assert_eq!(lenient.event_type(), &EventType::TaskFailed);
    assert!(lenient.to_json().contains(r#""event_type":"task_failed""#));
    let kelvin = event().with("/event_type", "tas\u{212a}_failed");
    assert!(Decoder::lenient().decode::<AgentEvent>(kelvin.text().as_bytes()).is_err(), "only ASCII has a case");
}

#[test]
fn event_priority_is_low_normal_high_or_critical() {
    for word in ["low", "normal", "high", "critical"] {
        assert_eq!(event().with("/priority", word).read().priority().as_str(), word);
    }
    assert_eq!(event().with("/priority", ()).read().priority(), &EventPriority::Normal);
    event().with("/priority", "urgent").breaks(&[("/priority", "EVT-4")]);
    event().with("/priority", 3).breaks(&[("/priority", "FLD-1")]);
}

#[test]
fn event_tenant_has_1_to_64_characters() {
    event().with("/tenant_id", "a".repeat(64)).read();
    for broken in ["", "-a", "Acme", "a_b", &"a".repeat(65)] {
        event().with("/tenant_id", broken).breaks(&[("/tenant_id", "EVT-3")]);
    }
}

#[test]
fn event_references_hold_no_comma() {
    let refs = event().with("/context_refs", json!(["s3://a/b.json", "mem:7"])).read();
    assert_eq!(refs.context_refs().len(), 2);
    event()
        .with("/context_refs", json!(["a", "b,c", ""]))
        .breaks(&[("/context_refs/1", "EVT-7"), ("/context_refs/2", "EVT-7")]);
}

#[test]
fn event_caused_by_another_goes_on_from_it() {
    let correlation = CorrelationId::new("order-4711").unwrap();
    let first = event().with("/correlation_id", "order-4711").with("/priority", "high").read();
    let next = first.caused(name("reviewer-3"), EventType::HandoffRequest).build().unwrap();
    assert_eq!(next.call_chain().names(), [name("planner-1"), name("coder-2"), name("reviewer-3")]);
    assert_eq!(next.source_agent_id(), &name("reviewer-3"));
    assert_eq!(next.event_type(), &EventType::HandoffRequest);
    assert_eq!(next.tenant_id(), first.tenant_id());
    assert_eq!(next.correlation_id(), Some(&correlation));
    assert_eq!(next.parent_event_id(), Some(first.event_id()));
    assert_ne!(next.event_id(), first.event_id());
    assert!(next.timestamp() > first.timestamp());
}

#[test]
fn event_caused_without_correlation_has_none() {
    let next = event().read().caused(name("coder-2"), EventType::TaskFailed).build().unwrap();
    assert_eq!(next.correlation_id(), None);
    assert_eq!(next.call_chain().names().len(), 3);
    assert!(!next.to_json().contains("correlation_id"));
}
