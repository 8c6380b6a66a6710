//! What holds of every message, whatever it says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod properties {
    pub(crate) mod documents;
    pub(crate) mod free;
    pub(crate) mod tree;
    pub(crate) mod values;

    mod broken;
    mod numbers;
    mod round_trips;
    mod spelling;
    mod texts;
    mod times;
}

use proptest::prelude::ProptestConfig;

/// As many cases as `PROPTEST_CASES` says, 256 otherwise, and no files of past failures.
fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        max_local_rejects: u32::MAX,
        max_global_rejects: u32::MAX,
        ..ProptestConfig::default()
    }
}
