//! RPC-6: what answers look like, by what has to be claimed for them.

use workwire_broker::{
    Capability, CloseMode, Fetch, Health, HealthStatus, Peek, Policy, Purge, RestartMode, Tag, Update, Verdict,
};

use crate::case::{Alone, Case, Stage, Stop};
use crate::checkers;
use crate::demand::Expectation;
use crate::judge::Check;

const CHECKS: &[Check] = &[(&checkers::WRONG_SHAPE, "RPC-6")];

const fn shapes(id: &'static str, needs: &'static [Capability], run: fn(&mut Stage) -> crate::case::Run<'_>) -> Case {
    Case { id, clauses: &["RPC-6"], needs, checks: CHECKS, alone: Alone::Yes, run }
}

pub(super) const CASES: &[Case] = &[
    shapes("rpc/answers_to_the_core", &[], |stage| Box::pin(answers_to_the_core(stage))),
    shapes("rpc/answers_to_extend", &[Capability::Extend], |stage| Box::pin(answers_to_extend(stage))),
    shapes("rpc/answers_to_looks", &[Capability::Browse], |stage| Box::pin(answers_to_looks(stage))),
    shapes("rpc/answers_about_letters", &[Capability::DeadLetter], |stage| Box::pin(answers_about_letters(stage))),
    shapes("rpc/answers_to_replay", &[Capability::DeadLetter, Capability::Replay], |stage| {
        Box::pin(answers_to_replay(stage))
    }),
    shapes("rpc/answers_to_purge", &[Capability::Purge], |stage| Box::pin(answers_to_purge(stage))),
    shapes("rpc/answers_to_sweep", &[Capability::Ttl], |stage| Box::pin(answers_to_sweep(stage))),
    shapes("rpc/answers_about_agents", &[Capability::Presence], |stage| Box::pin(answers_about_agents(stage))),
    shapes("rpc/answers_to_batches", &[Capability::Batch], |stage| Box::pin(answers_to_batches(stage))),
    shapes("rpc/answers_to_restart", &[Capability::Restart], |stage| Box::pin(answers_to_restart(stage))),
];

/// RPC-6: An answer has a `result` with the members of its method, each of its type, or an `error`.
async fn answers_to_the_core(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("core", &stage.policy()).await?;
    let (ada, bob) = (stage.client("ada").await?, stage.client("bob").await?);
    stage.need(ada.declare(&queue, &stage.policy()).await)?;
    for body in ["", "text", "\u{0}\u{ffff}"] {
        let message = stage.message(body);
        stage.publish(&ada, &queue, &message).await?;
        let told = bob.fetch(&queue, Fetch::up_to(1)).await;
        let taken = if told.is_something() { told } else { stage.take(&bob, &queue, Fetch::up_to(1), 1).await };
        stage.need_that(&taken, Expectation::shows(message.id))?;
        ada.depth(&queue, None).await;
        for delivery in taken.into_answer().unwrap_or_default() {
            let verdict = Verdict::Retry { delay_ms: Some(0), reason: Some("\"again\"".to_owned()) };
            stage.need(bob.settle(&queue, &delivery.tag, verdict).await)?;
            let again = stage.take_one(&bob, &queue).await?;
            stage.need(bob.done(&queue, &again).await)?;
            // A refusal has a shape, too.
            bob.done(&queue, &again).await;
        }
    }
    stage.need(bob.fetch(&queue, Fetch::up_to(9)).await)?;
    stage.need(bob.close(CloseMode::Abort).await)?;
    stage.need(ada.close(CloseMode::Graceful).await)?;
    Ok(())
}

/// RPC-6: An answer has a `result` with the members of its method, each of its type, or an `error`.
async fn answers_to_extend(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("extended", &stage.policy()).await?;
    let ada = stage.client("ada").await?;
    let message = stage.message("long work");
    stage.publish(&ada, &queue, &message).await?;
    let taken = stage.take_one(&ada, &queue).await?;
    stage.need(ada.extend(&queue, &taken.tag, stage.ms(60_000)).await)?;
    ada.extend(&queue, &Tag("of-nobody".to_owned()), stage.ms(60_000)).await;
    stage.need(ada.done(&queue, &taken).await)?;
    Ok(())
}

/// RPC-6: An answer has a `result` with the members of its method, each of its type, or an `error`.
async fn answers_to_looks(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("seen", &stage.policy()).await?;
    let ada = stage.client("ada").await?;
    let messages = stage.messages(2);
    stage.publish_all(&ada, &queue, &messages).await?;
    // It may take a moment to be seen.
    let seen = Expectation::Count { least: 1, most: 9 };
    let looked = stage.until(&seen, || ada.peek(&queue, Peek { max: 9, ..Peek::default() })).await;
    stage.need_that(&looked, seen)?;
    stage.need(ada.peek(&queue, Peek { max: 9, after: Some(messages[0].id), ..Peek::default() }).await)?;
    let taken = stage.take(&ada, &queue, Fetch::up_to(1).only(messages[1].id), 1).await;
    stage.need_that(&taken, Expectation::shows(messages[1].id))?;
    Ok(())
}

/// RPC-6: An answer has a `result` with the members of its method, each of its type, or an `error`.
async fn answers_about_letters(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("deadly", &stage.policy()).await?;
    let ada = stage.client("ada").await?;
    stage.need(ada.dead_letters(&queue, 9, None).await)?;
    for reason in ["bad", "\u{1f480} \"very\"\nbad"] {
        let message = stage.message("poison");
        stage.publish(&ada, &queue, &message).await?;
        let taken = stage.take_one(&ada, &queue).await?;
        stage.need(ada.dead(&queue, &taken, reason).await)?;
    }
    stage.need(ada.dead_letters(&queue, 9, None).await)?;
    Ok(())
}

/// RPC-6: An answer has a `result` with the members of its method, each of its type, or an `error`.
async fn answers_to_replay(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("replayed", &stage.policy()).await?;
    let ada = stage.client("ada").await?;
    let message = stage.message("poison");
    stage.publish(&ada, &queue, &message).await?;
    let taken = stage.take_one(&ada, &queue).await?;
    stage.need(ada.dead(&queue, &taken, "dead").await)?;
    ada.replay(&queue, message.id, None).await;
    stage.take_one(&ada, &queue).await?;
    let unknown = stage.id();
    ada.replay(&queue, unknown, None).await;
    Ok(())
}

/// RPC-6: An answer has a `result` with the members of its method, each of its type, or an `error`.
async fn answers_to_purge(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("emptied", &stage.policy()).await?;
    let ada = stage.client("ada").await?;
    let messages = stage.messages(2);
    stage.publish_all(&ada, &queue, &messages).await?;
    stage.take_one(&ada, &queue).await?;
    stage.need(ada.purge(&queue, Purge::default()).await)?;
    if stage.claims(Capability::DeadLetter) {
        stage.need(ada.purge(&queue, Purge { group: None, dead: true }).await)?;
    }
    Ok(())
}

/// RPC-6: An answer has a `result` with the members of its method, each of its type, or an `error`.
async fn answers_to_sweep(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("swept", &Policy { ttl_ms: Some(stage.ms(60_000)), ..stage.policy() }).await?;
    let ada = stage.client("ada").await?;
    stage.need(ada.sweep(&queue).await)?;
    let message = stage.message("still good");
    stage.publish(&ada, &queue, &message).await?;
    stage.take_one(&ada, &queue).await?;
    stage.need(ada.sweep(&queue).await)?;
    Ok(())
}

/// RPC-6: An answer has a `result` with the members of its method, each of its type, or an `error`.
async fn answers_about_agents(stage: &mut Stage) -> Result<(), Stop> {
    let ada = stage.client("ada").await?;
    stage.need(ada.agents(None, None).await)?;
    let name = stage.name("ada");
    let health = Health::new(name.parse().map_err(|_| Stop)?, HealthStatus::Active);
    stage.need(ada.heartbeat(&Update::Channel(health), None).await)?;
    let told = ada.agents(None, None).await;
    stage.need_that(&told, Expectation::Agent { id: name, status: None, task: None, counts: None, resources: None })?;
    Ok(())
}

/// RPC-6: An answer has a `result` with the members of its method, each of its type, or an `error`.
async fn answers_to_batches(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("batched", &stage.policy()).await?;
    let ada = stage.client("ada").await?;
    let mut messages = stage.messages(3);
    for told in ada.publish_batch(&queue, &messages).await {
        stage.need(told)?;
    }
    stage.need_that(&stage.take(&ada, &queue, Fetch::up_to(3), 3).await, Expectation::count(3))?;
    // What is refused has a place among the others, or refuses all of them.
    messages = stage.messages(3);
    messages[1].priority = Some(-1);
    ada.publish_batch(&queue, &messages).await;
    Ok(())
}

/// RPC-6: An answer has a `result` with the members of its method, each of its type, or an `error`.
async fn answers_to_restart(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("restarted", &stage.policy()).await?;
    stage.restart(RestartMode::Graceful).await?;
    let ada = stage.client("ada").await?;
    let message = stage.message("after");
    let told = ada.declare(&queue, &stage.policy()).await;
    stage.need(told)?;
    stage.publish(&ada, &queue, &message).await?;
    stage.take_one(&ada, &queue).await?;
    Ok(())
}
