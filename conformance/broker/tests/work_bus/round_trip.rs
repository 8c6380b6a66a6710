//! From the orchestrator to an agent and back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use workwire::{AgentId, AgentStatus, AgentType, MessageEnvelope, Payload, StatusUpdate, Timestamp};
use workwire_broker::{Stored, Taken, WorkBus, reply_queue, work_queue};

use super::parties::{bus, echo, next, next_reply, request, result, urgent};
use crate::brokers::{Bench, eventually, on_bench};
use crate::flaky::Flaky;
use crate::subjects::each_broker;

each_broker! { on_bench:
    orchestrator_to_agent_round_trip,
    output_matches_the_input_parameters,
    high_priority_before_low,
    one_three_five_two_four_come_out_five_to_one,
    two_agents_share_four_requests_all_ids_right,
    waiting_work_is_taken_when_it_comes,
    each_kind_of_message_goes_to_its_queue,
    work_for_another_agent_type_is_not_touched,
    five_dispatched_and_nobody_consuming_depth_5_all_consumed_0,
    the_same_request_sent_twice_is_one,
}

each_broker! { where time jumps: on_bench:
    waiting_for_work_ends_in_time,
    an_engine_that_cannot_wait_is_asked_until_the_time_is_over,
}

async fn orchestrator_to_agent_round_trip(bench: Bench) {
    let (orchestrator, agent) = (bus(&bench, "orchestrator").await, bus(&bench, "agent").await);
    let request = echo();
    assert_eq!(orchestrator.send(&request).await.unwrap(), Stored::Stored);
    let work = next(&agent).await.unwrap();
    assert_eq!((work.message(), work.attempt()), (&request, 1));
    let answer = result(work.message());
    agent.answer(&work, &answer).await.unwrap();
    assert!(next(&agent).await.is_none());

    let reply = next_reply(&orchestrator).await.unwrap();
    assert_eq!(*reply.message(), answer);
    assert_eq!(reply.message().trace_id(), request.trace_id());
    assert_eq!(reply.message().request_id(), request.request_id());
    let Payload::WorkResult(result) = reply.message().payload() else { panic!("no result") };
    assert_eq!(result.status().as_str(), "completed");
    orchestrator.done(&reply).await.unwrap();
    assert!(next_reply(&orchestrator).await.is_none());
}

async fn output_matches_the_input_parameters(bench: Bench) {
    let bus = bus(&bench, "one").await;
    let parameters = r#"{"message":"Grüße, 世界","nested":{"n":1.50,"list":[1,2,3]}}"#;
    bus.send(&request("echo", parameters)).await.unwrap();
    let work = next(&bus).await.unwrap();
    bus.answer(&work, &result(work.message())).await.unwrap();
    let reply = next_reply(&bus).await.unwrap();
    let Payload::WorkResult(result) = reply.message().payload() else { panic!("no result") };
    assert_eq!(result.output(), parameters);
}

async fn high_priority_before_low(bench: Bench) {
    let bus = bus(&bench, "one").await;
    let (low, high) = (urgent(1), urgent(5));
    bus.send(&low).await.unwrap();
    bus.send(&high).await.unwrap();
    assert_eq!(*next(&bus).await.unwrap().message(), high);
    assert_eq!(*next(&bus).await.unwrap().message(), low);
}

async fn one_three_five_two_four_come_out_five_to_one(bench: Bench) {
    let bus = bus(&bench, "one").await;
    for priority in [1, 3, 5, 2, 4] {
        bus.send(&urgent(priority)).await.unwrap();
    }
    let taken = bus.take_work(AgentType::Infra, 10, Duration::ZERO).await.unwrap();
    let priorities: Vec<_> = taken.iter().map(|work| work.message().priority().get()).collect();
    assert_eq!(priorities, [5, 4, 3, 2, 1]);
}

async fn two_agents_share_four_requests_all_ids_right(bench: Bench) {
    let [orchestrator, first, second] =
        [bus(&bench, "orchestrator").await, bus(&bench, "first").await, bus(&bench, "second").await];
    let requests: Vec<_> = (0..4).map(|_| echo()).collect();
    for request in &requests {
        orchestrator.send(request).await.unwrap();
    }
    // One in flight each, so they take turns.
    for _ in 0..2 {
        let (one, other) = (next(&first).await.unwrap(), next(&second).await.unwrap());
        first.answer(&one, &result(one.message())).await.unwrap();
        second.answer(&other, &result(other.message())).await.unwrap();
    }
    let replies = orchestrator.take_replies(10, Duration::ZERO).await.unwrap();
    let ids = |messages: Vec<&MessageEnvelope>| -> Vec<_> {
        messages.iter().map(|message| (message.trace_id(), message.request_id())).collect()
    };
    assert_eq!(ids(replies.iter().map(Taken::message).collect()), ids(requests.iter().collect()));
}

async fn waiting_work_is_taken_when_it_comes(bench: Bench) {
    let (orchestrator, agent) = (bus(&bench, "orchestrator").await, bus(&bench, "agent").await);
    let waiting = tokio::spawn(async move { agent.take_work(AgentType::Infra, 1, Duration::from_mins(1)).await });
    let request = echo();
    orchestrator.send(&request).await.unwrap();
    assert_eq!(*waiting.await.unwrap().unwrap()[0].message(), request);
}

async fn waiting_for_work_ends_in_time(bench: Bench) {
    let agent = bus(&bench, "agent").await;
    let waiting = tokio::spawn(async move { agent.take_work(AgentType::Infra, 1, Duration::from_mins(1)).await });
    assert_eq!(bench.pass_until(waiting).await.unwrap(), []);
}

async fn an_engine_that_cannot_wait_is_asked_until_the_time_is_over(bench: Bench) {
    let orchestrator = bus(&bench, "orchestrator").await;
    let (client, switch) = Flaky::around(bench.client("agent").await);
    switch.impatient.store(true, Ordering::SeqCst);
    let agent = WorkBus::over(client).with_clock(Arc::new(bench.clock.clone()));
    let waits = |agent: &WorkBus| {
        let agent = agent.clone();
        tokio::spawn(async move { agent.take_work(AgentType::Infra, 1, Duration::from_secs(5)).await })
    };
    let waiting = waits(&agent);
    // The first look finds nothing, and the clock stands still.
    eventually(|| async { switch.fetched() > 1 }).await;
    orchestrator.send(&echo()).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().len(), 1);
    assert_eq!(bench.pass_until(waits(&agent)).await.unwrap(), []);
}

async fn each_kind_of_message_goes_to_its_queue(bench: Bench) {
    let bus = bus(&bench, "one").await;
    let update = StatusUpdate::builder()
        .agent_id(AgentId::new())
        .agent_type(AgentType::Infra)
        .status(AgentStatus::Online)
        .timestamp(Timestamp::now())
        .build()
        .unwrap();
    let heartbeat = MessageEnvelope::new(AgentType::Infra, AgentType::Orchestrator, update);
    bus.send(&heartbeat).await.unwrap();
    assert_eq!(*next_reply(&bus).await.unwrap().message(), heartbeat);
    assert_eq!(WorkBus::queue_of(&heartbeat), reply_queue());
    assert_eq!(WorkBus::queue_of(&echo()), work_queue(AgentType::Infra));
    assert_eq!(work_queue(AgentType::Infra).name(), "work_queue.infra");
    assert_eq!(reply_queue().name(), "reply_queue");
}

async fn work_for_another_agent_type_is_not_touched(bench: Bench) {
    let bus = bus(&bench, "one").await;
    bus.send(&echo()).await.unwrap();
    assert_eq!(bus.take_work(AgentType::Code, 1, Duration::ZERO).await.unwrap(), []);
    assert_eq!(next(&bus).await.unwrap().attempt(), 1);
}

async fn five_dispatched_and_nobody_consuming_depth_5_all_consumed_0(bench: Bench) {
    let bus = bus(&bench, "one").await;
    let queue = work_queue(AgentType::Infra);
    for _ in 0..5 {
        bus.send(&echo()).await.unwrap();
    }
    assert_eq!(bus.depth(&queue).await.unwrap().ready, 5);
    while let Some(work) = next(&bus).await {
        bus.answer(&work, &result(work.message())).await.unwrap();
    }
    assert_eq!(bus.depth(&queue).await.unwrap().ready, 0);
    assert_eq!(bus.depth(&reply_queue()).await.unwrap().ready, 5);
}

async fn the_same_request_sent_twice_is_one(bench: Bench) {
    let bus = bus(&bench, "one").await;
    let request = echo();
    assert_eq!(bus.send(&request).await.unwrap(), Stored::Stored);
    assert_eq!(bus.send(&request).await.unwrap(), Stored::Duplicate);
    assert!(next(&bus).await.is_some());
    assert!(next(&bus).await.is_none());
}
