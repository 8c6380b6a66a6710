//! What waits at the same moment goes in one step: items are gathered while others are on their way.

use std::future::Future;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many steps are on their way at a time.
const ON_THE_WAY: usize = 4;

/// What is gathered.
pub(super) trait Item: Send + 'static {
    /// Whether the two can go in one step.
    fn goes_with(&self, other: &Self) -> bool;

    /// Its size in bytes.
    fn bytes(&self) -> usize;
}

pub(super) struct Batches<T> {
    gathered: Mutex<Gathered<T>>,
    most: usize,
    most_bytes: usize,
}

struct Gathered<T> {
    items: Vec<T>,
    on_the_way: usize,
}

impl<T: Item> Batches<T> {
    /// Steps of so many items, and of so many bytes.
    pub(super) fn of(most: usize, most_bytes: usize) -> Self {
        Batches { gathered: Mutex::new(Gathered { items: Vec::new(), on_the_way: 0 }), most, most_bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Gathered<T>> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds items, and sees to it that they go. The work goes on when who asked has gone.
    pub(super) fn push<F, W>(
        self: &Arc<Self>,
        runtime: &tokio::runtime::Handle,
        items: impl IntoIterator<Item = T>,
        work: W,
    ) where
        W: Fn(Vec<T>) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        let mut gathered = self.lock();
        gathered.items.extend(items);
        if gathered.on_the_way >= ON_THE_WAY {
            return;
        }
        gathered.on_the_way += 1;
        drop(gathered);
        let batches = Arc::clone(self);
        runtime.spawn(async move {
            while let Some(batch) = batches.next() {
                work(batch).await;
            }
        });
    }

    /// The first and what goes with it, in their order.
    fn next(&self) -> Option<Vec<T>> {
        let mut gathered = self.lock();
        if gathered.items.is_empty() {
            gathered.on_the_way -= 1;
            return None;
        }
        let (mut batch, mut bytes, mut is_full): (Vec<T>, usize, bool) = (Vec::new(), 0, false);
        for item in mem::take(&mut gathered.items) {
            let belongs = batch.first().is_none_or(|first| first.goes_with(&item));
            is_full |=
                belongs && !batch.is_empty() && (batch.len() >= self.most || bytes + item.bytes() > self.most_bytes);
            if belongs && !is_full {
                bytes += item.bytes();
                batch.push(item);
            } else {
                gathered.items.push(item);
            }
        }
        Some(batch)
    }
}
