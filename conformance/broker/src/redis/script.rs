//! The scripts: each is a few parts of Lua in a row, and runs as one step of the server.

use std::sync::LazyLock;

macro_rules! scripts {
    ($($(#[doc = $doc:literal])* $NAME:ident: $($part:literal)+;)+) => {$(
        $(#[doc = $doc])*
        pub(super) static $NAME: LazyLock<Script> = LazyLock::new(|| {
            Script::of(concat!($(include_str!(concat!("lua/", $part, ".lua")), "\n",)+))
        });
    )+

        /// All of them, to be loaded at once.
        pub(super) fn all() -> Vec<&'static Script> {
            vec![$(&*$NAME,)+]
        }
    };
}

scripts! {
    DECLARE: "declare";
    PUBLISH: "head" "time" "entry" "life" "tick" "publish";
    FETCH: "head" "time" "entry" "life" "tick" "look" "join" "take" "only" "survey" "fetch";
    SETTLE: "head" "time" "entry" "life" "tick" "settle";
    RELEASE: "head" "time" "entry" "life" "tick" "release";
    EXTEND: "head" "time" "entry" "life" "tick" "extend";
    DEPTH: "head" "time" "entry" "life" "tick" "look" "depth";
    PEEK: "head" "time" "entry" "life" "tick" "look" "peek";
    LETTERS: "head" "time" "entry" "life" "tick" "letters";
    REPLAY: "head" "time" "entry" "life" "tick" "replay";
    PURGE: "head" "time" "entry" "life" "tick" "look" "purge";
    SWEEP: "head" "time" "entry" "life" "tick" "sweep";
    DELETE: "head" "delete";
    HEARTBEAT: "heartbeat";
    AGENTS: "agents";
}

/// A script, and the name that the server knows it by.
pub(super) struct Script {
    pub(super) text: &'static str,
    pub(super) hash: String,
}

impl Script {
    fn of(text: &'static str) -> Self {
        Script { text, hash: ::redis::Script::new(text).get_hash().to_owned() }
    }
}
