//! Which of the mutants that stand in this copy is taken: none unless somebody says so.

use std::sync::atomic::{AtomicU32, Ordering};

const NOT_ASKED: u32 = u32::MAX;

static ACTIVE: AtomicU32 = AtomicU32::new(NOT_ASKED);

/// Its number; 0 for none. Before anybody said, the environment says.
pub fn active() -> u32 {
    let active = ACTIVE.load(Ordering::Relaxed);
    if active != NOT_ASKED {
        return active;
    }
    let told = std::env::var("WORKWIRE_MUTANT").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    ACTIVE.store(told, Ordering::Relaxed);
    told
}

/// From now on it is this one.
pub fn become_mutant(number: u32) {
    ACTIVE.store(number, Ordering::Relaxed);
}
