//! One caller: what it holds, and what it may do.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::{RwLock, RwLockWriteGuard, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::api::{Fault, Held};
use super::index::Chosen;
use super::moving::ClaimKind;
use super::opened::OpenQueue;
use super::record::Record;
use super::{Shared, streams};
use crate::contract::{CloseMode, Tag};
use crate::demand::End;
use crate::error::BrokerError;
use crate::queue::Queue;

/// How many steps of one client are under way at once.
pub(super) const AT_ONCE: usize = 1_024;

/// A delivery that is not settled.
pub(super) struct Holding {
    pub(super) open: Arc<OpenQueue>,
    pub(super) record: Record,
    pub(super) held: Held,
    /// The number of its claim.
    pub(super) claim: u64,
    /// When the lease is over, as its holder reckons: from before it was asked for.
    pub(super) until: Instant,
}

/// A client, as its operations share it.
pub(super) struct Caller {
    pub(super) shared: Arc<Shared>,
    name: String,
    /// Its tags begin with this, so that another's are unknown here.
    mark: String,
    last_tag: AtomicU64,
    holdings: Mutex<HashMap<Tag, Holding>>,
    closed: watch::Sender<bool>,
    /// What a client asks for is begun in the order in which it asks: what comes behind a declaration
    /// waits until that is done.
    order: RwLock<()>,
}

impl Caller {
    pub(super) fn new(shared: Arc<Shared>, name: &str) -> Self {
        Caller {
            shared,
            name: name.to_owned(),
            mark: Uuid::new_v4().simple().to_string(),
            last_tag: AtomicU64::new(0),
            holdings: Mutex::default(),
            closed: watch::Sender::new(false),
            order: RwLock::default(),
        }
    }

    fn holdings(&self) -> MutexGuard<'_, HashMap<Tag, Holding>> {
        self.holdings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn check_open(&self) -> Result<(), BrokerError> {
        if *self.closed.borrow() { Err(BrokerError::not_found("the client is closed")) } else { Ok(()) }
    }

    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    /// A queue, as this client may use it.
    pub(super) async fn queue(&self, queue: &Queue) -> Result<Arc<OpenQueue>, BrokerError> {
        queue.check()?;
        let _turn = self.order.read().await;
        self.check_open()?;
        streams::open(&self.shared, queue).await
    }

    /// Alone, so that what was asked before has begun, and what is asked later has not.
    pub(super) async fn alone(&self) -> Result<RwLockWriteGuard<'_, ()>, BrokerError> {
        let alone = self.order.write().await;
        self.check_open().map(|()| alone)
    }

    /// Holds a delivery, unless the client is closed already.
    pub(super) fn hold(&self, holding: Holding) -> Result<Tag, Box<Holding>> {
        let tag = Tag(format!("{}-{}", self.mark, self.last_tag.fetch_add(1, Ordering::Relaxed)));
        let mut holdings = self.holdings();
        if *self.closed.borrow() {
            return Err(Box::new(holding));
        }
        holdings.insert(tag.clone(), holding);
        Ok(tag)
    }

    /// Takes a delivery out of the client's hands, to settle it.
    pub(super) fn let_go(&self, queue: &Queue, tag: &Tag) -> Result<Holding, BrokerError> {
        let mut holdings = self.holdings();
        if holdings.get(tag).is_none_or(|holding| holding.open.queue != *queue) {
            return Err(BrokerError::stale());
        }
        let holding = holdings.remove(tag).ok_or_else(BrokerError::stale)?;
        if Instant::now() < holding.until {
            return Ok(holding);
        }
        holding.open.spend(holding.claim);
        Err(BrokerError::stale())
    }

    /// Puts it back, since nobody knows what became of it.
    pub(super) fn keep(&self, tag: &Tag, holding: Holding) {
        if !*self.closed.borrow() {
            self.holdings().insert(tag.clone(), holding);
        }
    }

    /// Ends it. What it holds comes back.
    pub(super) async fn close(&self, mode: CloseMode) -> Result<(), BrokerError> {
        let alone = self.order.write().await;
        let holdings = self.shut().ok_or_else(|| BrokerError::not_found("the client is closed"))?;
        drop(alone);
        give_up(holdings, mode).await;
        self.shared.names().remove(&self.name);
        Ok(())
    }

    /// What it held; none where it was closed before.
    fn shut(&self) -> Option<Vec<Holding>> {
        let mut holdings = self.holdings();
        if self.closed.send_replace(true) {
            return None;
        }
        Some(holdings.drain().map(|(_, holding)| holding).collect())
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let Some(holdings) = self.shut() else { return };
        self.shared.names().remove(&self.name);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // Where no runtime is left, the leases end by themselves.
            runtime.spawn(give_up(holdings, CloseMode::Abort));
        }
    }
}

/// Gives back what was held, all at once. What the server does not hear of comes back when its lease ends.
pub(super) async fn give_up(holdings: Vec<Holding>, mode: CloseMode) {
    let each = stream::iter(holdings).map(|holding| async move {
        let given_up = match mode {
            CloseMode::Graceful => give_back(&holding).await,
            CloseMode::Abort => lose(&holding).await,
        };
        drop(given_up);
    });
    each.buffer_unordered(AT_ONCE).collect::<()>().await;
}

/// The same attempt comes again, at once.
pub(super) async fn give_back(holding: &Holding) -> Result<(), Fault> {
    let free = holding.open.put_claim(holding.held.seq, holding.claim, ClaimKind::Free).await?;
    if let Some(free) = free {
        holding.open.spend(free);
    }
    Ok(())
}

/// The attempt is used up.
async fn lose(holding: &Holding) -> Result<(), Fault> {
    let open = &holding.open;
    let record = holding.record.clone();
    let chosen = Chosen { seq: holding.held.seq, bytes: holding.held.body.len(), record, claim: holding.claim };
    open.change(|index, now| index.set_busy(now, chosen.seq, true));
    let lost = open.end_lease(&chosen, End::ClientLost, open.now()).await;
    open.change(|index, now| index.set_busy(now, chosen.seq, false));
    lost.map(drop)
}

/// The names of open clients.
pub(super) type OpenNames = HashSet<String>;
