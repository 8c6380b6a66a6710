//! What stands on the lines: each method's parameters and its result, as types.
//!
//! Members that a type does not name are ignored. A missing one, or one that is not what it must be,
//! is told by its name. `null` is absence for the members that may be left out.

mod body;
mod decode;
mod frame;
mod letters;
mod object;
mod presence;
mod publishing;
mod queues;
mod session;
mod taking;

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use body::Encoding;
pub(crate) use body::room;
pub use decode::{Decode, Decoded, Kind, Violation};
pub use frame::{
    Answer, INVALID_PARAMS, INVALID_REQUEST, Id, METHOD_NOT_FOUND, PARSE_ERROR, Request, RpcError, TwoPointZero,
};
pub use letters::{DeadLetter, DeadLetters, Letters, Replay};
pub use object::{Mismatch, read};
pub use presence::{Agents, Heartbeat, Present};
pub use publishing::{Item, Outcome, Publish, PublishBatch, Published, PublishedBatch, Refused};
pub use queues::{AskDepth, Declare, Delete, Expired, PurgeQueue, QueueName, Removed, Sweep};
pub use session::{Close, Empty, Initialize, Initialized, Limits, Open, Restart, Runner, Shutdown};

pub use taking::{Extend, FetchMessages, Fetched, Looked, PeekMessages, Seen, Settle, Taken, Word};

use crate::contract::Depth;

/// The contract that is spoken here.
pub const CONTRACT: &str = "1";

/// The most bytes of a line, its end not counted: 16 MiB.
pub const MAX_LINE: usize = 16 * 1_048_576;

/// The parameters of a method, which say what its result is.
pub trait Call: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The method.
    const METHOD: Method;

    /// What it answers.
    type Result: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
}

/// One method after the other, for what has to be done with each.
pub(crate) trait Visit {
    fn visit<C: Call>(&mut self);
}

macro_rules! methods {
    ($($Name:ident $text:literal $Params:ident => $Result:ident, $what:literal;)+) => {
        /// A method of the protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Method { $(#[doc = $what] $Name,)+ }

        impl Method {
            /// All of them.
            pub const ALL: &[Method] = &[$(Method::$Name,)+];

            /// Its name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Method::$Name => $text,)+ }
            }

            /// What it does, in a line.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Method::$Name => $what,)+ }
            }
        }

        $(impl Call for $Params {
            const METHOD: Method = Method::$Name;

            type Result = $Result;
        })+

        pub(crate) fn each(visit: &mut impl Visit) {
            $(visit.visit::<$Params>();)+
        }
    };
}

methods! {
    Initialize "initialize" Initialize => Initialized, "Says who asks and who answers, by which contract. Comes first.";
    Open "open" Open => Empty, "Opens a connection under a name.";
    Close "close" Close => Empty, "Ends a connection.";
    Declare "declare" Declare => Empty, "Makes a queue, or finds that it is there with this policy.";
    Publish "publish" Publish => Published, "Stores a message. After the answer it is safe.";
    PublishBatch "publish_batch" PublishBatch => PublishedBatch, "Stores many messages.";
    Fetch "fetch" FetchMessages => Fetched, "Takes what is next, under a lease.";
    Peek "peek" PeekMessages => Looked, "Looks at what would be fetched, and takes nothing.";
    Settle "settle" Settle => Empty, "Ends a delivery.";
    Extend "extend" Extend => Empty, "Holds a delivery for this long from now.";
    Depth "depth" AskDepth => Depth, "Says how many messages are where.";
    DeadLetters "dead_letters" DeadLetters => Letters, "Looks at the dead letters.";
    Replay "replay" Replay => Empty, "Sends a dead letter back to its queue, as new.";
    Purge "purge" PurgeQueue => Removed, "Removes the ready messages, or the dead letters.";
    Delete "delete" Delete => Empty, "Removes a queue and all that is in it.";
    Sweep "sweep" Sweep => Expired, "Removes what has expired, and says how many.";
    Heartbeat "heartbeat" Heartbeat => Empty, "Says that an agent is there, and how it is.";
    Agents "agents" Agents => Present, "Says who is there.";
    Restart "restart" Restart => Empty, "Stops the broker and starts it again; answers once it accepts.";
    Decode "decode" Decode => Decoded, "Reads a message of the wire protocol.";
    Shutdown "shutdown" Shutdown => Empty, "Ends the adapter, which exits with 0. Comes last.";
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Method::ALL.iter().copied().find(|method| method.as_str() == text);
        found.ok_or_else(|| format!("there is no method {text:?}"))
    }
}
