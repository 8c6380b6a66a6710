//! A connection to the server that many operations share, and that is made anew where it is lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, PushInfo, PushKind, RedisError, ToRedisArgs, Value};
use tokio::time::Instant;

use crate::error::BrokerError;
use crate::redis::script::Script;
use crate::redis::trouble;

/// How long to rest between two attempts to reach a server.
const REST: Duration = Duration::from_millis(50);

/// So many operations may wait for their turn to be written.
const BUFFER: usize = 4_096;

/// Hears what the server says without being asked.
pub(super) type Hears = Arc<dyn Fn(&PushInfo) + Send + Sync>;

pub(super) struct Link {
    client: Client,
    timeout: Duration,
    hears: Option<Hears>,
    open: Mutex<Option<Open>>,
    /// One at a time connects.
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
pub(super) struct Open {
    pub(super) connection: MultiplexedConnection,
    is_lost: Arc<AtomicBool>,
}

impl Open {
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Acquire)
    }
}

impl Link {
    pub(super) fn new(client: Client, timeout: Duration, hears: Option<Hears>) -> Self {
        Link { client, timeout, hears, open: Mutex::new(None), connecting: tokio::sync::Mutex::new(()) }
    }

    /// Runs a script over these keys. It is read anew where the server does not know it.
    pub(super) async fn run<A: ToRedisArgs>(
        &self,
        script: &Script,
        keys: &[impl AsRef<str>],
        args: &[A],
    ) -> Result<Value, BrokerError> {
        let answer = self.ask(&call("EVALSHA", &script.hash, keys, args)).await;
        let answer = match answer {
            Err(error) if trouble::is_no_script(&error) => self.ask(&call("EVAL", script.text, keys, args)).await,
            answer => answer,
        };
        answer.map_err(|error| trouble::of(&error))
    }

    /// Sends a command, and waits for its answer. One that the server refused because it is not ready is
    /// sent again until the time is over.
    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, RedisError> {
        let deadline = Instant::now() + self.timeout;
        loop {
            let mut open = self.connected(deadline).await?;
            let answer = open.connection.send_packed_command(command).await;
            let error = match answer.and_then(Value::extract_error) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if error.is_unrecoverable_error() || error.is_timeout() {
                // What comes late over a connection that is half open is not to be waited for twice.
                open.is_lost.store(true, Ordering::Release);
            }
            if !trouble::is_not_yet(&error) || Instant::now() + REST >= deadline {
                return Err(error);
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// The connection, made where there is none.
    pub(super) async fn connected(&self, deadline: Instant) -> Result<Open, RedisError> {
        if let Some(open) = self.current() {
            return Ok(open);
        }
        let _turn = self.connecting.lock().await;
        let mut last = None;
        loop {
            if let Some(open) = self.current() {
                return Ok(open);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let late = || RedisError::from((ErrorKind::Io, "no connection was made in time"));
                return Err(last.unwrap_or_else(late));
            }
            let error = match self.connect(left).await {
                Ok(open) => {
                    *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(open.clone());
                    return Ok(open);
                }
                Err(error) => error,
            };
            let may_change = error.is_io_error() || trouble::is_not_yet(&error);
            if !may_change || Instant::now() + REST >= deadline {
                return Err(error);
            }
            last = Some(error);
            tokio::time::sleep(REST).await;
        }
    }

    fn current(&self) -> Option<Open> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().filter(|open| !open.is_lost()).cloned()
    }

    /// One attempt, which may take so long.
    async fn connect(&self, time: Duration) -> Result<Open, RedisError> {
        let is_lost = Arc::new(AtomicBool::new(false));
        let (lost, hears) = (Arc::clone(&is_lost), self.hears.clone());
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(time))
            .set_response_timeout(Some(self.timeout))
            .set_pipeline_buffer_size(BUFFER)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    lost.store(true, Ordering::Release);
                }
                if let Some(hears) = &hears {
                    hears(&push);
                }
                Ok::<(), ()>(())
            });
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Open { connection, is_lost })
    }
}

fn call<A: ToRedisArgs>(command: &str, script: &str, keys: &[impl AsRef<str>], args: &[A]) -> Cmd {
    let mut call = Cmd::with_capacity(keys.len() + args.len() + 3, 1_024);
    call.arg(command).arg(script).arg(keys.len());
    for key in keys {
        call.arg(key.as_ref());
    }
    for arg in args {
        call.arg(arg);
    }
    call
}
