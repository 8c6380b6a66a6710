//! What is no work, or stands in the wrong queue.

use std::time::Duration;

use uuid::Uuid;
use workwire::{AgentType, MessageEnvelope};
use workwire_broker::{LETTERS, Message, Policy, Queue, broadcast_queue, reply_queue, work_queue};

use super::parties::{bus, echo, next, next_reply, result};
use crate::brokers::{Bench, on_bench};
use crate::poison::{Poison, poisons, reason};
use crate::subjects::each_broker;

each_broker! { on_bench:
    malformed_message_to_dead_letters,
    json_that_is_no_valid_envelope_to_dead_letters,
    ten_malformed_make_ten_dead_letters,
    poison_is_quarantined_with_its_reason_and_the_next_is_handled,
    poison_among_replies_is_quarantined_and_the_next_is_handled,
    work_on_the_wrong_queue_goes_to_its_dead_letters,
    a_deep_backlog_of_poison_does_not_hide_what_is_behind,
}

each_broker! { where time jumps: on_bench:
    poison_alone_is_quarantined_and_nothing_is_taken,
}

/// Puts bytes into a queue past every check.
async fn smuggle(bench: &Bench, queue: &Queue, bodies: impl IntoIterator<Item = Vec<u8>>) {
    let client = bench.client(&format!("stranger-{}", Uuid::now_v7())).await;
    client.declare(queue, &Policy::default()).await.unwrap();
    for body in bodies {
        client.publish(queue, Message::new(Uuid::now_v7(), body)).await.unwrap();
    }
}

fn infra() -> Queue {
    work_queue(AgentType::Infra)
}

fn envelope_poisons() -> Vec<Poison> {
    let valid = echo().to_json();
    let unknown = valid.replace("work_request", "work_wish");
    poisons(&valid, "protocol_version", (unknown, "ENV-3"))
}

async fn malformed_message_to_dead_letters(bench: Bench) {
    let bus = bus(&bench, "one").await;
    smuggle(&bench, &infra(), [b"this is not JSON".to_vec()]).await;
    assert!(next(&bus).await.is_none());
    let letters = bus.dead_letters(&infra(), LETTERS).await.unwrap();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!(&letter.body[..], b"this is not JSON");
    assert!(letter.error.starts_with("line 1, column 1 (byte 0): "), "{}", letter.error);
    // Not requeued: that was its only delivery.
    assert_eq!(letter.attempts, 1);
}

async fn json_that_is_no_valid_envelope_to_dead_letters(bench: Bench) {
    let bus = bus(&bench, "one").await;
    let body = echo().to_json().replace(r#""priority":3"#, r#""priority":9"#);
    smuggle(&bench, &infra(), [body.into_bytes()]).await;
    assert!(next(&bus).await.is_none());
    let letters = bus.dead_letters(&infra(), LETTERS).await.unwrap();
    assert_eq!(letters[0].error, "/priority: expected an integer from 1 to 5, found 9 (ENV-4)");
}

async fn ten_malformed_make_ten_dead_letters(bench: Bench) {
    let bus = bus(&bench, "one").await;
    let bodies: Vec<_> = (0..10).map(|number| format!("malformed {number}").into_bytes()).collect();
    smuggle(&bench, &infra(), bodies.clone()).await;
    let request = echo();
    bus.send(&request).await.unwrap();
    assert_eq!(*next(&bus).await.unwrap().message(), request);
    let letters = bus.dead_letters(&infra(), LETTERS).await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.body.to_vec()).collect::<Vec<_>>(), bodies);
    assert_eq!(bus.depth(&infra()).await.unwrap().dead, Some(10));
}

async fn poison_is_quarantined_with_its_reason_and_the_next_is_handled(bench: Bench) {
    let bus = bus(&bench, "one").await;
    let poisons = envelope_poisons();
    let request = echo();
    for poison in &poisons {
        smuggle(&bench, &infra(), [poison.1.clone()]).await;
        bus.send(&request.clone().with_message_id(workwire::MessageId::new())).await.unwrap();
        let work = next(&bus).await.unwrap_or_else(|| panic!("nothing is handled behind: {}", poison.0));
        assert_eq!(work.message().request_id(), request.request_id());
        bus.done(&work).await.unwrap();
    }
    let letters = bus.dead_letters(&infra(), LETTERS).await.unwrap();
    assert_eq!(letters.len(), poisons.len());
    for (letter, poison) in letters.iter().zip(&poisons) {
        assert_eq!(letter.body, poison.1);
        assert_eq!(letter.error, reason::<MessageEnvelope>(poison));
        assert_eq!(letter.attempts, 1, "{}", poison.0);
    }
}

async fn poison_among_replies_is_quarantined_and_the_next_is_handled(bench: Bench) {
    let bus = bus(&bench, "one").await;
    let poisons = envelope_poisons();
    smuggle(&bench, &reply_queue(), poisons.iter().map(|poison| poison.1.clone())).await;
    let answer = result(&echo());
    bus.send(&answer).await.unwrap();
    assert_eq!(*next_reply(&bus).await.unwrap().message(), answer);
    assert_eq!(bus.dead_letters(&reply_queue(), LETTERS).await.unwrap().len(), poisons.len());
}

async fn poison_alone_is_quarantined_and_nothing_is_taken(bench: Bench) {
    let bus = bus(&bench, "one").await;
    smuggle(&bench, &infra(), [b"oops".to_vec(), b"oops".to_vec()]).await;
    let agent = bus.clone();
    let waiting = tokio::spawn(async move { agent.take_work(AgentType::Infra, 5, Duration::from_secs(5)).await });
    assert_eq!(bench.pass_until(waiting).await.unwrap(), []);
    assert_eq!(bus.dead_letters(&infra(), LETTERS).await.unwrap().len(), 2);
}

async fn work_on_the_wrong_queue_goes_to_its_dead_letters(bench: Bench) {
    let bus = bus(&bench, "one").await;
    let work = echo();
    smuggle(&bench, &infra(), [result(&work).to_json().into_bytes()]).await;
    smuggle(&bench, &work_queue(AgentType::Code), [work.to_json().into_bytes()]).await;
    smuggle(&bench, &reply_queue(), [work.to_json().into_bytes()]).await;
    assert!(next(&bus).await.is_none());
    assert_eq!(bus.take_work(AgentType::Code, 1, Duration::ZERO).await.unwrap(), []);
    assert!(next_reply(&bus).await.is_none());
    for (queue, expected) in [
        (infra(), "/type: expected work_request, found work_result"),
        (work_queue(AgentType::Code), "/to_agent: expected code, whose queue this is, found infra"),
        (reply_queue(), "/type: expected work_status, work_result, status_update or error, found work_request"),
    ] {
        let letters = bus.dead_letters(&queue, LETTERS).await.unwrap();
        assert_eq!(letters.iter().map(|letter| letter.error.as_str()).collect::<Vec<_>>(), [expected]);
        assert!(letters[0].message.is_ok());
    }
    assert_eq!(bus.depth(&broadcast_queue()).await.unwrap().ready, 0);
}

async fn a_deep_backlog_of_poison_does_not_hide_what_is_behind(bench: Bench) {
    let bus = bus(&bench, "one").await;
    smuggle(&bench, &infra(), vec![b"{}".to_vec(); 300]).await;
    bus.send(&echo()).await.unwrap();
    assert!(next(&bus).await.is_some());
    assert_eq!(bus.depth(&infra()).await.unwrap().dead, Some(300));
}
