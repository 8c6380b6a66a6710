//! What a broker claims that it can do. What it claims is tested; what it does not claim it must
//! refuse clearly.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! capabilities {
    ($($Name:ident $text:literal $what:literal,)+) => {
        /// One thing that a broker may be able to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Capability { $(#[doc = $what] $Name,)+ }

        impl Capability {
            /// All of them, the one that is not optional first.
            pub const ALL: &[Capability] = &[$(Capability::$Name,)+];

            /// Its name in the adapter protocol and in reports.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Capability::$Name => $text,)+ }
            }

            /// What it means, in a line.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Capability::$Name => $what,)+ }
            }
        }
    };
}

capabilities! {
    Core "core" "Declare, publish, fetch, settle, depth; queues apart from each other; every message at least once. Not optional.",
    Priority "priority" "The more urgent message comes first.",
    Fifo "fifo" "Within one priority, first in is first out.",
    Lease "lease" "What was taken and not settled in time is delivered again.",
    Extend "extend" "A lease can be made longer, or shorter, while it lasts.",
    Attempts "attempts" "Deliveries that ended in a lost connection or an expired lease count as attempts too.",
    DeadLetter "dead-letter" "What failed too often, or was given up, is kept aside with its reason.",
    Replay "replay" "A dead letter can be sent back to its queue.",
    Backoff "backoff" "A queue's policy says how long a message rests after each failure.",
    Ttl "ttl" "A message can expire.",
    Delay "delay" "A message can be published for later.",
    Dedupe "dedupe" "Within a time, the same id is stored once.",
    Groups "groups" "Each group of consumers sees every message once.",
    Addressing "addressing" "A message can be for one named recipient.",
    Tenancy "tenancy" "Tenants have queues of their own, apart from each other.",
    MaxLength "max-length" "A queue can be bounded.",
    Purge "purge" "A queue can be emptied.",
    Presence "presence" "Agents say that they are there, and can be listed.",
    Durable "durable" "What was confirmed survives the sudden death of the broker.",
    Restart "restart" "The broker can be told to stop and start again.",
    Wait "wait" "A fetch can wait until something comes.",
    Large "large" "Bodies of 1 MiB.",
    Batch "batch" "Many messages can be published at once.",
    Browse "browse" "Messages can be looked at without taking them, and taken by their id.",
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Capability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Capability::ALL.iter().copied().find(|capability| capability.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no capability"))
    }
}

/// A set of them. `core` is always in it.
///
/// ```
/// use workwire_broker::{Capabilities, Capability};
/// let some: Capabilities = [Capability::Priority, Capability::Lease].into_iter().collect();
/// assert!(some.has(Capability::Core) && some.has(Capability::Lease) && !some.has(Capability::Ttl));
/// assert_eq!(some.to_string(), "core priority lease");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Capabilities(u32);

impl Capabilities {
    /// `core` alone.
    pub const CORE: Capabilities = Capabilities(1);

    /// Every capability there is.
    #[must_use]
    pub const fn all() -> Self {
        Capabilities((1 << Capability::ALL.len()) - 1)
    }

    /// Whether it is in the set.
    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u32) != 0
    }

    /// The same and one more.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Capabilities(self.0 | (1 << capability as u32))
    }

    /// The same without one. `core` stays.
    #[must_use]
    pub const fn without(self, capability: Capability) -> Self {
        Capabilities(self.0 & !(1 << capability as u32) | 1)
    }

    /// Those in the set, in the order of [`Capability::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.iter().copied().filter(move |capability| self.has(*capability))
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        capabilities.into_iter().fold(Capabilities::CORE, Capabilities::with)
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, capability) in self.iter().enumerate() {
            write!(f, "{}{capability}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}
