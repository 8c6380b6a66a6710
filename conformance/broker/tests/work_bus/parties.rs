//! Who sends work and who does it.

use std::sync::Arc;
use std::time::Duration;

use workwire::{
    AgentId, AgentType, ExitCode, MessageEnvelope, Outcome, Payload, Priority, TaskId, WorkRequest, WorkResult,
    WorkType,
};
use workwire_broker::{Taken, WorkBus};

use crate::brokers::Bench;

pub(crate) async fn bus(bench: &Bench, client: &str) -> WorkBus {
    WorkBus::open(&*bench.broker, client).await.unwrap().with_clock(Arc::new(bench.clock.clone()))
}

pub(crate) fn request(work_type: &str, parameters: &str) -> MessageEnvelope {
    let request = WorkRequest::builder()
        .task_id(TaskId::new())
        .work_type(WorkType::new(work_type).unwrap())
        .parameters(parameters.parse::<workwire::FreeObject>().unwrap());
    MessageEnvelope::new(AgentType::Orchestrator, AgentType::Infra, request.build().unwrap())
}

/// Work for an agent of type infra.
pub(crate) fn echo() -> MessageEnvelope {
    request("echo", r#"{"message": "hello"}"#)
}

pub(crate) fn urgent(priority: u8) -> MessageEnvelope {
    echo().with_priority(Priority::new(priority).unwrap())
}

/// What an agent of type infra answers: the parameters.
pub(crate) fn result(request: &MessageEnvelope) -> MessageEnvelope {
    let Payload::WorkRequest(work) = request.payload() else { panic!("{} is no request", request.to_json()) };
    let result = WorkResult::builder()
        .task_id(*work.task_id())
        .status(Outcome::Completed)
        .exit_code(ExitCode::default())
        .output(work.parameters().to_string())
        .duration_ms(Duration::from_millis(5))
        .agent_id(AgentId::new());
    request.reply(result.build().unwrap())
}

/// The next request for an agent of type infra, if there is one now.
pub(crate) async fn next(bus: &WorkBus) -> Option<Taken<MessageEnvelope>> {
    bus.take_work(AgentType::Infra, 1, Duration::ZERO).await.unwrap().pop()
}

/// The next answer, if there is one now.
pub(crate) async fn next_reply(bus: &WorkBus) -> Option<Taken<MessageEnvelope>> {
    bus.take_replies(1, Duration::ZERO).await.unwrap().pop()
}
