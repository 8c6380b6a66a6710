//! Many agents at once.

use std::collections::HashSet;
use std::time::Duration;

use workwire::AgentType;
use workwire_broker::{LETTERS, work_queue};

use super::parties::{bus, echo, next_reply, result};
use crate::brokers::{Bench, on_bench};
use crate::subjects::each_broker;

each_broker! { on_bench:
    five_results_at_once_are_all_there,
}

each_broker! { where time jumps: on_bench:
    twenty_agents_a_thousand_messages_nothing_lost_no_deadlock,
}

const MESSAGES: usize = 1_000;

async fn twenty_agents_a_thousand_messages_nothing_lost_no_deadlock(bench: Bench) {
    let orchestrator = bus(&bench, "orchestrator").await;
    let mut agents = Vec::new();
    for number in 0..20 {
        let agent = bus(&bench, &format!("agent-{number}")).await;
        agents.push(tokio::spawn(async move {
            // An agent goes home when nothing has come for a minute.
            loop {
                let taken = agent.take_work(AgentType::Infra, 1 + number % 3, Duration::from_mins(1)).await.unwrap();
                if taken.is_empty() {
                    return;
                }
                for work in taken {
                    agent.answer(&work, &result(work.message())).await.unwrap();
                }
            }
        }));
    }
    let mut sent = HashSet::new();
    let sending = orchestrator.clone();
    for _ in 0..MESSAGES {
        let request = echo();
        sent.insert((request.trace_id(), request.request_id()));
        sending.send(&request).await.unwrap();
    }
    let mut answered = HashSet::new();
    while answered.len() < MESSAGES {
        for reply in orchestrator.take_replies(50, Duration::from_mins(1)).await.unwrap() {
            let ids = (reply.message().trace_id(), reply.message().request_id());
            assert!(answered.insert(ids), "{ids:?} was answered twice");
            orchestrator.done(&reply).await.unwrap();
        }
    }
    assert_eq!(answered, sent);
    for agent in agents {
        bench.pass_until(agent).await;
    }
    assert!(next_reply(&orchestrator).await.is_none());
    assert_eq!(orchestrator.dead_letters(&work_queue(AgentType::Infra), LETTERS).await.unwrap(), []);
}

async fn five_results_at_once_are_all_there(bench: Bench) {
    let mut tasks = Vec::new();
    for number in 0..5 {
        let bus = bus(&bench, &format!("agent-{number}")).await;
        tasks.push(tokio::spawn(async move {
            let answer = result(&echo());
            bus.send(&answer).await.unwrap();
            answer
        }));
    }
    let mut sent = Vec::new();
    for task in tasks {
        sent.push(task.await.unwrap());
    }
    let orchestrator = bus(&bench, "orchestrator").await;
    let replies = orchestrator.take_replies(10, Duration::ZERO).await.unwrap();
    assert_eq!(replies.len(), 5);
    assert!(sent.iter().all(|answer| replies.iter().any(|reply| reply.message() == answer)));
}
