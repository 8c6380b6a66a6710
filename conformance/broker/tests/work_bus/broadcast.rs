//! What is said to everybody.

use std::time::Duration;

use workwire::{AgentType, Name, Payload, TaskId};
use workwire_broker::{Taken, WorkBus};

use super::parties::{bus, echo, next};
use crate::brokers::{Bench, on_bench};
use crate::subjects::each_broker;

each_broker! { on_bench:
    a_cancel_reaches_every_agent_once,
    a_cancel_carries_the_task_s_flow_and_is_no_work,
}

each_broker! { where time jumps: on_bench:
    an_agent_that_comes_later_hears_what_was_said_within_24_hours,
}

async fn heard(bus: &WorkBus, agent: &str) -> Vec<Taken<workwire::MessageEnvelope>> {
    let agent: Name = agent.parse().unwrap();
    bus.take_broadcasts(&agent, 10, Duration::ZERO).await.unwrap()
}

async fn a_cancel_reaches_every_agent_once(bench: Bench) {
    let bus = bus(&bench, "one").await;
    for agent in ["agent-1", "agent-2"] {
        assert_eq!(heard(&bus, agent).await, []);
    }
    let cancel = bus.cancel(TaskId::new(), AgentType::Infra, echo().trace_id()).await.unwrap();
    for agent in ["agent-1", "agent-2"] {
        let said = heard(&bus, agent).await;
        assert_eq!(said.iter().map(Taken::message).collect::<Vec<_>>(), [&cancel]);
        bus.done(&said[0]).await.unwrap();
        assert_eq!(heard(&bus, agent).await, []);
    }
}

async fn an_agent_that_comes_later_hears_what_was_said_within_24_hours(bench: Bench) {
    let bus = bus(&bench, "one").await;
    let first = bus.cancel(TaskId::new(), AgentType::Infra, echo().trace_id()).await.unwrap();
    bench.clock.advance(12 * 3_600_000);
    let second = bus.cancel(TaskId::new(), AgentType::Infra, echo().trace_id()).await.unwrap();
    bench.clock.advance(12 * 3_600_000 - 1);
    assert_eq!(heard(&bus, "early").await.iter().map(Taken::message).collect::<Vec<_>>(), [&first, &second]);
    bench.clock.advance(1);
    assert_eq!(heard(&bus, "late").await.iter().map(Taken::message).collect::<Vec<_>>(), [&second]);
}

async fn a_cancel_carries_the_task_s_flow_and_is_no_work(bench: Bench) {
    let bus = bus(&bench, "one").await;
    let request = echo();
    let Payload::WorkRequest(work) = request.payload() else { panic!("no request") };
    let cancel = bus.cancel(*work.task_id(), request.to_agent(), request.trace_id()).await.unwrap();
    assert!(next(&bus).await.is_none());
    let said = heard(&bus, "agent").await;
    let Payload::WorkRequest(said_request) = said[0].message().payload() else { panic!("no request") };
    assert_eq!(said_request.cancels(), Some(*work.task_id()));
    assert_eq!(said[0].message().trace_id(), request.trace_id());
    assert_ne!(cancel.request_id(), request.request_id());
}
