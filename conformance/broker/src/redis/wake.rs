//! The ears of those who wait: a connection of its own that hears when something changes in a queue.
//!
//! Other producers than ours do not say so, and a user may lack the right to listen: who waits looks by
//! itself too, five times a second.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::{Client, PushInfo, PushKind, Value};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::redis::link::{Link, Open};

/// So many channels stay open that nobody listens to.
const IDLE: usize = 256;

pub(super) struct Ears {
    link: Link,
    timeout: Duration,
    signals: Signals,
    /// What the present connection listens to.
    listening: tokio::sync::Mutex<Option<(Open, HashSet<String>)>>,
}

#[derive(Clone, Default)]
struct Signals(Arc<Mutex<HashMap<String, watch::Sender<()>>>>);

impl Signals {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, push: &PushInfo) {
        match push.kind {
            PushKind::Message => {
                if let Some(Value::BulkString(channel)) = push.data.first()
                    && let Ok(channel) = std::str::from_utf8(channel)
                    && let Some(signal) = self.lock().get(channel)
                {
                    signal.send_replace(());
                }
            }
            // Whatever was said meanwhile was not heard.
            PushKind::Disconnection => {
                for signal in self.lock().values() {
                    signal.send_replace(());
                }
            }
            _ => {}
        }
    }
}

impl Ears {
    pub(super) fn new(client: Client, timeout: Duration) -> Self {
        let signals = Signals::default();
        let hearing = signals.clone();
        let link = Link::new(client, timeout, Some(Arc::new(move |push: &PushInfo| hearing.hear(push))));
        Ears { link, timeout, signals, listening: tokio::sync::Mutex::new(None) }
    }

    /// The signal of a channel. What happens from now on changes it, once [`listen`](Ears::listen) has
    /// answered.
    pub(super) fn signal(&self, channel: &str) -> watch::Receiver<()> {
        self.signals.lock().entry(channel.to_owned()).or_insert_with(|| watch::Sender::new(())).subscribe()
    }

    /// Sees to it that the channel is heard; false where it cannot be.
    pub(super) async fn listen(&self, channel: &str) -> bool {
        let mut listening = self.listening.lock().await;
        if let Some((open, channels)) = &*listening
            && !open.is_lost()
            && channels.contains(channel)
        {
            return true;
        }
        let Ok(mut open) = self.link.connected(Instant::now() + self.timeout).await else { return false };
        let mut channels = match listening.take() {
            Some((known, channels)) if !known.is_lost() => channels,
            _ => HashSet::new(),
        };
        let is_heard = open.connection.subscribe(channel).await.is_ok();
        if is_heard {
            channels.insert(channel.to_owned());
        }
        if channels.len() > IDLE {
            for idle in self.forget_idle(channel) {
                if channels.remove(&idle) && open.connection.unsubscribe(&idle).await.is_err() {
                    break;
                }
            }
        }
        *listening = Some((open, channels));
        is_heard
    }

    fn forget_idle(&self, but: &str) -> Vec<String> {
        let mut signals = self.signals.lock();
        let idle = |(name, signal): (&String, &watch::Sender<()>)| {
            (signal.receiver_count() == 0 && name != but).then(|| name.clone())
        };
        let idle: Vec<String> = signals.iter().filter_map(idle).collect();
        for name in &idle {
            signals.remove(name);
        }
        idle
    }
}
