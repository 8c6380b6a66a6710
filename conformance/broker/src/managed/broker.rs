//! A broker over a server that may be restarted.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Mutex as Turn;
use tokio::time::timeout;

use super::client::{Core, ManagedClient};
use super::machine::Machine;
use crate::capability::Capability;
use crate::contract::{About, Answer, Broker, Client, CloseMode, RestartMode};
use crate::error::BrokerError;
use crate::open_error::OpenError;

/// How long a client may take to see that its server is gone, and a broker to end.
const FAREWELL: Duration = Duration::from_secs(2);

pub(super) struct ManagedBroker {
    about: About,
    held: Arc<Held>,
}

/// The server, and what lives on it.
struct Held {
    /// None once it was shut down. Who restarts it or ends it has it for that time.
    machine: Turn<Option<Machine>>,
    life: Mutex<Life>,
}

/// From one start of the server to its end.
#[derive(Default)]
struct Life {
    /// None while the server is down.
    broker: Option<Arc<dyn Broker>>,
    clients: Vec<Weak<Core>>,
}

impl ManagedBroker {
    pub(super) fn over(machine: Machine, broker: Arc<dyn Broker>) -> Self {
        let mut about = broker.about().clone();
        about.capabilities = about.capabilities.with(Capability::Restart);
        if !machine.is_safe() {
            about.capabilities = about.capabilities.without(Capability::Durable);
        }
        let life = Life { broker: Some(broker), clients: Vec::new() };
        let held = Held { machine: Turn::new(Some(machine)), life: Mutex::new(life) };
        ManagedBroker { about, held: Arc::new(held) }
    }
}

impl Held {
    fn life(&self) -> std::sync::MutexGuard<'_, Life> {
        // Each of its changes is one statement.
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broker(&self) -> Result<Arc<dyn Broker>, BrokerError> {
        self.life().broker.clone().ok_or_else(|| BrokerError::unavailable("the server is down"))
    }

    /// The server is gone, and with it the broker and every client.
    async fn buried(&self) {
        let Life { broker, clients } = std::mem::take(&mut *self.life());
        let clients: Vec<Arc<Core>> = clients.iter().filter_map(Weak::upgrade).collect();
        for core in &clients {
            core.lose();
        }
        // They would connect again by themselves: somebody who lost his connection does not come back as the same one.
        let farewells = clients.iter().map(|core| timeout(FAREWELL, core.inner.close(CloseMode::Abort)));
        for farewell in farewells.collect::<Vec<_>>() {
            // It has nobody to tell it to.
            let _ = farewell.await;
        }
        drop(broker);
    }

    async fn restart(&self, mode: RestartMode) -> Result<(), BrokerError> {
        let mut place = self.machine.lock().await;
        let machine = place.as_mut().ok_or_else(|| BrokerError::unavailable("the broker was shut down"))?;
        let ended = machine.down(mode).await;
        self.buried().await;
        ended.map_err(|error| down(&error))?;
        self.life().broker = Some(machine.up().await.map_err(|error| down(&error))?);
        Ok(())
    }
}

impl Broker for ManagedBroker {
    fn about(&self) -> &About {
        &self.about
    }

    fn open<'a>(&'a self, client: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async move {
            let broker = self.held.broker()?;
            let inner = broker.open(client).await?;
            let core = Arc::new(Core::over(inner));
            let mut life = self.held.life();
            // What was opened while the server went down is of the life before.
            if !life.broker.as_ref().is_some_and(|current| Arc::ptr_eq(current, &broker)) {
                return Err(BrokerError::unavailable("the server went down"));
            }
            life.clients.retain(|client| client.strong_count() > 0);
            life.clients.push(Arc::downgrade(&core));
            Ok(Box::new(ManagedClient(core)) as Box<dyn Client>)
        })
    }

    fn restart(&self, mode: RestartMode) -> Answer<'_, ()> {
        let held = Arc::clone(&self.held);
        Box::pin(async move {
            // In a task of its own: who gives up in the middle leaves no server that is down.
            let restarted = tokio::spawn(async move { held.restart(mode).await }).await;
            restarted.unwrap_or_else(|error| Err(BrokerError::unavailable(error.to_string())))
        })
    }

    fn shutdown(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            let mut place = self.held.machine.lock().await;
            let broker = self.held.life().broker.clone();
            let ended = match &broker {
                Some(broker) => timeout(FAREWELL, broker.shutdown()).await.unwrap_or(Ok(())),
                None => Ok(()),
            };
            self.held.buried().await;
            if let Some(machine) = place.take() {
                // An instance waits until its folder is gone.
                let gone = tokio::task::spawn_blocking(move || drop(machine)).await;
                gone.map_err(|error| BrokerError::unavailable(error.to_string()))?;
            }
            ended
        })
    }
}

fn down(error: &OpenError) -> BrokerError {
    BrokerError::unavailable(error.to_string())
}

impl fmt::Debug for ManagedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedBroker").field("about", &self.about).finish_non_exhaustive()
    }
}
