//! The process's presence at the server: a connection of its own that holds the session's lock, hears
//! what other processes tell, looks whether they are still there, and keeps house.
//!
//! When the connection is lost it is made anew; meanwhile nobody hears of others, and whoever waits
//! looks for himself from time to time.

use std::collections::HashSet;
use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_postgres::{AsyncMessage, Client, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::link::Link;
use super::options::PostgresOptions;
use super::release::{How, end_session, queue};
use super::schema::{channel, of_schema};
use super::waiting::Hub;

type Connection =
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream>;

/// How often the keeper looks around.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// After so many looks it keeps house, and stops being told things if nobody has waited.
const LOOKS: u32 = 10;

/// How long it rests before it connects again.
const REST: Duration = Duration::from_millis(100);

/// A publish that began before this process said that somebody waits is over by then.
const SETTLED_AFTER: Duration = Duration::from_millis(30);

#[derive(Debug)]
pub(super) struct Keeper {
    options: PostgresOptions,
    tls: MakeRustlsConnectDebug,
    link: Weak<Link>,
    hub: Arc<Hub>,
    /// The broker has stopped.
    stopped: Arc<Notify>,
    session: i32,
    /// Others whose lock was free at the last look. At the next one they are lost.
    suspects: HashSet<i32>,
    waits: bool,
    /// Whether this connection holds the session's lock; the one before may do so still.
    holds: bool,
}

/// The driver's connector cannot be shown.
#[derive(Clone)]
pub(super) struct MakeRustlsConnectDebug(pub(super) MakeRustlsConnect);

impl std::fmt::Debug for MakeRustlsConnectDebug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MakeRustlsConnect")
    }
}

/// A connection that is listened to.
pub(super) struct Listening {
    client: Client,
    lost: Arc<Notify>,
}

impl Keeper {
    /// Begins a session, and keeps it until the broker stops.
    pub(super) async fn begin(
        options: &PostgresOptions,
        tls: &MakeRustlsConnectDebug,
        link: &Arc<Link>,
        hub: &Arc<Hub>,
        stopped: &Arc<Notify>,
    ) -> Result<i32, tokio_postgres::Error> {
        let mut keeper = Keeper {
            options: options.clone(),
            tls: tls.clone(),
            link: Arc::downgrade(link),
            hub: Arc::clone(hub),
            stopped: Arc::clone(stopped),
            session: 0,
            suspects: HashSet::new(),
            waits: false,
            holds: false,
        };
        let listening = keeper.connect(None).await?;
        let session = keeper.session;
        tokio::spawn(async move {
            let stopped = Arc::clone(&keeper.stopped);
            tokio::select! {
                () = stopped.notified() => {}
                () = keeper.keep(listening) => {}
            }
        });
        Ok(session)
    }

    /// Connects, listens, and says that this process is here.
    async fn connect(&mut self, session: Option<i32>) -> Result<Listening, tokio_postgres::Error> {
        let (client, connection) = self.options.server.connect(self.tls.0.clone()).await?;
        let lost = Arc::new(Notify::new());
        tokio::spawn(listen(connection, Arc::clone(&self.hub), Arc::clone(&lost)));
        let schema = &self.options.schema;
        client.batch_execute(&format!("LISTEN {}", channel(schema))).await?;
        let begin = of_schema("SELECT ww.begin_session($1, $2)", schema);
        self.session = client.query_one_scalar(&begin, &[&session, &self.waits]).await?;
        self.holds = self.hold(&client).await?;
        Ok(Listening { client, lost })
    }

    async fn hold(&self, client: &Client) -> Result<bool, tokio_postgres::Error> {
        let hold = of_schema("SELECT ww.hold_session($1)", &self.options.schema);
        client.query_one_scalar(&hold, &[&self.session]).await
    }

    async fn keep(&mut self, mut listening: Listening) {
        loop {
            self.serve(&listening).await;
            drop(listening);
            listening = loop {
                sleep(REST).await;
                if self.link.strong_count() == 0 {
                    return;
                }
                self.waits = !self.hub.is_idle();
                let again = timeout(self.options.timeout, self.connect(Some(self.session))).await;
                if let Ok(Ok(listening)) = again {
                    break listening;
                }
                self.hub.wake_one_of_each();
            };
            // What was told meanwhile was not heard.
            self.hub.wake_everybody();
        }
    }

    /// Looks around until the connection is lost.
    async fn serve(&mut self, listening: &Listening) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut looks, mut waited_at) = (0_u32, Instant::now());
        loop {
            let done = tokio::select! {
                () = listening.lost.notified() => return,
                () = self.hub.begun.notified() => self.say_waits(listening, true).await,
                _ = look.tick() => {
                    looks += 1;
                    if !self.hub.is_idle() {
                        waited_at = Instant::now();
                    }
                    self.hub.wake_one_of_each();
                    let idle = self.waits && waited_at.elapsed() > LOOK_EVERY * LOOKS;
                    let said = if idle { self.say_waits(listening, false).await } else { Some(()) };
                    match said {
                        Some(()) => self.look_around(listening, looks.is_multiple_of(LOOKS)).await,
                        None => None,
                    }
                }
            };
            if done.is_none() {
                return;
            }
        }
    }

    /// Tells the others whether somebody here waits. None where the connection does not answer.
    async fn say_waits(&mut self, listening: &Listening, waits: bool) -> Option<()> {
        if self.waits == waits {
            return Some(());
        }
        self.waits = waits;
        let update = of_schema("UPDATE ww.session SET waits = $2 WHERE session = $1", &self.options.schema);
        let said = timeout(self.options.timeout, listening.client.execute(&update, &[&self.session, &waits])).await;
        said.ok()?.ok()?;
        // What came before the others knew was not told.
        self.hub.wake_everybody();
        if waits {
            sleep(SETTLED_AFTER).await;
            self.hub.wake_everybody();
        } else if !self.hub.is_idle() {
            self.hub.begun.notify_one();
        }
        Some(())
    }

    /// None where the connection does not answer.
    async fn look_around(&mut self, listening: &Listening, keeps_house: bool) -> Option<()> {
        if !self.holds {
            self.holds = timeout(self.options.timeout, self.hold(&listening.client)).await.ok()?.ok()?;
        }
        let schema = &self.options.schema;
        let lost = of_schema("SELECT * FROM ww.lost_sessions($1)", schema);
        let lost = timeout(self.options.timeout, listening.client.query(&lost, &[&self.session])).await.ok()?.ok()?;
        let lost: HashSet<i32> = lost.iter().map(|row| row.get(0)).collect();
        let link = self.link.upgrade()?;
        for session in lost.intersection(&self.suspects) {
            // Where it fails now, the next look does it.
            let _ = end_session(&link, &self.hub, self.session, *session, How::ClientLost).await;
        }
        self.suspects = lost;
        if keeps_house {
            let keep = of_schema("SELECT ww.keep_house()", schema);
            // It is done again soon, by somebody.
            let _ = link.query(&keep, &[]).await;
        }
        Some(())
    }
}

/// Hears what others tell until the connection ends.
async fn listen(mut connection: Connection, hub: Arc<Hub>, lost: Arc<Notify>) {
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(told) = message
            && let Some((tenant, name)) = told.payload().split_once('/')
        {
            hub.wake_all(&queue(tenant, name));
        }
    }
    lost.notify_one();
}
