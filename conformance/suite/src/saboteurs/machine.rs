//! A machine in memory, for the proof that cases can fail: stores are brokers in memory, and each
//! process is another door to one of them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use workwire_broker::{Answer, Broker, BrokerError, MemoryBroker, Message, OpenError, Queue, Stored};

use super::{Defect, Inner, Layered, Saboteur};
use crate::host::{Host, Place};
use crate::subject::{Reached, Reaching};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "acknowledges_without_room",
        breaks: &["DUR-10"],
        about: "acknowledges what it has no room for",
        make: || Arc::new(On(Habit::AcknowledgesWithoutRoom)),
    },
    Saboteur {
        name: "begins_anew_when_damaged",
        breaks: &["DUR-11"],
        about: "begins a store anew that is damaged, and says nothing",
        make: || Arc::new(On(Habit::BeginsAnew)),
    },
    Saboteur {
        name: "keeps_a_store_for_each_process",
        breaks: &["CON-7"],
        about: "gives each process a store of its own, whatever it was told",
        make: || Arc::new(On(Habit::StoreForEach)),
    },
    Saboteur {
        name: "serves_the_first_process",
        breaks: &["CON-8"],
        about: "lets the process that came first write whenever it wants, and the others in between",
        make: || Arc::new(On(Habit::FirstComeOnly)),
    },
];

/// An honest broker on a machine with a habit.
struct On(Habit);

impl Defect for On {
    fn habit(&self) -> Habit {
        self.0
    }
}

/// What a machine does with the brokers on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// What is right.
    Honest,
    /// Each process has a store of its own, whatever it was told.
    StoreForEach,
    /// The second process on a store waits a long time before each operation.
    FirstComeOnly,
    /// A publish on a full disk is acknowledged.
    AcknowledgesWithoutRoom,
    /// A damaged store is begun anew, and nothing is said.
    BeginsAnew,
}

/// A machine in memory.
pub struct MemoryHost {
    habit: Habit,
    stores: Mutex<HashMap<String, Arc<MemoryBroker>>>,
    damaged: Mutex<HashSet<String>>,
    /// How many processes were started on a store.
    started: Mutex<HashMap<String, u64>>,
}

impl MemoryHost {
    /// An empty one.
    #[must_use]
    pub fn new(habit: Habit) -> Self {
        MemoryHost { habit, stores: Mutex::default(), damaged: Mutex::default(), started: Mutex::default() }
    }

    fn open(&self, place: &Place) -> Result<Arc<dyn Broker>, OpenError> {
        let number = {
            let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
            let count = started.entry(place.store.clone()).or_default();
            *count += 1;
            *count
        };
        let is_damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner).contains(&place.store);
        if is_damaged && self.habit != Habit::BeginsAnew {
            return Err(OpenError::setup(format!("{}: the store is damaged", place.store)));
        }
        let name = match self.habit {
            Habit::StoreForEach => format!("{}-{number}", place.store),
            _ if is_damaged => format!("{} anew", place.store),
            _ => place.store.clone(),
        };
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let store = Arc::clone(stores.entry(name).or_default());
        let slow = self.habit == Habit::FirstComeOnly && number > 1;
        let layer = Arc::new(Door { room: place.room, used: AtomicU64::new(0), habit: self.habit, slow });
        Ok(Arc::new(Layered::new(store, layer)))
    }
}

impl Host for MemoryHost {
    fn start(&self, place: &Place) -> Reaching {
        let opened = self.open(place).map(Reached::bare);
        Box::pin(std::future::ready(opened))
    }

    fn damage(&self, store: &str) -> Result<(), String> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).insert(store.to_owned());
        Ok(())
    }

    fn can_bound_disks(&self) -> bool {
        true
    }
}

impl fmt::Debug for MemoryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryHost").field("habit", &self.habit).finish_non_exhaustive()
    }
}

/// One process: its disk, and how it is served.
struct Door {
    room: Option<u64>,
    used: AtomicU64,
    habit: Habit,
    slow: bool,
}

/// What a process waits for before each operation that is not served in its turn.
const OUT_OF_TURN: std::time::Duration = std::time::Duration::from_millis(400);

impl Defect for Door {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            if self.slow {
                tokio::time::sleep(OUT_OF_TURN).await;
            } else {
                // No process has the store for itself.
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            let bytes = u64::try_from(message.body.len()).unwrap_or(u64::MAX);
            let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
            if self.room.is_some_and(|room| used > room) {
                self.used.fetch_sub(bytes, Ordering::Relaxed);
                return match self.habit {
                    Habit::AcknowledgesWithoutRoom => Ok(Stored::Stored),
                    _ => Err(BrokerError::full("no space is left on the disk")),
                };
            }
            inner.client.publish(queue, message).await
        })
    }
}
