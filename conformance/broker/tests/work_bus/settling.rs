//! Work that is answered, given back, failed at or lost.

use std::sync::Arc;
use std::time::Duration;

use workwire_broker::{CloseMode, LETTERS, WorkBus, work_queue};

use super::parties::{bus, echo, next, next_reply, result};
use crate::brokers::{Bench, on_bench};
use crate::flaky::Flaky;
use crate::subjects::each_broker;

each_broker! { on_bench:
    work_is_settled_only_when_its_answer_is_confirmed,
    an_agent_that_dies_before_settling_leaves_the_message_to_another,
    given_back_work_goes_to_the_next_at_once,
    work_that_fails_three_times_is_a_dead_letter_with_the_reason,
    given_up_work_is_a_dead_letter_at_once_and_is_replayed,
    an_answer_to_other_work_is_refused,
}

each_broker! { where time jumps: on_bench:
    work_that_is_extended_stays_held_and_stale_is_told,
}

async fn work_is_settled_only_when_its_answer_is_confirmed(bench: Bench) {
    let orchestrator = bus(&bench, "orchestrator").await;
    orchestrator.send(&echo()).await.unwrap();
    let (client, switch) = Flaky::around(bench.client("agent").await);
    let agent = WorkBus::over(client).with_clock(Arc::new(bench.clock.clone()));
    let work = next(&agent).await.unwrap();
    let answer = result(work.message());
    switch.silence(true);
    let silence = agent.answer(&work, &answer).await.unwrap_err();
    assert!(silence.is_indefinite(), "{silence}");
    assert!(next_reply(&orchestrator).await.is_none());
    // Not settled: it is held, and would come to another if this agent died now.
    assert_eq!(orchestrator.depth(work.queue()).await.unwrap().leased, Some(1));

    switch.silence(false);
    agent.answer(&work, &answer).await.unwrap();
    assert_eq!(orchestrator.depth(work.queue()).await.unwrap().leased, Some(0));
    assert_eq!(*next_reply(&orchestrator).await.unwrap().message(), answer);
}

async fn an_agent_that_dies_before_settling_leaves_the_message_to_another(bench: Bench) {
    let (first, second) = (bus(&bench, "first").await, bus(&bench, "second").await);
    let request = echo();
    first.send(&request).await.unwrap();
    let _work = next(&first).await.unwrap();
    assert!(next(&second).await.is_none());
    first.client().close(CloseMode::Abort).await.unwrap();
    let work = next(&second).await.unwrap();
    assert_eq!((work.message(), work.attempt()), (&request, 2));
}

async fn work_that_is_extended_stays_held_and_stale_is_told(bench: Bench) {
    let (first, second) = (bus(&bench, "first").await, bus(&bench, "second").await);
    first.send(&echo()).await.unwrap();
    let work = next(&first).await.unwrap();
    for _ in 0..6 {
        bench.clock.advance(10_000);
        first.extend(&work, Duration::from_secs(30)).await.unwrap();
        assert!(next(&second).await.is_none());
    }
    bench.clock.advance(30_000);
    assert!(first.extend(&work, Duration::from_secs(30)).await.unwrap_err().is_stale());
    let again = next(&second).await.unwrap();
    let stale = first.done(&work).await.unwrap_err();
    assert!(stale.is_stale(), "{stale}");
    second.done(&again).await.unwrap();
}

async fn given_back_work_goes_to_the_next_at_once(bench: Bench) {
    let (first, second) = (bus(&bench, "first").await, bus(&bench, "second").await);
    first.send(&echo()).await.unwrap();
    first.give_back(&next(&first).await.unwrap()).await.unwrap();
    let work = next(&second).await.unwrap();
    assert_eq!(work.attempt(), 2);
    // What is held when the connection closes is given back without an attempt.
    second.close().await.unwrap();
    assert_eq!(next(&first).await.unwrap().attempt(), 2);
}

async fn work_that_fails_three_times_is_a_dead_letter_with_the_reason(bench: Bench) {
    let bus = bus(&bench, "one").await;
    let request = echo();
    bus.send(&request).await.unwrap();
    for attempt in 1..=3 {
        let work = next(&bus).await.unwrap();
        assert_eq!(work.attempt(), attempt);
        bus.fail(&work, &format!("no route to host, {attempt}")).await.unwrap();
    }
    assert!(next(&bus).await.is_none());
    let letters = bus.dead_letters(&work_queue(request.to_agent()), LETTERS).await.unwrap();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    // The letter keeps trace and request readable.
    assert_eq!(letter.message, Ok(request));
    assert_eq!((letter.error.as_str(), letter.attempts), ("no route to host, 3", 3));
}

async fn given_up_work_is_a_dead_letter_at_once_and_is_replayed(bench: Bench) {
    let bus = bus(&bench, "one").await;
    let request = echo();
    let queue = work_queue(request.to_agent());
    bus.send(&request).await.unwrap();
    bus.give_up(&next(&bus).await.unwrap(), "no such host").await.unwrap();
    assert!(next(&bus).await.is_none());
    let letters = bus.dead_letters(&queue, LETTERS).await.unwrap();
    assert_eq!((letters[0].error.as_str(), letters[0].attempts), ("no such host", 1));
    bus.replay(&queue, letters[0].id).await.unwrap();
    assert_eq!(next(&bus).await.unwrap().attempt(), 1);
}

async fn an_answer_to_other_work_is_refused(bench: Bench) {
    let bus = bus(&bench, "one").await;
    bus.send(&echo()).await.unwrap();
    let work = next(&bus).await.unwrap();
    let right = result(work.message());
    let another = echo();
    for wrong in [right.clone().with_trace_id(another.trace_id()), right.clone().with_request_id(another.request_id())]
    {
        let error = bus.answer(&work, &wrong).await.unwrap_err();
        assert!(error.to_string().starts_with("answer: expected trace_id "), "{error}");
    }
    let request = work.message().reply(work.message().payload().clone());
    let error = bus.answer(&work, &request).await.unwrap_err();
    assert_eq!(error.to_string(), "answer: expected a result or an error, found a work_request");
    assert!(next_reply(&bus).await.is_none());
    bus.answer(&work, &right).await.unwrap();
}
