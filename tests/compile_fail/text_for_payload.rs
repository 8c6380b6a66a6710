//! A payload is one of the five messages, not any text.

use workwire::{AgentType, MessageEnvelope};

fn main() {
    let _ = MessageEnvelope::new(AgentType::Orchestrator, AgentType::Infra, "deploy the web service");
}
