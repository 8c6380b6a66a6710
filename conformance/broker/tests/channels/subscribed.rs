//! Channels that an agent is subscribed to.

use workwire::{ChannelMessage, ChannelPriority};
use workwire_broker::{Message, Policy, RECEIVE, subscriptions_queue};

use super::agents::{Agent, message, name};
use crate::brokers::{Bench, on_bench};
use crate::subjects::each_broker;

each_broker! { on_bench:
    receive_without_channels_reads_the_subscribed_ones,
    subscribing_twice_is_once_and_unsubscribing_ends_it,
    two_who_subscribe_at_once_leave_one_subscription,
    what_is_no_subscription_does_no_harm,
    several_channels_are_one_row_the_most_urgent_first,
    channels_with_names_that_differ_in_case_or_length_are_apart,
}

each_broker! { where time jumps: on_bench:
    subscriptions_are_kept_by_the_broker,
}

async fn receive_without_channels_reads_the_subscribed_ones(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    let built = planner.sends(message("planner", "build.done").channel(name("builds"))).await;
    planner.sends(message("planner", "vote.cast").channel(name("votes"))).await;
    planner.sends(message("planner", "task.offer")).await;
    assert_eq!(coder.channels.receive(&coder.name, &[], RECEIVE).await.unwrap(), []);
    coder.channels.subscribe(&coder.name, &name("builds")).await.unwrap();
    planner.channels.subscribe(&planner.name, &name("votes")).await.unwrap();
    assert_eq!(coder.channels.receive(&coder.name, &[], RECEIVE).await.unwrap(), [built]);
}

async fn subscriptions_are_kept_by_the_broker(bench: Bench) {
    let coder = Agent::on(&bench, "coder").await;
    for channel in ["votes", "builds", "Builds"] {
        coder.channels.subscribe(&coder.name, &name(channel)).await.unwrap();
        bench.clock.advance(1_000);
    }
    coder.channels.close().await.unwrap();
    let coder = Agent::on(&bench, "coder").await;
    let subscriptions = coder.channels.subscriptions(&coder.name).await.unwrap();
    let channels: Vec<_> = subscriptions.iter().map(|found| found.channel.as_str()).collect();
    assert_eq!(channels, ["votes", "builds", "Builds"]);
    assert!(subscriptions[0].subscribed_at < subscriptions[1].subscribed_at);
}

async fn subscribing_twice_is_once_and_unsubscribing_ends_it(bench: Bench) {
    let coder = Agent::on(&bench, "coder").await;
    let builds = name("builds");
    for _ in 0..3 {
        coder.channels.subscribe(&coder.name, &builds).await.unwrap();
    }
    assert_eq!(coder.channels.subscriptions(&coder.name).await.unwrap().len(), 1);
    assert!(coder.channels.unsubscribe(&coder.name, &builds).await.unwrap());
    assert!(!coder.channels.unsubscribe(&coder.name, &builds).await.unwrap());
    assert_eq!(coder.channels.subscriptions(&coder.name).await.unwrap(), []);
    // And once more, at once.
    coder.channels.subscribe(&coder.name, &builds).await.unwrap();
    assert_eq!(coder.channels.subscriptions(&coder.name).await.unwrap().len(), 1);
}

async fn two_who_subscribe_at_once_leave_one_subscription(bench: Bench) {
    let coder = Agent::on(&bench, "coder").await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let coder = coder.clone();
            tokio::spawn(async move { coder.channels.subscribe(&coder.name, &name("builds")).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(coder.channels.subscriptions(&coder.name).await.unwrap().len(), 1);
    assert!(coder.channels.unsubscribe(&coder.name, &name("builds")).await.unwrap());
    assert_eq!(coder.channels.subscriptions(&coder.name).await.unwrap(), []);
}

async fn what_is_no_subscription_does_no_harm(bench: Bench) {
    let coder = Agent::on(&bench, "coder").await;
    coder.channels.subscribe(&coder.name, &name("builds")).await.unwrap();
    let stranger = bench.client("stranger").await;
    let queue = subscriptions_queue();
    stranger.declare(&queue, &Policy { dedupe_ms: 0, ..Policy::default() }).await.unwrap();
    let of_another = r#"{"channel": "votes", "agent": "planner", "subscribed_at": "2026-01-01T00:00:00Z"}"#;
    // Two who subscribe at the same moment can leave two.
    let once_more = r#"{"channel": "builds", "agent": "coder", "subscribed_at": "2026-01-01T00:00:00Z"}"#;
    for body in ["oops", "{}", of_another, once_more] {
        stranger.publish(&queue, Message::new(uuid::Uuid::now_v7(), body)).await.unwrap();
    }
    let subscriptions = coder.channels.subscriptions(&coder.name).await.unwrap();
    assert_eq!(subscriptions.iter().map(|found| found.channel.as_str()).collect::<Vec<_>>(), ["builds"]);
}

async fn several_channels_are_one_row_the_most_urgent_first(bench: Bench) {
    let coder = Agent::on(&bench, "coder").await;
    let mut sent = Vec::new();
    for (channel, priority) in [("a", 1), ("b", 5), ("a", 5), ("b", 10), ("c", 5)] {
        let priority = ChannelPriority::new(priority).unwrap();
        let offer = message("planner", "task.offer").channel(name(channel)).priority(priority);
        // The clock of the machine may stand still between two messages.
        let moment = workwire_broker::clock::timestamp(1_800_000_000_000 + i64::try_from(sent.len()).unwrap());
        sent.push(coder.sends(offer.timestamp(moment)).await);
    }
    let channels = [name("a"), name("b"), name("c"), name("a")];
    let seen = coder.channels.receive(&coder.name, &channels, RECEIVE).await.unwrap();
    let expected: Vec<_> = [3, 1, 2, 4, 0].map(|index: usize| sent[index].clone()).into();
    assert_eq!(seen, expected);
    let first = coder.channels.receive(&coder.name, &channels, 2).await.unwrap();
    assert_eq!(first, expected[..2]);
}

async fn channels_with_names_that_differ_in_case_or_length_are_apart(bench: Bench) {
    let coder = Agent::on(&bench, "coder").await;
    let long = "Team_".repeat(25);
    let names = ["team", "Team", "TEAM", "t_eam", "_team", &long, &format!("{long}x")[..], &"x".repeat(128)];
    let names: Vec<_> = names.iter().filter_map(|text| text.parse::<workwire::Name>().ok()).collect();
    assert_eq!(names.len(), 7);
    for channel in &names {
        coder.sends(message("planner", "task.offer").channel(channel.clone())).await;
    }
    for channel in &names {
        let seen = coder.channels.receive(&coder.name, std::slice::from_ref(channel), RECEIVE).await.unwrap();
        assert_eq!(seen.iter().map(ChannelMessage::channel).collect::<Vec<_>>(), [channel]);
    }
}
