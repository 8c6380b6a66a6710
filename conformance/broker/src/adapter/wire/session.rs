//! Who speaks, and who is connected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::object;
use crate::capability::Capability;
use crate::contract::{About, BrokerLimits, Choices, CloseMode, RestartMode};

/// A result that says no more than that it went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Empty {}

/// The first request: who asks, by which contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Initialize {
    /// The contract that the runner speaks.
    #[schemars(example = "1")]
    pub contract: String,
    /// Who asks.
    #[serde(deserialize_with = "object::object")]
    pub runner: Runner,
}

/// A program that talks to adapters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Runner {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Who answers, and what it claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Initialized {
    /// The contract that the adapter speaks.
    #[schemars(example = "1")]
    pub contract: String,
    /// The broker's name.
    pub name: String,
    /// The broker's version.
    pub version: String,
    /// What it is written in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What it claims to do.
    #[serde(deserialize_with = "object::words")]
    pub capabilities: Vec<Capability>,
    /// How much it takes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object::optional")]
    pub limits: Option<Limits>,
    /// What it does where more than one way is right.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object::optional")]
    pub choices: Option<Choices>,
}

/// How much a broker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// The highest `max_priority` of a policy.
    pub max_priority: i64,
    /// The most bytes of a body.
    pub max_message_bytes: u64,
}

impl Initialized {
    /// What no broker can say of itself, in words.
    pub(crate) fn wrong(&self) -> Option<String> {
        let contract = super::CONTRACT;
        if self.contract != contract {
            return Some(format!("contract: expected {contract:?}, found {:?}", self.contract));
        }
        let least = if self.capabilities.contains(&Capability::Priority) { 2 } else { 1 };
        let most = self.limits.map(|limits| limits.max_priority).filter(|most| !(least..=10).contains(most))?;
        let why = if least == 2 { " where priority is claimed" } else { "" };
        Some(format!("limits.max_priority: expected {least} to 10{why}, found {most}"))
    }
}

impl From<&About> for Initialized {
    fn from(about: &About) -> Self {
        let BrokerLimits { max_priority, max_message_bytes } = about.limits;
        Initialized {
            contract: super::CONTRACT.to_owned(),
            name: about.name.clone(),
            version: about.version.clone(),
            language: about.language.clone(),
            capabilities: about.capabilities.iter().collect(),
            limits: Some(Limits { max_priority, max_message_bytes }),
            choices: Some(about.choices),
        }
    }
}

impl From<&Initialized> for About {
    fn from(initialized: &Initialized) -> Self {
        let limits = initialized.limits.map_or_else(BrokerLimits::default, |limits| BrokerLimits {
            max_priority: limits.max_priority,
            max_message_bytes: limits.max_message_bytes,
        });
        About {
            name: initialized.name.clone(),
            version: initialized.version.clone(),
            language: initialized.language.clone(),
            capabilities: initialized.capabilities.iter().copied().collect(),
            limits,
            choices: initialized.choices.unwrap_or_default(),
        }
    }
}

/// Opens a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Open {
    /// Its name, which no other open connection has.
    pub client: String,
}

/// Ends a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Close {
    /// Its name.
    pub client: String,
    /// With a goodbye, or as a crash ends it.
    #[serde(deserialize_with = "object::word")]
    pub mode: CloseMode,
}

/// Stops the broker and starts it again. Every client is gone then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Restart {
    /// Asked to stop, or killed.
    #[serde(deserialize_with = "object::word")]
    pub mode: RestartMode,
}

/// The last request: the adapter answers, and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Shutdown {}
