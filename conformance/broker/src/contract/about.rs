//! What a broker says of itself: what it claims, how much it takes, what it does where there is a choice.

use crate::capability::Capabilities;

/// What a broker says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is written in, where it says.
    pub language: Option<String>,
    /// What it claims to do.
    pub capabilities: Capabilities,
    /// How much it takes.
    pub limits: BrokerLimits,
    /// What it does where there is a choice.
    pub choices: Choices,
}

/// 1 MiB.
pub const MEBIBYTE: u64 = 1_048_576;

/// How much a broker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokerLimits {
    /// The highest `max_priority` of a policy.
    pub max_priority: i64,
    /// The most bytes of a body.
    pub max_message_bytes: u64,
}

impl Default for BrokerLimits {
    fn default() -> Self {
        BrokerLimits { max_priority: 10, max_message_bytes: MEBIBYTE }
    }
}

macro_rules! choice {
    ($(#[doc = $doc:literal])+ $Name:ident $text:literal { $(#[doc = $first_doc:literal])+ $First:ident, $(#[doc = $second_doc:literal])+ $Second:ident }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $Name {
            $(#[doc = $first_doc])+
            #[default]
            $First,
            $(#[doc = $second_doc])+
            $Second,
        }
    };
}

choice! {
    /// What the same id with another body is.
    SameId "same_id_other_body" {
        /// A duplicate like any other.
        Duplicate,
        /// An error.
        Conflict
    }
}

choice! {
    /// What a new group sees.
    NewGroup "new_group" {
        /// All that is still there.
        All,
        /// What is published from then on.
        New
    }
}

choice! {
    /// Where a retried message goes.
    RetryPlace "retry_place" {
        /// It keeps its place.
        Keeps,
        /// It goes behind its priority.
        Back
    }
}

choice! {
    /// What one bad message does to its batch.
    Batch "batch" {
        /// Nothing: each has an answer of its own.
        Each,
        /// None of the batch is stored.
        AllOrNone
    }
}

/// What a broker does where more than one way is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Choices {
    /// What the same id with another body is.
    pub same_id_other_body: SameId,
    /// What a new group sees.
    pub new_group: NewGroup,
    /// Where a retried message goes.
    pub retry_place: RetryPlace,
    /// What one bad message does to its batch.
    pub batch: Batch,
}
