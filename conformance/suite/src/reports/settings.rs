//! How a run was told to be done, so that who reads its report knows what was not looked at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::plan::Filter;
use crate::profiles;

/// How a run was told to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// What the target is judged as.
    pub role: Role,
    /// Only the cases of this profile, where one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Only the cases that match one of these patterns; all where there is none.
    #[serde(default)]
    pub only: Vec<String>,
    /// None of the cases that match one of these patterns.
    #[serde(default)]
    pub skip: Vec<String>,
    /// Whether cases ran with the protocol's own times too.
    pub full: bool,
    /// How many cases ran side by side.
    pub jobs: usize,
    /// How long one case was given, in milliseconds.
    pub timeout_ms: u64,
    /// Whether a SHOULD that fails counts like a MUST.
    pub strict: bool,
    /// What was known to fail, and did not count.
    #[serde(default)]
    pub known_failing: Vec<KnownFailing>,
}

/// What a target is judged as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It stores and delivers messages.
    #[default]
    Broker,
    /// It reads and writes messages.
    Codec,
}

impl Role {
    /// Its name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Broker => "broker",
            Role::Codec => "codec",
        }
    }
}

/// Cases that are known to fail, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownFailing {
    /// A pattern that they match.
    pub pattern: String,
    /// The reason that somebody gave.
    pub reason: String,
}

impl Settings {
    /// Whether a case is one of those that were wanted.
    #[must_use]
    pub fn want(&self, case: &Case) -> bool {
        let filter = Filter { only: self.only.clone(), skip: self.skip.clone() };
        let profile = self.profile.as_deref().and_then(profiles::find);
        profile.is_none_or(|profile| profile.covers(case)) && filter.takes(case)
    }

    /// Which cases alone were wanted, in words; nothing where all of them were.
    #[must_use]
    pub fn narrowed(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.profile.iter().map(|profile| format!("those of the profile {profile}")));
        if !self.only.is_empty() {
            words.push(format!("those that match {}", self.only.join(", ")));
        }
        if !self.skip.is_empty() {
            words.push(format!("none that match {}", self.skip.join(", ")));
        }
        words.join(", ")
    }

    /// In words, each with its name: what is as it is without being told is left out.
    #[must_use]
    pub fn words(&self) -> Vec<(&'static str, String)> {
        let mut words = vec![("role", self.role.as_str().to_owned())];
        let mut say = |name: &'static str, said: Option<String>| words.extend(said.map(|said| (name, said)));
        say("profile", self.profile.clone());
        say("only", (!self.only.is_empty()).then(|| self.only.join(", ")));
        say("left out", (!self.skip.is_empty()).then(|| self.skip.join(", ")));
        say("times", Some(if self.full { "short, and the protocol's own" } else { "short" }.to_owned()));
        say("side by side", Some(self.jobs.to_string()));
        say("time for a case", Some(format!("{} s", seconds(self.timeout_ms))));
        say("strict", self.strict.then(|| "a SHOULD counts like a MUST".to_owned()));
        let known = self.known_failing.iter().map(|known| format!("{}: {}", known.pattern, known.reason));
        let known: Vec<String> = known.collect();
        say("known to fail", (!known.is_empty()).then(|| known.join("; ")));
        words
    }
}

fn seconds(ms: u64) -> String {
    match ms % 1_000 {
        0 => (ms / 1_000).to_string(),
        rest => format!("{}.{rest:03}", ms / 1_000),
    }
}
