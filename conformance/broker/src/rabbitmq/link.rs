//! Connections to the server, of one role each: one that publishes and one that does all else, since the
//! server stops reading from who publishes when its memory or disk runs short.
//!
//! A connection carries some 2 000 channels; the next is opened when they are used up. One that is lost is
//! opened anew by whoever needs it next, and what stood on it is made anew by its users.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::options::ConfirmSelectOptions;
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind};
use tokio::sync::Mutex as AsyncMutex;

use super::deadline::Deadline;
use super::options::RabbitMqOptions;
use super::trouble;
use crate::error::{BrokerError, Code};

/// How long who found no server waits before it looks again.
const PAUSE: Duration = Duration::from_millis(50);

/// How many channels are kept for operations that need one for a moment.
const IDLE: usize = 16;

/// A channel, and the connection that it is on.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) channel: Channel,
    connection: Arc<Connection>,
}

impl Line {
    pub(super) fn is_open(&self) -> bool {
        self.channel.status().connected() && self.connection.status().connected()
    }

    /// Whether the server takes nothing from this connection, since its memory or disk runs short.
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Gives the channel up, and with it what was taken over it.
    pub(super) async fn close(&self, deadline: Deadline) {
        if self.is_open() {
            // Who does not answer has lost the channel anyway, or will with the connection.
            let _ = deadline.wait("closing a channel", self.channel.close(200, "done".into())).await;
        }
    }
}

/// The connections of one role.
pub(super) struct Link {
    options: Arc<RabbitMqOptions>,
    name: String,
    confirms: bool,
    open: AsyncMutex<Vec<Arc<Connection>>>,
    idle: Mutex<Vec<Line>>,
    ended: AtomicBool,
}

impl Link {
    pub(super) fn new(options: Arc<RabbitMqOptions>, role: &str, run: &str, confirms: bool) -> Self {
        let name = format!("workwire {role} {}-{run}", std::process::id());
        let (open, idle) = (AsyncMutex::new(Vec::new()), Mutex::new(Vec::new()));
        Link { options, name, confirms, open, idle, ended: AtomicBool::new(false) }
    }

    /// A channel of one's own, on a connection that is opened where there is none.
    pub(super) async fn line(&self, deadline: Deadline) -> Result<Line, BrokerError> {
        loop {
            match deadline.keep("opening a channel", self.try_line(deadline)).await {
                Err(error) if is_passing(&error) && !deadline.is_over() && !self.has_ended() => {
                    tokio::time::sleep(PAUSE).await;
                }
                answer => return answer,
            }
        }
    }

    /// A channel for a moment. Give it back with [`rest`](Link::rest) when all went well.
    pub(super) async fn borrow(&self, deadline: Deadline) -> Result<Line, BrokerError> {
        let kept = std::iter::from_fn(|| self.idle().pop()).find(Line::is_open);
        match kept {
            Some(line) => Ok(line),
            None => self.line(deadline).await,
        }
    }

    pub(super) fn give_back(&self, line: Line) {
        let mut idle = self.idle();
        if idle.len() < IDLE && line.is_open() && !self.has_ended() {
            idle.push(line);
        }
    }

    /// Ends all connections of this role.
    pub(super) async fn end(&self, deadline: Deadline) {
        self.ended.store(true, Ordering::Release);
        self.idle().clear();
        for connection in self.open.lock().await.drain(..) {
            let _ = deadline.wait("closing a connection", connection.close(200, "done".into())).await;
        }
    }

    async fn try_line(&self, deadline: Deadline) -> Result<Line, BrokerError> {
        let mut open = self.open.lock().await;
        if self.has_ended() {
            return Err(BrokerError::not_found("the broker was shut down"));
        }
        open.retain(|connection| connection.status().connected());
        if open.is_empty() {
            open.push(Arc::new(self.connect(deadline).await?));
        }
        loop {
            let Some(connection) = open.last().cloned() else {
                return Err(BrokerError::unavailable("opening a channel: there is no connection"));
            };
            if connection.status().blocked() {
                return Err(blocked());
            }
            match connection.create_channel().await {
                Ok(channel) => {
                    if self.confirms {
                        let confirming = channel.confirm_select(ConfirmSelectOptions::default());
                        deadline.wait("asking for confirms", confirming).await?;
                    }
                    return Ok(Line { channel, connection });
                }
                Err(error) if matches!(error.kind(), ErrorKind::ChannelsLimitReached) => {
                    open.push(Arc::new(self.connect(deadline).await?));
                }
                Err(error) => {
                    open.pop();
                    return Err(trouble::refusal("opening a channel", &error));
                }
            }
        }
    }

    async fn connect(&self, deadline: Deadline) -> Result<Connection, BrokerError> {
        let certificates = match &self.options.ca {
            Some(file) => Some(certificates(file).await?),
            None => None,
        };
        let tls = OwnedTLSConfig { identity: None, cert_chain: certificates };
        let properties = ConnectionProperties::default()
            .with_connection_name(self.name.as_str().into())
            .with_client_property("product".into(), "workwire".into())
            .with_client_property("version".into(), env!("CARGO_PKG_VERSION").into());
        let address = self.options.shown();
        let runtime = lapin::runtime::default_runtime();
        let runtime = runtime.map_err(|error| BrokerError::unavailable(format!("{address}: {error}")))?;
        let opening = Connection::connect_uri_with_config(uri(&self.options), properties, tls, runtime);
        deadline.wait(&address, opening).await.map_err(|error| self.explained(error))
    }

    /// What a refused connection means, where the server's words do not say.
    fn explained(&self, error: BrokerError) -> BrokerError {
        if !error.is_indefinite() || !self.options.tls {
            return error;
        }
        let text = error.message();
        if text.contains("InvalidContentType") || text.contains("corrupt message") {
            return BrokerError::forbidden(format!("{text}: the port is not one of TLS; is it amqp:// instead?"));
        }
        // A certificate that nobody vouches for does not become good by waiting.
        if text.contains("certificate") { BrokerError::forbidden(text) } else { error }
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Line>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it may be otherwise in a moment.
fn is_passing(error: &BrokerError) -> bool {
    matches!(error.code(), Code::Unavailable | Code::Full)
}

/// What is said to who would publish and cannot. What was not sent certainly did not happen.
pub(super) fn blocked() -> BrokerError {
    BrokerError::full("the server takes no messages: its disk or memory alarm is on; nothing was sent")
}

async fn certificates(file: &str) -> Result<String, BrokerError> {
    let wrong = |why: String| BrokerError::invalid(format!("ca: {file}: {why}"));
    let path = file.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await;
    let text = read.map_err(|error| wrong(error.to_string()))?.map_err(|error| wrong(error.to_string()))?;
    if text.contains("-----BEGIN CERTIFICATE-----") {
        Ok(text)
    } else {
        Err(wrong("expected certificates in PEM, found none".to_owned()))
    }
}

fn uri(options: &RabbitMqOptions) -> AMQPUri {
    let seconds = u16::try_from(options.heartbeat.as_secs()).unwrap_or(u16::MAX);
    AMQPUri {
        scheme: if options.tls { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username: options.user.clone(), password: options.password.clone() },
            host: options.host.clone(),
            port: options.port,
        },
        vhost: options.vhost.clone(),
        query: AMQPQueryString { heartbeat: Some(seconds), ..AMQPQueryString::default() },
    }
}
