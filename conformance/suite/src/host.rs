//! The machine on which a broker runs, for clauses that need more of it than a connection: several
//! processes on one store, a disk that is full, a store that was damaged.

mod process;

use std::fmt;

pub use process::ProcessHost;

use crate::subject::Reaching;

/// Where a store is kept, and how much it may take.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The name of the store: the same name is the same store.
    pub store: String,
    /// The size of its disk in bytes, where that is bounded. Such a disk is gone with its process.
    pub room: Option<u64>,
}

/// A machine on which brokers of one kind can be started.
pub trait Host: Send + Sync + fmt::Debug {
    /// Starts a process of its own on a store, beside those that run there.
    fn start(&self, place: &Place) -> Reaching;

    /// Damages a store on which no process runs: what it holds is overwritten, but it still looks like one.
    ///
    /// # Errors
    /// Says why it could not.
    fn damage(&self, store: &str) -> Result<(), String>;

    /// Whether disks can be bounded here.
    fn can_bound_disks(&self) -> bool;
}
