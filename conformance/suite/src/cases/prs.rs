//! PRS · Presence.

use uuid::Uuid;
use workwire::{AgentId, AgentStatus, AgentType, Resources, StatusUpdate, StatusUpdateBuilder, TaskId};
use workwire_broker::clock::{Clock, SystemClock, timestamp};
use workwire_broker::{Capability, CloseMode, Health, HealthStatus, Update};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;
use crate::recorder::{Actor, Told};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "prs/a_heartbeat_makes_an_agent_known",
        clauses: &["PRS-1"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_heartbeat_makes_an_agent_known(stage)),
    },
    Case {
        id: "prs/who_is_silent_for_so_long_is_offline",
        clauses: &["PRS-2"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(who_is_silent_for_so_long_is_offline(stage)),
    },
    Case {
        id: "prs/nobody_is_offline_before",
        clauses: &["PRS-3"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(nobody_is_offline_before(stage)),
    },
    Case {
        id: "prs/one_more_brings_it_back",
        clauses: &["PRS-4"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(one_more_brings_it_back(stage)),
    },
    Case {
        id: "prs/three_minutes_where_nothing_is_said",
        clauses: &["PRS-5"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(three_minutes_where_nothing_is_said(stage)),
    },
    Case {
        id: "prs/three_agents_at_once_are_three",
        clauses: &["PRS-6"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(three_agents_at_once_are_three(stage)),
    },
    Case {
        id: "prs/the_newest_wins_over_a_late_older_one",
        clauses: &["PRS-7"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(the_newest_wins_over_a_late_older_one(stage)),
    },
    Case {
        id: "prs/an_older_one_does_not_end_the_silence",
        clauses: &["PRS-8"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_older_one_does_not_end_the_silence(stage)),
    },
    Case {
        id: "prs/one_of_the_same_time_counts",
        clauses: &["PRS-9"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(one_of_the_same_time_counts(stage)),
    },
    Case {
        id: "prs/the_last_heartbeat_is_the_updates_own_time",
        clauses: &["PRS-10"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(the_last_heartbeat_is_the_updates_own_time(stage)),
    },
    Case {
        id: "prs/silence_is_measured_from_the_arrival",
        clauses: &["PRS-11"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(silence_is_measured_from_the_arrival(stage)),
    },
    Case {
        id: "prs/task_and_resources_are_the_last_reported",
        clauses: &["PRS-12"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(task_and_resources_are_the_last_reported(stage)),
    },
    Case {
        id: "prs/the_health_of_a_channel_agent",
        clauses: &["PRS-13"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(the_health_of_a_channel_agent(stage)),
    },
    Case {
        id: "prs/an_agent_outlives_its_connection",
        clauses: &["PRS-14"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_agent_outlives_its_connection(stage)),
    },
    Case {
        id: "prs/of_a_hundred_agents_none_is_lost",
        clauses: &["PRS-15"],
        needs: &[Capability::Presence],
        checks: &[],
        alone: Alone::Yes,
        run: |stage| Box::pin(of_a_hundred_agents_none_is_lost(stage)),
    },
];

/// An update of the agent of this id, of a time so many milliseconds from now.
fn update(agent: Uuid, status: AgentStatus, from_now_ms: i64) -> StatusUpdateBuilder {
    let update = StatusUpdate::builder().agent_id(AgentId::from_uuid(agent)).agent_type(AgentType::Code);
    update.status(status).timestamp(timestamp(SystemClock.now() + from_now_ms))
}

/// That the agent is listed once, with this status.
fn listed(agent: &impl ToString, status: &(impl ToString + ?Sized)) -> Expectation {
    let (id, status) = (agent.to_string(), Some(status.to_string()));
    Expectation::Agent { id, status, task: None, counts: None, resources: None }
}

/// Says something on which the rest builds.
async fn say(stage: &Stage, by: &Actor, update: StatusUpdateBuilder) -> Result<Told<()>, Stop> {
    let update = update.build().map_err(|_| Stop)?;
    let told = by.heartbeat(&Update::Agent(update), None).await;
    stage.need(told.clone())?;
    Ok(told)
}

/// PRS-1: An agent is listed from its first update on, by its id or name, with its type and its
/// status.
async fn a_heartbeat_makes_an_agent_known(stage: &mut Stage) -> Result<(), Stop> {
    let client = stage.client("agent").await?;
    for (status, kind) in [(AgentStatus::Online, AgentType::Research), (AgentStatus::Busy, AgentType::Desktop)] {
        let agent = stage.id();
        say(stage, &client, update(agent, status, 0).agent_type(kind)).await?;
        let told = stage.demand_soon("PRS-1", listed(&agent, &status), || client.agents(None, None)).await;
        let (id, agent_type) = (agent.to_string(), kind.to_string());
        stage.demand("PRS-1", &told, Expectation::AgentType { id, agent_type });
    }
    Ok(())
}

/// PRS-2: An agent that was silent for `offline_after_ms` is listed as `offline`.
async fn who_is_silent_for_so_long_is_offline(stage: &mut Stage) -> Result<(), Stop> {
    let client = stage.client("agent").await?;
    let agents = [(stage.id(), AgentStatus::Online), (stage.id(), AgentStatus::Busy)];
    for (agent, status) in agents {
        say(stage, &client, update(agent, status, 0)).await?;
    }
    stage.pass(stage.ms(500)).await;
    let told = client.agents(Some(stage.ms(300)), None).await;
    for (agent, _) in agents {
        stage.demand("PRS-2", &told, listed(&agent, "offline"));
    }
    Ok(())
}

/// PRS-3: An agent that was not silent for so long is not listed as `offline`.
async fn nobody_is_offline_before(stage: &mut Stage) -> Result<(), Stop> {
    let client = stage.client("agent").await?;
    let agent = stage.id();
    let silence = stage.ms(1_000);
    let said = say(stage, &client, update(agent, AgentStatus::Online, 0)).await?;
    stage.pass(stage.ms(600)).await;
    let told = client.agents(Some(silence), None).await;
    stage.premise(&told, Expectation::By { moment: said.after_asking(silence - 1) });
    stage.demand("PRS-3", &told, listed(&agent, &AgentStatus::Online));
    Ok(())
}

/// PRS-4: One more update makes an offline agent what it says it is.
async fn one_more_brings_it_back(stage: &mut Stage) -> Result<(), Stop> {
    let client = stage.client("agent").await?;
    let agent = stage.id();
    let silence = stage.ms(1_000);
    say(stage, &client, update(agent, AgentStatus::Online, -1)).await?;
    stage.pass(stage.ms(1_100)).await;
    let told = client.agents(Some(silence), None).await;
    stage.need_that(&told, listed(&agent, "offline"))?;
    let said = say(stage, &client, update(agent, AgentStatus::Busy, 0)).await?;
    stage.pass(stage.ms(100)).await;
    let told = client.agents(Some(silence), None).await;
    stage.premise(&told, Expectation::By { moment: said.after_asking(silence - 1) });
    stage.demand("PRS-4", &told, listed(&agent, &AgentStatus::Busy));
    Ok(())
}

/// PRS-5: Where no time is named, an agent is not offline before 180 s of silence.
async fn three_minutes_where_nothing_is_said(stage: &mut Stage) -> Result<(), Stop> {
    let client = stage.client("agent").await?;
    let agent = stage.id();
    let said = say(stage, &client, update(agent, AgentStatus::Online, 0)).await?;
    stage.pass(stage.ms(400)).await;
    let told = client.agents(None, None).await;
    stage.premise(&told, Expectation::By { moment: said.after_asking(179_999) });
    stage.demand("PRS-5", &told, listed(&agent, &AgentStatus::Online));
    Ok(())
}

/// PRS-6: Each agent is listed once, with what it said itself, however many there are and however
/// often they say it.
async fn three_agents_at_once_are_three(stage: &mut Stage) -> Result<(), Stop> {
    let mut clients = [stage.client("a").await?, stage.client("b").await?, stage.client("c").await?];
    let (first, second, third) = (stage.id(), stage.id(), stage.name("ada"));
    let health = Update::Channel(Health::new(third.parse().map_err(|_| Stop)?, HealthStatus::Idle));
    for _ in 0..3 {
        let [a, b, c] = &clients;
        let (one, two, three) = tokio::join!(
            say(stage, a, update(first, AgentStatus::Online, 0)),
            say(stage, b, update(second, AgentStatus::Busy, 0)),
            c.heartbeat(&health, None),
        );
        one.and(two)?;
        stage.need(three)?;
        // Each comes over another connection next time.
        clients.rotate_left(1);
    }
    let told = stage.until(&listed(&third, "idle"), || clients[0].agents(None, None)).await;
    stage.demand("PRS-6", &told, listed(&first, &AgentStatus::Online));
    stage.demand("PRS-6", &told, listed(&second, &AgentStatus::Busy));
    stage.demand("PRS-6", &told, listed(&third, "idle"));
    Ok(())
}

/// PRS-7: An update that is older than the last known changes nothing of what is listed.
async fn the_newest_wins_over_a_late_older_one(stage: &mut Stage) -> Result<(), Stop> {
    let client = stage.client("agent").await?;
    let agent = stage.id();
    say(stage, &client, update(agent, AgentStatus::Busy, 0)).await?;
    let told = stage.until(&listed(&agent, &AgentStatus::Busy), || client.agents(None, None)).await;
    stage.need_that(&told, listed(&agent, &AgentStatus::Busy))?;
    say(stage, &client, update(agent, AgentStatus::Online, -5_000)).await?;
    stage.pass(stage.a_while()).await;
    let told = client.agents(None, None).await;
    stage.demand("PRS-7", &told, listed(&agent, &AgentStatus::Busy));
    Ok(())
}

/// PRS-8: An update that is older than the last known does not end the silence of its agent.
async fn an_older_one_does_not_end_the_silence(stage: &mut Stage) -> Result<(), Stop> {
    let client = stage.client("agent").await?;
    let agent = stage.id();
    say(stage, &client, update(agent, AgentStatus::Busy, 0)).await?;
    stage.pass(stage.ms(400)).await;
    say(stage, &client, update(agent, AgentStatus::Busy, -5_000)).await?;
    stage.pass(stage.ms(200)).await;
    let told = client.agents(Some(stage.ms(500)), None).await;
    stage.demand("PRS-8", &told, listed(&agent, "offline"));
    Ok(())
}

/// PRS-9: An update of the same time as the last known counts.
async fn one_of_the_same_time_counts(stage: &mut Stage) -> Result<(), Stop> {
    let client = stage.client("agent").await?;
    let agent = stage.id();
    let same_time = timestamp(SystemClock.now());
    for status in [AgentStatus::Busy, AgentStatus::Online] {
        say(stage, &client, update(agent, status, 0).timestamp(same_time)).await?;
    }
    stage.demand_soon("PRS-9", listed(&agent, &AgentStatus::Online), || client.agents(None, None)).await;
    Ok(())
}

/// PRS-10: `last_heartbeat` is the time that the last update itself names.
async fn the_last_heartbeat_is_the_updates_own_time(stage: &mut Stage) -> Result<(), Stop> {
    let client = stage.client("agent").await?;
    let agent = stage.id();
    let at = SystemClock.now() - 90_000;
    say(stage, &client, update(agent, AgentStatus::Online, 0).timestamp(timestamp(at))).await?;
    let since = Expectation::LastHeartbeat { id: agent.to_string(), at };
    stage.demand_soon("PRS-10", since, || client.agents(None, None)).await;
    Ok(())
}

/// PRS-11: Silence is measured from the arrival of an update, whatever time it names.
async fn silence_is_measured_from_the_arrival(stage: &mut Stage) -> Result<(), Stop> {
    let client = stage.client("agent").await?;
    // One whose clock is an hour behind, and one whose clock is an hour ahead.
    let (behind, ahead) = (stage.id(), stage.id());
    say(stage, &client, update(behind, AgentStatus::Online, -3_600_000)).await?;
    say(stage, &client, update(ahead, AgentStatus::Online, 3_600_000)).await?;
    let online = listed(&behind, &AgentStatus::Online);
    stage.demand_soon("PRS-11", online, || client.agents(Some(600_000), None)).await;
    stage.pass(stage.ms(500)).await;
    let told = client.agents(Some(stage.ms(300)), None).await;
    stage.demand("PRS-11", &told, listed(&ahead, "offline"));
    Ok(())
}

/// PRS-12: Status, task and resources of an agent are those of its last update: a task that is
/// named no more is listed no more.
async fn task_and_resources_are_the_last_reported(stage: &mut Stage) -> Result<(), Stop> {
    let client = stage.client("agent").await?;
    let (agent, task) = (stage.id(), stage.id());
    say(stage, &client, update(agent, AgentStatus::Online, -2)).await?;
    let told = stage.until(&listed(&agent, "online"), || client.agents(None, None)).await;
    stage.need_that(&told, listed(&agent, "online"))?;
    let resources = Resources::new(12.5, 40.0, 6.0, 8.0).map_err(|_| Stop)?;
    let busy = update(agent, AgentStatus::Busy, -1).current_task_id(TaskId::from_uuid(task)).resources(resources);
    say(stage, &client, busy).await?;
    let at_work = Expectation::Agent {
        id: agent.to_string(),
        status: Some("busy".to_owned()),
        task: Some(task.to_string()),
        counts: None,
        resources: Some(serde_json::json!({"cpu_percent": 12.5, "gpu_vram_available_gb": 6.0})),
    };
    stage.demand_soon("PRS-12", at_work, || client.agents(None, None)).await;
    say(stage, &client, update(agent, AgentStatus::Online, 0)).await?;
    let told = stage.demand_soon("PRS-12", listed(&agent, "online"), || client.agents(None, None)).await;
    stage.demand("PRS-12", &told, Expectation::NoTask { id: agent.to_string() });
    Ok(())
}

/// PRS-13: Status, task and counts of an agent on channels are those of its last health.
async fn the_health_of_a_channel_agent(stage: &mut Stage) -> Result<(), Stop> {
    let client = stage.client("agent").await?;
    let name = stage.name("ada");
    for (number, status) in (1..).zip([HealthStatus::Active, HealthStatus::Degraded, HealthStatus::Failed]) {
        let health = Health {
            current_task: Some(format!("chapter {number}")),
            messages_pending: Some(7 - number),
            messages_processed: Some(40 + number),
            error_count: Some(number),
            ..Health::new(name.parse().map_err(|_| Stop)?, status)
        };
        stage.need(client.heartbeat(&Update::Channel(health), None).await)?;
        let expected = Expectation::Agent {
            id: name.clone(),
            status: Some(status.as_str().to_owned()),
            task: Some(format!("chapter {number}")),
            counts: Some([7 - number, 40 + number, number]),
            resources: None,
        };
        stage.demand_soon("PRS-13", expected, || client.agents(None, None)).await;
    }
    Ok(())
}

/// PRS-14: An agent stays listed when the connection is closed over which it was heard.
async fn an_agent_outlives_its_connection(stage: &mut Stage) -> Result<(), Stop> {
    let (agent, observer) = (stage.id(), stage.client("observer").await?);
    for mode in [CloseMode::Graceful, CloseMode::Abort] {
        let client = stage.client("agent").await?;
        say(stage, &client, update(agent, AgentStatus::Online, 0)).await?;
        let told = stage.until(&listed(&agent, &AgentStatus::Online), || observer.agents(None, None)).await;
        stage.need_that(&told, listed(&agent, &AgentStatus::Online))?;
        stage.need(client.close(mode).await)?;
        stage.pass(stage.a_while()).await;
        let told = observer.agents(None, None).await;
        stage.demand("PRS-14", &told, listed(&agent, &AgentStatus::Online));
    }
    Ok(())
}

/// PRS-15: Of the updates of a hundred agents at once none is lost.
async fn of_a_hundred_agents_none_is_lost(stage: &mut Stage) -> Result<(), Stop> {
    let agents: Vec<Uuid> = (0..100).map(|_| stage.id()).collect();
    let clients =
        [stage.client("a").await?, stage.client("b").await?, stage.client("c").await?, stage.client("d").await?];
    let all = |client: usize| {
        let (stage, client, own) = (&*stage, &clients[client], agents[client * 25..][..25].to_vec());
        async move {
            for (status, from_now) in [(AgentStatus::Online, -1), (AgentStatus::Busy, 0)] {
                for agent in &own {
                    say(stage, client, update(*agent, status, from_now)).await?;
                }
            }
            Ok::<(), Stop>(())
        }
    };
    let (a, b, c, d) = tokio::join!(all(0), all(1), all(2), all(3));
    a.and(b).and(c).and(d)?;
    stage.pass(stage.a_while()).await;
    let told = clients[0].agents(None, None).await;
    for agent in agents {
        stage.demand("PRS-15", &told, listed(&agent, &AgentStatus::Busy));
    }
    Ok(())
}
