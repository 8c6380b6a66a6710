//! What waits at the same moment goes in one step: items are gathered while others are on their way.

use std::future::Future;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::book::Place;

/// So many steps are on their way at a time, of all queues together.
const ON_THE_WAY: usize = 8;

/// What a step is of: a queue as it is known, and where that matters a group.
#[derive(Clone)]
pub(super) struct Lane {
    pub(super) place: Arc<Place>,
    pub(super) group: String,
}

impl Lane {
    pub(super) fn of(place: &Arc<Place>) -> Self {
        Lane { place: Arc::clone(place), group: String::new() }
    }

    fn is(&self, other: &Self) -> bool {
        (Arc::ptr_eq(&self.place, &other.place) || self.place.epoch == other.place.epoch) && self.group == other.group
    }
}

/// What is gathered.
pub(super) trait Item: Send + 'static {
    /// Only what is of one lane can go in one step.
    fn lane(&self) -> &Lane;

    /// How large it is, by what steps of its kind are measured in.
    fn size(&self) -> usize;
}

pub(super) struct Batches<T> {
    gathered: Mutex<Gathered<T>>,
    most: usize,
    most_size: usize,
    most_of_lane: usize,
}

struct Gathered<T> {
    items: Vec<T>,
    /// The lane of each step that is on its way.
    on_the_way: Vec<Lane>,
}

impl<T: Item> Batches<T> {
    /// Steps of so many items and of such a size. So many steps of one lane are on their way at a time: what comes
    /// meanwhile is gathered, for the server syncs after each step.
    pub(super) fn of(most: usize, most_size: usize, most_of_lane: usize) -> Self {
        let gathered = Mutex::new(Gathered { items: Vec::new(), on_the_way: Vec::new() });
        Batches { gathered, most, most_size, most_of_lane }
    }

    fn lock(&self) -> MutexGuard<'_, Gathered<T>> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_busy(&self, on_the_way: &[Lane], lane: &Lane) -> bool {
        on_the_way.iter().filter(|other| other.is(lane)).count() >= self.most_of_lane
    }

    /// Adds items of one lane, and sees to it that they go. The work goes on when who asked has gone.
    pub(super) fn push<F, W>(self: &Arc<Self>, runtime: &tokio::runtime::Handle, items: Vec<T>, work: W)
    where
        W: Fn(Vec<T>) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        let Some(lane) = items.first().map(|item| item.lane().clone()) else { return };
        let mut gathered = self.lock();
        gathered.items.extend(items);
        if gathered.on_the_way.len() >= ON_THE_WAY || self.is_busy(&gathered.on_the_way, &lane) {
            return;
        }
        gathered.on_the_way.push(lane.clone());
        drop(gathered);
        let batches = Arc::clone(self);
        runtime.spawn(async move {
            let mut last = lane;
            while let Some(batch) = batches.next(&mut last) {
                work(batch).await;
            }
        });
    }

    /// When a step of the last lane has ended: the first item that can go and what goes with it, in their order.
    fn next(&self, last: &mut Lane) -> Option<Vec<T>> {
        let mut gathered = self.lock();
        let Gathered { items, on_the_way } = &mut *gathered;
        if let Some(ended) = on_the_way.iter().position(|lane| lane.is(last)) {
            on_the_way.swap_remove(ended);
        }
        let lane = items.iter().map(Item::lane).find(|lane| !self.is_busy(on_the_way, lane))?.clone();
        let (mut batch, mut size, mut is_full): (Vec<T>, usize, bool) = (Vec::new(), 0, false);
        for item in mem::take(items) {
            let belongs = item.lane().is(&lane);
            is_full |=
                belongs && !batch.is_empty() && (batch.len() >= self.most || size + item.size() > self.most_size);
            if belongs && !is_full {
                size += item.size();
                batch.push(item);
            } else {
                items.push(item);
            }
        }
        on_the_way.push(lane.clone());
        *last = lane;
        Some(batch)
    }
}
