//! Events as documents: what a bus carries, and what it refuses.

use std::time::Duration;

use workwire::{AgentEvent, EventPriority};
use workwire_broker::{CloseMode, DeadLetterQueue, FaceError, LETTERS, Stored, TenantEventBus};

use super::streams::{acme, bus_of, consumer, event, name, only, published, smuggle, taken};
use crate::brokers::{Bench, on_bench};
use crate::poison::{poisons, reason};
use crate::subjects::each_broker;

each_broker! { on_bench:
    creation,
    call_chain_missing_or_empty_refused,
    source_not_in_the_call_chain_refused,
    stream_form_round_trips,
    another_tenant_s_event_refused_by_the_bus,
    another_tenant_s_event_in_the_stream_is_quarantined,
    tenants_streams_of_one_name_are_apart,
    poison_is_quarantined_with_its_reason_and_the_next_is_handled,
    urgency_does_not_change_the_order,
    the_same_event_published_twice_is_one,
}

async fn creation(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    let assigned = published(&bus).await;
    let caused = assigned.caused(name("tester-1"), workwire::EventType::TaskFailed).build().unwrap();
    assert_eq!(bus.publish(&caused).await.unwrap(), Stored::Stored);
    let events: Vec<_> = taken(&consumer).await.into_iter().map(workwire_broker::Taken::into_message).collect();
    assert_eq!(events, [assigned, caused]);
}

/// What the last dead letter of a group says of a body.
async fn refusal(bench: &Bench, body: String) -> String {
    let bus = acme(bench).await;
    let consumer = consumer(bench, &bus, "billing", "one").await;
    smuggle(bench, &bus, [body.into_bytes()]).await;
    let next = published(&bus).await;
    let event = only(&consumer).await;
    assert_eq!(*event.message(), next);
    consumer.done(&event).await.unwrap();
    let letters = DeadLetterQueue::of(&bus, name("billing")).list(LETTERS).await.unwrap();
    let letter = letters.last().unwrap();
    assert_eq!(letter.attempts, 1);
    for client in [bus.client(), consumer.client()] {
        client.close(CloseMode::Graceful).await.unwrap();
    }
    letter.error.clone()
}

async fn call_chain_missing_or_empty_refused(bench: Bench) {
    let valid = event("acme").build().unwrap().to_json();
    let chain = r#","call_chain":["coder-2"]"#;
    assert!(valid.contains(chain));
    let missing = refusal(&bench, valid.replace(chain, "")).await;
    assert_eq!(missing, "/call_chain: required (EVT-1)");
    let empty = refusal(&bench, valid.replace(chain, r#","call_chain":[]"#)).await;
    assert_eq!(empty, "/call_chain: expected at least one name, found [] (EVT-5)");
}

async fn source_not_in_the_call_chain_refused(bench: Bench) {
    let valid = event("acme").build().unwrap().to_json();
    let said = refusal(&bench, valid.replace(r#"["coder-2"]"#, r#"["planner-1"]"#)).await;
    assert_eq!(said, "/call_chain: expected a chain that holds the source, coder-2, found planner-1 (EVT-6)");
}

async fn stream_form_round_trips(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    let event = event("acme").data(r#"{"amount":10.50}"#.parse::<workwire::FreeObject>().unwrap()).build().unwrap();
    bus.publish(&event).await.unwrap();
    let taken = only(&consumer).await;
    let fields = taken.message().to_stream();
    let borrowed = fields.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    assert_eq!(AgentEvent::from_stream(borrowed).unwrap(), event);
}

async fn another_tenant_s_event_refused_by_the_bus(bench: Bench) {
    let bus = acme(&bench).await;
    let error = bus.publish(&event("globex").build().unwrap()).await.unwrap_err();
    assert!(matches!(error, FaceError::OtherTenant { .. }));
    assert_eq!(error.to_string(), "/tenant_id: expected acme, whose bus this is, found globex");
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    assert_eq!(taken(&consumer).await, []);
}

async fn another_tenant_s_event_in_the_stream_is_quarantined(bench: Bench) {
    let said = refusal(&bench, event("globex").build().unwrap().to_json()).await;
    assert_eq!(said, "/tenant_id: expected acme, whose stream this is, found globex");
}

async fn tenants_streams_of_one_name_are_apart(bench: Bench) {
    let (acme, globex) = (acme(&bench).await, bus_of(&bench, "other-bus", "globex").await);
    let theirs = published(&globex).await;
    let ours = published(&acme).await;
    let consumer_of = async |bus: &TenantEventBus, client: &str| consumer(&bench, bus, "billing", client).await;
    assert_eq!(*only(&consumer_of(&acme, "one").await).await.message(), ours);
    assert_eq!(*only(&consumer_of(&globex, "two").await).await.message(), theirs);
    assert_eq!(acme.info(&[]).await.unwrap().length, 1);
}

async fn poison_is_quarantined_with_its_reason_and_the_next_is_handled(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    let valid = event("acme").build().unwrap().to_json();
    let poisons = poisons(&valid, "version", (valid.replace("task_completed", "task_dreamt"), "EVT-2"));
    for poison in &poisons {
        smuggle(&bench, &bus, [poison.1.clone()]).await;
        let next = published(&bus).await;
        let event = only(&consumer).await;
        assert_eq!(*event.message(), next, "{}", poison.0);
        consumer.done(&event).await.unwrap();
    }
    let letters = DeadLetterQueue::of(&bus, name("billing")).list(LETTERS).await.unwrap();
    assert_eq!(letters.len(), poisons.len());
    for (letter, poison) in letters.iter().zip(&poisons) {
        assert_eq!(letter.body, poison.1);
        assert_eq!(letter.error, reason::<AgentEvent>(poison));
    }
}

async fn urgency_does_not_change_the_order(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    let order = [EventPriority::Low, EventPriority::Critical, EventPriority::Normal, EventPriority::High];
    for priority in order {
        bus.publish(&event("acme").priority(priority).build().unwrap()).await.unwrap();
    }
    let events = consumer.take(4, Duration::ZERO).await.unwrap();
    assert_eq!(events.iter().map(|event| *event.message().priority()).collect::<Vec<_>>(), order);
}

async fn the_same_event_published_twice_is_one(bench: Bench) {
    let bus = acme(&bench).await;
    let consumer = consumer(&bench, &bus, "billing", "one").await;
    let event = published(&bus).await;
    assert_eq!(bus.publish(&event).await.unwrap(), Stored::Duplicate);
    assert_eq!(taken(&consumer).await.len(), 1);
}
