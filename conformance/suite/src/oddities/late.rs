//! An engine that sees no connections: who is lost holds what he held until its lease ends, also
//! over a restart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;
use workwire_broker::{Answer, Broker, BrokerError, Client, CloseMode, RestartMode, check_name};

use super::around::{Around, Turn};
use crate::saboteurs::{Defect, Inner, LayeredClient};

/// Beneath, only who says goodbye is closed.
#[derive(Default)]
pub(super) struct Late(Mutex<State>);

#[derive(Default)]
struct State {
    last: u64,
    /// Who is open. A name dies with its connection.
    open: HashMap<String, (Weak<str>, watch::Sender<bool>)>,
    /// Those beneath, which are kept for as long as there is a broker.
    beneath: Vec<Arc<dyn Client>>,
}

impl Late {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Defect for Late {
    fn open<'a>(&'a self, broker: &'a Arc<dyn Broker>, name: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async move {
            check_name("client", name)?;
            let number = {
                let mut state = self.state();
                if state.open.get(name).is_some_and(|(open, gone)| open.strong_count() > 0 && !*gone.borrow()) {
                    return Err(BrokerError::conflict(format!("client {name} is open already")));
                }
                state.last += 1;
                state.last
            };
            let client: Arc<dyn Client> = broker.open(&format!("beneath-{number}")).await?.into();
            let (gone, is_gone) = watch::channel(false);
            let name: Arc<str> = name.into();
            let mut state = self.state();
            state.beneath.push(Arc::clone(&client));
            state.open.insert(name.to_string(), (Arc::downgrade(&name), gone));
            let inner = Inner { broker: Arc::clone(broker), client, name };
            Ok(Box::new(LayeredClient::new(inner, Arc::new(Around(Gate(is_gone))))) as Box<dyn Client>)
        })
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        Box::pin(async move {
            for (_, gone) in self.state().open.values() {
                gone.send_replace(true);
            }
            match mode {
                RestartMode::Graceful => broker.restart(mode).await,
                RestartMode::Kill => Ok(()),
            }
        })
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        Box::pin(async move {
            let gone = self.state().open.get(&*inner.name).map(|(_, gone)| gone.clone());
            match (mode, gone) {
                (CloseMode::Abort, Some(gone)) if !*gone.borrow() => {
                    gone.send_replace(true);
                    Ok(())
                }
                _ => {
                    inner.client.close(mode).await?;
                    self.state().open.remove(&*inner.name);
                    Ok(())
                }
            }
        })
    }
}

/// Lets a client through until it is gone.
struct Gate(watch::Receiver<bool>);

impl Turn for Gate {
    fn turn<'a, T: Send + 'a>(&'a self, answer: Answer<'a, T>) -> Answer<'a, T> {
        Box::pin(async move {
            let mut gone = self.0.clone();
            if *gone.borrow() {
                return Err(BrokerError::not_found("the client is closed"));
            }
            tokio::select! {
                biased;
                answer = answer => answer,
                // Where nobody can say it any more it never comes.
                Ok(_) = gone.wait_for(|gone| *gone) => Err(BrokerError::unavailable("the client was closed meanwhile")),
            }
        })
    }
}
