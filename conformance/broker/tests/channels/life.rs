//! A message's life: sent, seen, claimed, completed, failed, dead, replayed, expired.

use std::sync::Arc;
use std::time::Duration;

use workwire::{ChannelMessage, ChannelPriority};
use workwire_broker::clock::Clock;
use workwire_broker::{Channels, Code, LETTERS, Message, Policy, RECEIVE, channel_queue};

use super::agents::{Agent, free, message, name, question};
use crate::brokers::{Bench, on_bench};
use crate::poison::{poisons, reason};
use crate::subjects::each_broker;

each_broker! { on_bench:
    send_and_receive,
    a_look_takes_nothing,
    claim_once_only_second_claimant_told_no,
    two_claim_at_once_and_one_gets_it,
    complete,
    a_dead_letter_is_replayed,
    what_was_claimed_is_given_back_on_closing,
    a_message_for_one_agent_is_not_another_s,
    claim_next_takes_the_most_urgent_first,
    the_same_message_sent_twice_is_one,
    another_lease_on_the_same_channel_is_told,
    poison_is_quarantined_with_its_reason_and_the_next_is_handled,
    a_look_sees_behind_poison,
}

each_broker! { where time jumps: on_bench:
    fail_three_times_and_land_in_the_dead_letters,
    a_claim_that_is_not_finished_comes_back_when_its_lease_ends,
    a_claim_is_held_longer,
    expired_ones_cleaned_up_with_the_count,
}

async fn send_and_receive(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let sent = planner.sends(question("planner", "who owns the web service?")).await;
    assert_eq!(coder.sees().await, [sent]);
}

async fn a_look_takes_nothing(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let sent = planner.sends(question("planner", "anybody?")).await;
    for _ in 0..5 {
        assert_eq!(coder.sees().await, std::slice::from_ref(&sent));
    }
    assert_eq!(coder.gets(&sent).await.attempt(), 1);
}

async fn claim_once_only_second_claimant_told_no(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let sent = planner.sends(message("planner", "task.offer")).await;
    let claimed = coder.gets(&sent).await;
    assert_eq!(*claimed.message(), sent);
    assert!(planner.claims(&sent).await.is_none());
    assert!(coder.claims(&sent).await.is_none());
}

async fn two_claim_at_once_and_one_gets_it(bench: Bench) {
    let planner = Agent::on(&bench, "planner").await;
    let mut agents = Vec::new();
    for number in 0..8 {
        agents.push(Agent::on(&bench, &format!("coder-{number}")).await);
    }
    for _ in 0..20 {
        let sent = planner.sends(message("planner", "task.offer")).await;
        let claims = agents.iter().map(|agent| {
            let (agent, sent) = (agent.clone(), sent.clone());
            tokio::spawn(async move { agent.claims(&sent).await })
        });
        let mut got = 0;
        for claim in claims.collect::<Vec<_>>() {
            got += usize::from(claim.await.unwrap().is_some());
        }
        assert_eq!(got, 1);
    }
}

async fn complete(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let sent = planner.sends(message("planner", "task.offer")).await;
    let claimed = coder.gets(&sent).await;
    coder.channels.complete(&claimed).await.unwrap();
    assert_eq!(planner.sees().await, []);
    assert!(planner.claims(&sent).await.is_none());
    let again = coder.channels.complete(&claimed).await.unwrap_err();
    assert!(again.is_stale(), "{again}");
}

async fn fail_three_times_and_land_in_the_dead_letters(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let sent = planner.sends(message("planner", "task.offer").payload(free(r#"{"task": "compile"}"#))).await;
    for attempt in 1..=3 {
        assert_eq!(coder.channels.dead_letters(sent.channel(), LETTERS).await.unwrap(), []);
        assert_eq!(planner.sees().await, std::slice::from_ref(&sent));
        let claimed = coder.gets(&sent).await;
        assert_eq!(claimed.attempt(), attempt);
        coder.channels.fail(&claimed, &format!("no compiler, seen {attempt} times")).await.unwrap();
    }
    assert_eq!(planner.sees().await, []);
    let letters = planner.channels.dead_letters(sent.channel(), LETTERS).await.unwrap();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!(letter.message, Ok(sent.clone()));
    assert_eq!(letter.id, *sent.id().as_uuid());
    assert_eq!(letter.error, "no compiler, seen 3 times");
    assert_eq!(letter.attempts, 3);
    assert_eq!(letter.died_at.unwrap().as_datetime().timestamp_millis(), bench.clock.now());
}

async fn a_dead_letter_is_replayed(bench: Bench) {
    let coder = Agent::on(&bench, "coder").await;
    let sent = coder.sends(message("coder", "task.offer")).await;
    for _ in 0..3 {
        coder.channels.fail(&coder.gets(&sent).await, "not yet").await.unwrap();
    }
    coder.channels.replay(sent.channel(), *sent.id().as_uuid()).await.unwrap();
    assert_eq!(coder.channels.dead_letters(sent.channel(), LETTERS).await.unwrap(), []);
    assert_eq!(coder.gets(&sent).await.attempt(), 1);
    let unknown = coder.channels.replay(sent.channel(), *sent.id().as_uuid()).await.unwrap_err();
    assert_eq!(unknown.code(), Some(Code::NotFound), "{unknown}");
}

async fn a_claim_that_is_not_finished_comes_back_when_its_lease_ends(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let sent = planner.sends(message("planner", "task.offer")).await;
    let claimed = coder.gets(&sent).await;
    bench.clock.advance(299_999);
    assert!(planner.claims(&sent).await.is_none());
    bench.clock.advance(1);
    assert_eq!(planner.gets(&sent).await.attempt(), 2);
    assert!(coder.channels.complete(&claimed).await.unwrap_err().is_stale());
}

async fn a_claim_is_held_longer(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let sent = planner.sends(message("planner", "task.offer")).await;
    let claimed = coder.gets(&sent).await;
    bench.clock.advance(200_000);
    coder.channels.extend(&claimed, Duration::from_mins(5)).await.unwrap();
    bench.clock.advance(200_000);
    assert!(planner.claims(&sent).await.is_none());
    coder.channels.complete(&claimed).await.unwrap();
}

async fn what_was_claimed_is_given_back_on_closing(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let sent = planner.sends(message("planner", "task.offer")).await;
    let _claimed = coder.gets(&sent).await;
    coder.channels.close().await.unwrap();
    assert_eq!(planner.gets(&sent).await.attempt(), 1);
}

async fn a_message_for_one_agent_is_not_another_s(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let sent = planner.sends(message("planner", "task.offer").to_agent(name("coder"))).await;
    assert_eq!(planner.sees().await, []);
    assert!(planner.claims(&sent).await.is_none());
    let next = planner.channels.claim_next(&name("planner"), sent.channel(), Duration::ZERO).await.unwrap();
    assert!(next.is_none());
    assert_eq!(coder.sees().await, std::slice::from_ref(&sent));
    assert_eq!(*coder.gets(&sent).await.message(), sent);
}

async fn claim_next_takes_the_most_urgent_first(bench: Bench) {
    let coder = Agent::on(&bench, "coder").await;
    for priority in [1, 10, 5] {
        let priority = ChannelPriority::new(priority).unwrap();
        coder.sends(message("planner", "task.offer").priority(priority)).await;
    }
    let mut priorities = Vec::new();
    while let Some(claimed) = coder.channels.claim_next(&coder.name, &name("general"), Duration::ZERO).await.unwrap() {
        priorities.push(claimed.message().priority().get());
        coder.channels.complete(&claimed).await.unwrap();
    }
    assert_eq!(priorities, [10, 5, 1]);
}

async fn expired_ones_cleaned_up_with_the_count(bench: Bench) {
    let planner = Agent::on(&bench, "planner").await;
    let hasty = Channels::open(&*bench.broker, "hasty").await.unwrap().with_clock(Arc::new(bench.clock.clone()));
    let hasty = Agent { name: name("hasty"), channels: hasty.with_expiry(Duration::from_mins(1)) };
    for _ in 0..3 {
        hasty.sends(message("hasty", "task.offer")).await;
    }
    hasty.sends(message("hasty", "task.offer").channel(name("builds"))).await;
    let kept = planner.sends(message("planner", "task.offer")).await;
    assert_eq!(planner.sees().await.len(), 4);
    bench.clock.advance(60_000);
    assert_eq!(planner.sees().await, std::slice::from_ref(&kept));
    assert_eq!(planner.channels.clean_up(&[name("general")]).await.unwrap(), 3);
    assert_eq!(planner.channels.clean_up(&[name("general")]).await.unwrap(), 0);
    // Without a channel it is all that the connection has used.
    assert_eq!(hasty.channels.clean_up(&[]).await.unwrap(), 1);
    assert_eq!(planner.sees().await, [kept]);
}

async fn the_same_message_sent_twice_is_one(bench: Bench) {
    let planner = Agent::on(&bench, "planner").await;
    let sent = planner.sends(message("planner", "task.offer")).await;
    planner.channels.send(&sent).await.unwrap();
    assert_eq!(planner.sees().await, [sent]);
}

async fn another_lease_on_the_same_channel_is_told(bench: Bench) {
    let planner = Agent::on(&bench, "planner").await;
    let sent = planner.sends(message("planner", "task.offer")).await;
    let other = Channels::open(&*bench.broker, "other").await.unwrap().with_lease(Duration::from_secs(1));
    let error = other.send(&sent).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::Conflict));
    assert!(error.to_string().starts_with("declaring channel.general: conflict: "), "{error}");
}

/// Puts bytes into a channel past every check.
async fn smuggle(bench: &Bench, client: &str, bodies: &[Vec<u8>]) {
    let client = bench.client(client).await;
    let queue = channel_queue(&name("general"));
    let policy = Policy { max_priority: 10, max_attempts: 3, lease_ms: 300_000, ..Policy::default() };
    client.declare(&queue, &policy).await.unwrap();
    for body in bodies {
        client.publish(&queue, Message::new(uuid::Uuid::now_v7(), body.clone())).await.unwrap();
    }
}

async fn poison_is_quarantined_with_its_reason_and_the_next_is_handled(bench: Bench) {
    let coder = Agent::on(&bench, "coder").await;
    let valid = message("planner", "task.offer").build().unwrap();
    let unknown = valid.to_json().replace("task.offer", "Task Offer");
    let poisons = poisons(&valid.to_json(), "version", (unknown, "CHN-2"));
    let bodies: Vec<_> = poisons.iter().map(|(_, body, _)| body.clone()).collect();
    smuggle(&bench, "stranger", &bodies).await;
    coder.channels.send(&valid).await.unwrap();
    let next = coder.channels.claim_next(&coder.name, &name("general"), Duration::ZERO).await.unwrap().unwrap();
    assert_eq!(*next.message(), valid);
    let letters = coder.channels.dead_letters(&name("general"), LETTERS).await.unwrap();
    assert_eq!(letters.len(), poisons.len());
    for (letter, poison) in letters.iter().zip(&poisons) {
        assert_eq!(letter.body, poison.1);
        assert_eq!(letter.error, reason::<ChannelMessage>(poison));
        assert_eq!(letter.attempts, 1, "{}", poison.0);
        assert!(letter.message.is_err());
    }
}

async fn a_look_sees_behind_poison(bench: Bench) {
    let coder = Agent::on(&bench, "coder").await;
    smuggle(&bench, "stranger", &vec![b"oops".to_vec(); 25]).await;
    let sent = coder.sends(message("planner", "task.offer")).await;
    let seen = coder.channels.receive(&coder.name, &[name("general")], RECEIVE).await.unwrap();
    assert_eq!(seen, [sent]);
    assert_eq!(coder.channels.dead_letters(&name("general"), LETTERS).await.unwrap().len(), 25);
}
