//! Cases that stop the broker: nothing else may run on it meanwhile. Where each reach starts a server of its own, a
//! second one takes its share of them, since most of their time is that of one core which starts a server again.

use std::sync::{Arc, Mutex, PoisonError};

use workwire_broker::Capability;

use super::{Again, Run};
use crate::case::{Alone, Case, Scale};
use crate::subject::Reached;

/// What has not run yet, the next one at the end: the case of the many kills comes first, so that it is not the one
/// that all wait for.
type Waiting = Mutex<Vec<&'static Case>>;

/// Whether a case stops the broker.
pub(super) fn is_one(case: &Case) -> bool {
    case.alone == Alone::Yes && case.needs.contains(&Capability::Restart)
}

impl Run {
    /// Runs them one by one on each server. Those that need more time are left for later.
    pub(super) async fn stops(&self, cases: Vec<&'static Case>, scale: Scale) -> Vec<Again> {
        let second = self.subject.has_more_servers() && self.options.jobs > 1 && cases.len() > 1;
        let waiting = Mutex::new(cases);
        let on_second = async { if second { self.on_second_server(&waiting, scale).await } else { Vec::new() } };
        let (mut again, more) = tokio::join!(self.on_server(&self.reached, &waiting, scale), on_second);
        again.extend(more);
        again
    }

    async fn on_second_server(&self, waiting: &Waiting, scale: Scale) -> Vec<Again> {
        let reached = tokio::select! {
            reached = self.subject.reach() => reached,
            () = self.options.brake.pulled() => return Vec::new(),
        };
        // Where there is no second one, the first serves for all.
        let Ok(reached) = reached.map(Arc::new) else { return Vec::new() };
        let again = self.on_server(&reached, waiting, scale).await;
        self.leave(&reached).await;
        again
    }

    async fn on_server(&self, reached: &Arc<Reached>, waiting: &Waiting, scale: Scale) -> Vec<Again> {
        let mut again = Vec::new();
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        while let Some(case) = next() {
            let place = self.place_on(Arc::clone(reached), case, scale);
            match self.one(place).await {
                Some((ended, true)) => again.push((case, ended)),
                Some((ended, false)) => self.ended(case, ended),
                None => break,
            }
        }
        again
    }
}
