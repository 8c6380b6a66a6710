//! An agent's heartbeat.

use crate::document::{Whole, document};
use crate::field::{word_field, word_value};
use crate::id::{AgentId, TaskId};
use crate::measures::Resources;
use crate::name::AgentType;
use crate::time::Timestamp;

word_value! {
    /// Whether an agent takes work.
    AgentStatus, rule: Stu2, expected: "one of online, offline, busy",
    {
        /// It waits for work.
        Online = "online",
        /// It stops.
        Offline = "offline",
        /// It works.
        Busy = "busy",
    }
}

word_field!(AgentStatus);

document! {
    /// An agent says that it is there, and how it is.
    StatusUpdate, builder: StatusUpdateBuilder, parts: StatusUpdateParts, missing: Stu1,
    {
        /// The agent.
        agent_id "agent_id": AgentId = required;
        /// Its type.
        agent_type "agent_type": AgentType = required, example r#""infra""#;
        /// Whether it takes work.
        status "status": AgentStatus = required, example r#""busy""#;
        /// What it works on.
        current_task_id "current_task_id": TaskId = optional;
        /// How loaded its machine is.
        resources "resources": Resources = default(Resources::default()),
            example r#"{"cpu_percent": 12.5, "memory_percent": 40, "gpu_vram_available_gb": 6, "gpu_vram_total_gb": 8}"#;
        /// When it was so.
        timestamp "timestamp": Timestamp = required;
    }
}

impl Whole for StatusUpdate {
    type Parts = StatusUpdateParts;

    const LEVEL: u32 = 2;
}
