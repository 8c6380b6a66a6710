//! A broker behind the protocol is the same broker.

use std::sync::Arc;

use workwire_broker::MemoryBroker;
use workwire_broker::clock::ManualClock;

use super::peer::behind_protocol;
use super::soon::soon;
use super::transcript::transcript;

#[tokio::test]
async fn every_answer_is_the_same_in_front_of_the_protocol_and_behind_it() {
    let clock = ManualClock::at(1_767_225_600_000);
    let direct = transcript(&MemoryBroker::new(Arc::new(clock.clone())), &clock).await;
    let clock = ManualClock::at(1_767_225_600_000);
    let adapter = behind_protocol(Arc::new(MemoryBroker::new(Arc::new(clock.clone())))).await;
    let behind = soon("all of it", transcript(&adapter, &clock)).await;
    assert_eq!(direct.len(), behind.len());
    for (direct, behind) in direct.iter().zip(&behind) {
        assert_eq!(direct, behind);
    }
    assert_eq!(adapter.findings(), []);
}

#[tokio::test]
async fn the_transcript_holds_successes_and_every_kind_of_refusal() {
    let clock = ManualClock::at(1_767_225_600_000);
    let transcript = transcript(&MemoryBroker::new(Arc::new(clock.clone())), &clock).await;
    for code in ["Invalid", "Stale", "NotFound", "Conflict"] {
        assert!(transcript.iter().any(|line| line.contains(&format!("code: {code}"))), "{code}");
    }
    let refused = transcript.iter().filter(|line| line.contains("code: ")).count();
    assert!(transcript.len() - refused > 25, "{refused} of {}: {transcript:#?}", transcript.len());
}

#[tokio::test]
async fn an_adapter_in_front_of_an_adapter_is_the_same_too() {
    let clock = ManualClock::at(1_767_225_600_000);
    let direct = transcript(&MemoryBroker::new(Arc::new(clock.clone())), &clock).await;
    let clock = ManualClock::at(1_767_225_600_000);
    let near = behind_protocol(Arc::new(MemoryBroker::new(Arc::new(clock.clone())))).await;
    let far = behind_protocol(Arc::new(near)).await;
    assert_eq!(soon("all of it", transcript(&far, &clock)).await, direct);
}
