//! Who is there, and how it is.

use workwire::{AgentId, AgentStatus, AgentType, Resources, StatusUpdate, TaskId};
use workwire_broker::clock::timestamp;
use workwire_broker::{AgentState, Client, Health, HealthStatus, OFFLINE_AFTER_MS, Policy, Update};

use super::desk::{START, World, id, run};

crate::subjects::each_broker![run:
    a_heartbeat_makes_an_agent_known,
    three_missed_make_it_offline_and_one_more_brings_it_back,
    silence_is_as_long_as_asked,
    three_agents_at_once_are_three,
    a_hundred_agents_are_a_hundred,
    the_newest_wins_over_a_late_older_one,
    an_older_one_does_not_break_the_silence,
    one_of_the_same_time_is_taken,
    silence_is_measured_from_the_arrival,
    the_counts_and_the_task_are_the_last_reported,
    the_health_of_a_channel_agent,
    health_without_a_time_is_of_its_arrival,
    agents_come_by_their_ids,
    agents_of_both_kinds_are_told_side_by_side,
];

fn agent(number: u128) -> AgentId {
    AgentId::from_uuid(id(number))
}

fn update(number: u128, status: AgentStatus, at: i64) -> Update {
    let update = StatusUpdate::builder().agent_id(agent(number)).agent_type(AgentType::Infra).status(status);
    Update::Agent(update.timestamp(timestamp(at)).build().unwrap())
}

fn health(name: &str, status: HealthStatus) -> Health {
    Health::new(name.parse().unwrap(), status)
}

async fn heard(client: &dyn Client, update: Update) {
    client.heartbeat(update, None).await.unwrap();
}

async fn known(client: &dyn Client) -> Vec<AgentState> {
    client.agents(None, None).await.unwrap()
}

async fn statuses(client: &dyn Client) -> Vec<String> {
    known(client).await.into_iter().map(|agent| agent.status).collect()
}

async fn a_heartbeat_makes_an_agent_known(world: World) {
    let client = world.open("agent").await;
    assert!(known(&*client).await.is_empty());
    heard(&*client, update(1, AgentStatus::Online, START)).await;
    let state = known(&*client).await.remove(0);
    assert_eq!((state.agent_id, state.agent_type.as_deref()), (id(1).to_string(), Some("infra")));
    assert_eq!((state.status.as_str(), state.last_heartbeat), ("online", timestamp(START)));
    assert_eq!(state.current_task_id, None);
}

async fn three_missed_make_it_offline_and_one_more_brings_it_back(world: World) {
    let client = world.open("agent").await;
    assert_eq!(OFFLINE_AFTER_MS, 180_000);
    heard(&*client, update(1, AgentStatus::Busy, START)).await;
    world.clock.advance(179_999);
    assert_eq!(statuses(&*client).await, ["busy"]);
    world.clock.advance(1);
    assert_eq!(statuses(&*client).await, ["offline"]);
    heard(&*client, update(1, AgentStatus::Online, START + 180_000)).await;
    assert_eq!(statuses(&*client).await, ["online"]);
}

async fn silence_is_as_long_as_asked(world: World) {
    let client = world.open("agent").await;
    heard(&*client, update(1, AgentStatus::Online, START)).await;
    let asked = async |silence| client.agents(Some(silence), None).await.unwrap().remove(0).status;
    assert_eq!(asked(1).await, "online");
    world.clock.advance(500);
    assert_eq!((asked(501).await, asked(500).await), ("online".to_owned(), "offline".to_owned()));
}

async fn three_agents_at_once_are_three(world: World) {
    let clients = [world.open("a").await, world.open("b").await, world.open("c").await];
    let [a, b, c] = &clients;
    tokio::join!(
        heard(&**a, update(1, AgentStatus::Online, START)),
        heard(&**b, update(2, AgentStatus::Online, START)),
        heard(&**c, update(3, AgentStatus::Online, START)),
    );
    assert_eq!(statuses(&**a).await, ["online"; 3]);
}

async fn a_hundred_agents_are_a_hundred(world: World) {
    let client = world.open("agents").await;
    for round in 0..3 {
        for number in 1..=100 {
            heard(&*client, update(number, AgentStatus::Online, START + round)).await;
        }
    }
    assert_eq!(statuses(&*client).await, ["online"; 100]);
}

async fn the_newest_wins_over_a_late_older_one(world: World) {
    let client = world.open("agent").await;
    heard(&*client, update(1, AgentStatus::Busy, START + 1_000)).await;
    heard(&*client, update(1, AgentStatus::Online, START + 999)).await;
    let state = known(&*client).await.remove(0);
    assert_eq!((state.status.as_str(), state.last_heartbeat), ("busy", timestamp(START + 1_000)));
    heard(&*client, update(1, AgentStatus::Offline, START + 1_001)).await;
    assert_eq!(statuses(&*client).await, ["offline"]);
}

async fn an_older_one_does_not_break_the_silence(world: World) {
    let client = world.open("agent").await;
    heard(&*client, update(1, AgentStatus::Busy, START)).await;
    world.clock.advance(100_000);
    heard(&*client, update(1, AgentStatus::Busy, START - 1)).await;
    world.clock.advance(80_000);
    assert_eq!(statuses(&*client).await, ["offline"]);
}

async fn one_of_the_same_time_is_taken(world: World) {
    let client = world.open("agent").await;
    heard(&*client, update(1, AgentStatus::Busy, START)).await;
    world.clock.advance(100_000);
    heard(&*client, update(1, AgentStatus::Online, START)).await;
    world.clock.advance(179_999);
    assert_eq!(statuses(&*client).await, ["online"]);
}

async fn silence_is_measured_from_the_arrival(world: World) {
    let client = world.open("agent").await;
    // One whose clock is a day behind, and one whose clock is a day ahead.
    heard(&*client, update(1, AgentStatus::Online, START - 86_400_000)).await;
    heard(&*client, update(2, AgentStatus::Online, START + 86_400_000)).await;
    assert_eq!(statuses(&*client).await, ["online", "online"]);
    world.clock.advance(180_000);
    assert_eq!(statuses(&*client).await, ["offline", "offline"]);
}

async fn the_counts_and_the_task_are_the_last_reported(world: World) {
    let client = world.open("agent").await;
    let task = TaskId::from_uuid(id(77));
    let busy = StatusUpdate::builder()
        .agent_id(agent(1))
        .agent_type(AgentType::Research)
        .status(AgentStatus::Busy)
        .current_task_id(task)
        .resources(Resources::new(12.5, 40.0, 6.0, 8.0).unwrap())
        .timestamp(timestamp(START))
        .build()
        .unwrap();
    let resources = busy.resources().as_object().clone();
    heard(&*client, Update::Agent(busy)).await;
    let state = known(&*client).await.remove(0);
    assert_eq!(state.current_task_id, Some(id(77).to_string()));
    assert_eq!((state.agent_type.as_deref(), state.resources), (Some("research"), Some(resources)));
    // What is not said any more is not known any more.
    heard(&*client, update(1, AgentStatus::Online, START + 1)).await;
    assert_eq!(known(&*client).await.remove(0).current_task_id, None);
}

async fn the_health_of_a_channel_agent(world: World) {
    let client = world.open("agent").await;
    let active = Health {
        current_task: Some("reading".to_owned()),
        messages_pending: Some(3),
        messages_processed: Some(40),
        error_count: Some(2),
        timestamp: Some(timestamp(START - 5)),
        ..health("ada", HealthStatus::Active)
    };
    heard(&*client, Update::Channel(active)).await;
    let state = known(&*client).await.remove(0);
    assert_eq!((state.agent_id.as_str(), state.agent_type, state.status.as_str()), ("ada", None, "active"));
    assert_eq!(state.current_task_id.as_deref(), Some("reading"));
    let counts = (state.messages_pending, state.messages_processed, state.error_count);
    assert_eq!((counts, state.last_heartbeat), ((Some(3), Some(40), Some(2)), timestamp(START - 5)));
    for status in [HealthStatus::Idle, HealthStatus::Degraded, HealthStatus::Failed] {
        heard(&*client, Update::Channel(health("ada", status))).await;
        assert_eq!(statuses(&*client).await, [status.as_str()]);
    }
    assert_eq!(known(&*client).await.remove(0).messages_pending, None);
}

async fn health_without_a_time_is_of_its_arrival(world: World) {
    let client = world.open("agent").await;
    world.clock.advance(1_000);
    heard(&*client, Update::Channel(health("ada", HealthStatus::Active))).await;
    assert_eq!(known(&*client).await.remove(0).last_heartbeat, timestamp(START + 1_000));
    // One that says an earlier time is older than that.
    let late = Health { timestamp: Some(timestamp(START + 999)), ..health("ada", HealthStatus::Failed) };
    heard(&*client, Update::Channel(late)).await;
    assert_eq!(statuses(&*client).await, ["active"]);
}

async fn agents_come_by_their_ids(world: World) {
    let client = world.open("agent").await;
    for name in ["b", "a", "B", "a.1", "10", "9"] {
        heard(&*client, Update::Channel(health(name, HealthStatus::Idle))).await;
    }
    let ids: Vec<String> = known(&*client).await.into_iter().map(|agent| agent.agent_id).collect();
    assert_eq!(ids, ["10", "9", "B", "a", "a.1", "b"]);
}

async fn agents_of_both_kinds_are_told_side_by_side(world: World) {
    let desk = world.desk(Policy::default()).await;
    heard(&*desk.client, Update::Channel(health("ada", HealthStatus::Idle))).await;
    heard(&*desk.client, update(1, AgentStatus::Online, START)).await;
    assert_eq!(statuses(&*desk.client).await, ["online", "idle"]);
}
