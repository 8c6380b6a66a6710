//! Who is there, and how.

use workwire_broker::{Health, HealthStatus};

use super::agents::{Agent, name};
use crate::brokers::{Bench, on_bench};
use crate::subjects::each_broker;

each_broker! { where time jumps: on_bench:
    heartbeat_upsert_and_health,
    who_is_silent_is_offline,
}

async fn heartbeat_upsert_and_health(bench: Bench) {
    let (planner, coder) = (Agent::on(&bench, "planner").await, Agent::on(&bench, "coder").await);
    assert_eq!(planner.channels.health().await.unwrap(), []);
    planner.channels.heartbeat(Health::new(name("planner"), HealthStatus::Idle)).await.unwrap();
    coder.channels.heartbeat(Health::new(name("coder"), HealthStatus::Idle)).await.unwrap();
    bench.clock.advance(1_000);
    let busy = Health {
        current_task: Some("compile".to_owned()),
        messages_pending: Some(3),
        messages_processed: Some(14),
        error_count: Some(1),
        ..Health::new(name("coder"), HealthStatus::Degraded)
    };
    coder.channels.heartbeat(busy).await.unwrap();

    let health = planner.channels.health().await.unwrap();
    let [coder, planner] = &health[..] else { panic!("{health:?}") };
    assert_eq!((planner.agent_id.as_str(), planner.status.as_str()), ("planner", "idle"));
    assert_eq!((coder.agent_id.as_str(), coder.status.as_str()), ("coder", "degraded"));
    assert_eq!(coder.current_task_id.as_deref(), Some("compile"));
    assert_eq!([coder.messages_pending, coder.messages_processed, coder.error_count], [Some(3), Some(14), Some(1)]);
    assert_eq!(
        *coder.last_heartbeat.as_datetime() - *planner.last_heartbeat.as_datetime(),
        chrono::TimeDelta::seconds(1)
    );
}

async fn who_is_silent_is_offline(bench: Bench) {
    let planner = Agent::on(&bench, "planner").await;
    planner.channels.heartbeat(Health::new(name("planner"), HealthStatus::Active)).await.unwrap();
    bench.clock.advance(179_999);
    assert_eq!(planner.channels.health().await.unwrap()[0].status, "active");
    bench.clock.advance(1);
    assert_eq!(planner.channels.health().await.unwrap()[0].status, "offline");
    planner.channels.heartbeat(Health::new(name("planner"), HealthStatus::Failed)).await.unwrap();
    assert_eq!(planner.channels.health().await.unwrap()[0].status, "failed");
}
