//! Heartbeats of agents.

use serde_json::json;
use workwire::{AgentId, AgentStatus, AgentType, Resources, StatusUpdate, TaskId, Timestamp};

use crate::bodies::{places, requires, status_update};

#[test]
fn status_update_requires_agent_id() {
    requires(status_update, "/agent_id", "STU-1");
}

#[test]
fn status_update_requires_agent_type() {
    requires(status_update, "/agent_type", "STU-1");
}

#[test]
fn status_update_requires_status() {
    requires(status_update, "/status", "STU-1");
}

#[test]
fn status_update_requires_timestamp() {
    requires(status_update, "/timestamp", "STU-1");
}

#[test]
fn status_update_only_online_offline_busy() {
    for word in ["online", "offline", "busy"] {
        let status = *status_update().with("/status", word).read().status();
        assert_eq!(status.as_str(), word);
        assert_eq!(AgentStatus::new(word).unwrap(), status);
    }
    for stranger in ["idle", "Online", ""] {
        status_update().with("/status", stranger).breaks(&[("/status", "STU-2")]);
        assert_eq!(places(&AgentStatus::new(stranger).unwrap_err()), [("", "STU-2")]);
    }
}

#[test]
fn status_update_carries_resource_metrics() {
    let update = StatusUpdate::builder()
        .agent_id(AgentId::new())
        .agent_type(AgentType::Research)
        .status(AgentStatus::Busy)
        .current_task_id(TaskId::new())
        .resources(Resources::new(12.5, 40.0, 6.0, 8.0).unwrap())
        .timestamp(Timestamp::now())
        .build()
        .unwrap();
    let same = StatusUpdate::from_json(&update.to_json()).unwrap();
    assert_eq!(same, update);
    let resources = same.resources();
    assert_eq!((resources.cpu_percent(), resources.memory_percent()), (Some(12.5), Some(40.0)));
    assert_eq!((resources.gpu_vram_available_gb(), resources.gpu_vram_total_gb()), (Some(6.0), Some(8.0)));
}

#[test]
fn status_update_resources_are_empty_or_whole() {
    assert!(status_update().with("/resources", json!({})).read().resources().is_empty());
    status_update().with("/resources", json!({"cpu_percent": 5})).breaks(&[
        ("/resources/memory_percent", "STU-3"),
        ("/resources/gpu_vram_available_gb", "STU-3"),
        ("/resources/gpu_vram_total_gb", "STU-3"),
    ]);
}

#[test]
fn status_update_task_is_optional() {
    assert_eq!(status_update().read().current_task_id(), None);
    assert_eq!(status_update().with("/current_task_id", ()).read().current_task_id(), None);
    assert!(!status_update().read().to_json().contains("current_task_id"));
    status_update().with("/current_task_id", "none").breaks(&[("/current_task_id", "UID-1")]);
}

#[test]
fn status_update_agent_type_is_one_of_the_five() {
    status_update().with("/agent_type", "planner").breaks(&[("/agent_type", "ENV-2")]);
}
