//! Many agents at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use workwire_broker::LETTERS;

use super::agents::{Agent, message, name};
use crate::brokers::{Bench, on_bench};
use crate::subjects::each_broker;

each_broker! { on_bench:
    twenty_agents_a_thousand_messages_nothing_lost_no_deadlock,
}

const AGENTS: usize = 20;
const EACH: usize = 50;

/// Each agent sends, and claims what is there until all of it is done.
async fn twenty_agents_a_thousand_messages_nothing_lost_no_deadlock(bench: Bench) {
    let done = Arc::new(Mutex::new(HashSet::new()));
    let mut tasks = Vec::new();
    for number in 0..AGENTS {
        let agent = Agent::on(&bench, &format!("agent-{number}")).await;
        let done = Arc::clone(&done);
        tasks.push(tokio::spawn(async move {
            let mut sent = Vec::new();
            for _ in 0..EACH {
                sent.push(*agent.sends(message(agent.name.as_str(), "task.offer")).await.id());
            }
            while done.lock().await.len() < AGENTS * EACH {
                // Half of them take what comes next, the others look and choose.
                let claimed = if number % 2 == 0 {
                    agent.channels.claim_next(&agent.name, &name("general"), Duration::ZERO).await.unwrap()
                } else {
                    let seen = agent.sees().await;
                    let Some(chosen) = seen.get(number % seen.len().max(1)) else { continue };
                    agent.claims(chosen).await
                };
                let Some(claimed) = claimed else { continue };
                let id = *claimed.message().id();
                agent.channels.complete(&claimed).await.unwrap();
                assert!(done.lock().await.insert(id), "{id} came twice");
            }
            sent
        }));
    }
    let mut sent = HashSet::new();
    for task in tasks {
        sent.extend(task.await.unwrap());
    }
    assert_eq!(sent.len(), AGENTS * EACH);
    assert_eq!(*done.lock().await, sent);
    let agent = Agent::on(&bench, "observer").await;
    assert_eq!(agent.sees().await, []);
    assert_eq!(agent.channels.dead_letters(&name("general"), LETTERS).await.unwrap(), []);
}
