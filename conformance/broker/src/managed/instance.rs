//! One private instance: started, killed, started again, gone.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;
use uuid::Uuid;

use super::engines::{self, Place, Server, Step};
use super::settings::Settings;
use super::{Engine, ports, ready, tree, watch::Watch};
use crate::open_error::OpenError;

/// How long a server may take until it accepts. RabbitMQ needs seconds, on a busy machine a minute.
const START: Duration = Duration::from_mins(3);
/// How long one that is asked to stop may take.
const STOP: Duration = Duration::from_secs(30);
/// How long the system may take to remove what was killed.
const DEATH: Duration = Duration::from_secs(10);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// So often other ports are taken where somebody else was faster.
const OTHER_PORTS: usize = 5;

const LOG: &str = "output.log";
/// So much of its end is shown where something went wrong.
const LINES: usize = 8;

/// A private instance of an engine. Dropped, nothing of it is left.
pub struct Instance {
    engine: Engine,
    server: Arc<dyn Server>,
    options: String,
    place: Place,
    /// Its processes that we started, the server itself last; none while it is stopped.
    running: Vec<Child>,
    /// Those that are held still.
    paused: Vec<Pid>,
    watch: Watch,
}

impl Instance {
    pub(super) async fn start(engine: Engine, settings: &Settings) -> Result<Self, OpenError> {
        let server = engines::server(engine, settings)?;
        let options = settings.of_the_address().to_owned();
        let failed = |error: io::Error| OpenError::setup(format!("managed:{engine}: {error}"));
        let watch = Watch::begin(engine.as_str(), server.asked_by()).map_err(failed)?;
        let secret = || Uuid::new_v4().simple().to_string();
        let name = format!("ww{}", &secret()[..12]);
        let place = Place { folder: watch.folder().to_owned(), ports: ports::free()?, password: secret(), name };
        let mut instance = Instance { engine, server, options, place, running: Vec::new(), paused: Vec::new(), watch };
        instance.prepare().await?;
        for _ in 1..OTHER_PORTS {
            match instance.start_again().await {
                Err(_) if instance.lost_its_port() => instance.place.ports = ports::free()?,
                done => return done.map(|()| instance),
            }
        }
        instance.start_again().await.map(|()| instance)
    }

    async fn prepare(&mut self) -> Result<(), OpenError> {
        let Some(mut command) = self.server.prepare(&self.place)? else { return Ok(()) };
        let name = command.get_program().to_string_lossy().into_owned();
        let spawned = self.log_file().and_then(|log| self.spawn(&mut command, &log));
        let mut child =
            spawned.map_err(|error| OpenError::setup(format!("managed:{}: {name}: {error}", self.engine)))?;
        let began = Instant::now();
        loop {
            match child.try_wait() {
                Ok(None) if began.elapsed() < START => sleep(LOOK).await,
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => {
                    return Err(self.failed(&format!("could not be prepared: {name} ended with {status}")));
                }
                _ => return Err(self.failed(&format!("could not be prepared: {name} does not end within {START:?}"))),
            }
        }
    }

    /// The engine.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Its address with the password, as a [`Target`](crate::Target) understands it.
    #[must_use]
    pub fn address(&self) -> String {
        self.server.address(&self.place) + &self.options
    }

    /// The port at which clients reach it, on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.place.ports[0]
    }

    /// Where it keeps all that it keeps.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.watch.folder()
    }

    /// Whether what it confirms survives its sudden death, as it is set up.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        self.server.is_safe()
    }

    /// The processes of the server that run in this moment.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        self.running.iter().map(Child::id).collect()
    }

    /// Starts it on its ports and its data, and waits until it accepts. Nothing where it runs.
    ///
    /// # Errors
    /// Says how its log ends.
    pub async fn start_again(&mut self) -> Result<(), OpenError> {
        if !self.running.is_empty() {
            return Ok(());
        }
        let steps = self.server.steps(&self.place)?;
        let log = self.log_file().map_err(|error| self.failed(&format!("its log: {error}")))?;
        for step in steps {
            if let Err(error) = self.step(step, &log).await {
                self.kill().await?;
                return Err(error);
            }
        }
        Ok(())
    }

    async fn step(&mut self, step: Step, log: &File) -> Result<(), OpenError> {
        let Step { mut command, sign } = step;
        let began = Instant::now();
        let child = self.spawn(&mut command, log).map_err(|error| {
            OpenError::setup(format!("managed:{}: {}: {error}", self.engine, command.get_program().to_string_lossy()))
        })?;
        self.running.push(child);
        loop {
            let accepts = ready::look(&sign).await;
            // Who answers may be a stranger at a port that was lost to it: ours has ended then.
            if let Some(status) = self.running.last_mut().and_then(|child| child.try_wait().ok().flatten()) {
                return Err(self.failed(&format!("ended with {status} instead of accepting")));
            }
            if accepts {
                return Ok(());
            }
            if began.elapsed() > START {
                return Err(self.failed(&format!("does not accept within {START:?}")));
            }
            sleep(LOOK).await;
        }
    }

    fn spawn(&self, command: &mut Command, log: &File) -> io::Result<Child> {
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
        self.watch.spawn(command)
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    /// Says that it did not in time; it was killed then.
    pub async fn stop(&mut self) -> Result<(), OpenError> {
        self.resume();
        let Some(server) = self.running.last_mut() else { return Ok(()) };
        // What it has started may outlive it for a moment.
        let family = number(server).map(tree::family).unwrap_or_default();
        if let Some(process) = number(server) {
            // What has ended meanwhile is not there to be asked.
            let _ = kill_process(process, self.server.polite());
        }
        let deadline = Instant::now() + STOP;
        while matches!(server.try_wait(), Ok(None)) && Instant::now() < deadline {
            sleep(LOOK).await;
        }
        let stopped = !matches!(server.try_wait(), Ok(None));
        self.kill().await?;
        if stopped && !tree::ended(&family, DEATH).await {
            return Err(self.failed("has stopped, and something that it started has not"));
        }
        if stopped { Ok(()) } else { Err(self.failed(&format!("was asked to stop and did not within {STOP:?}"))) }
    }

    /// Kills all of it at once, as `kill -9` does.
    ///
    /// # Errors
    /// Says that the system did not remove what was killed.
    pub async fn kill(&mut self) -> Result<(), OpenError> {
        let roots: Vec<Pid> = self.running.iter().filter_map(number).collect();
        // The server first: what it is in the middle of should not be finished.
        let processes: Vec<Pid> = roots.iter().rev().flat_map(|root| tree::stop(*root)).collect();
        tree::signal(&processes, Signal::KILL);
        self.paused.clear();
        for child in &mut self.running {
            let deadline = Instant::now() + DEATH;
            while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
                sleep(LOOK).await;
            }
        }
        if !tree::ended(&processes, DEATH).await {
            return Err(self.failed("was killed and is still there"));
        }
        if !self.running.is_empty() {
            self.server.after_death(&self.place);
        }
        self.running.clear();
        Ok(())
    }

    /// Holds it still: it answers nothing, and its connections stay.
    pub fn pause(&mut self) {
        self.paused = self.running.iter().filter_map(number).flat_map(tree::stop).collect();
    }

    /// Lets it go on.
    pub fn resume(&mut self) {
        tree::signal(&self.paused, Signal::CONT);
        self.paused.clear();
    }

    /// The end of its log, without the password.
    #[must_use]
    pub fn log(&self) -> String {
        let text = std::fs::read(self.folder().join(LOG)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).replace(&self.place.password, "…");
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(LINES)..].join(" | ")
    }

    fn log_file(&self) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(self.folder().join(LOG))
    }

    fn lost_its_port(&self) -> bool {
        let log = self.log().to_lowercase();
        ["already in use", "eaddrinuse", "address in use"].iter().any(|words| log.contains(words))
    }

    fn failed(&self, how: &str) -> OpenError {
        let log = self.log();
        let words = if log.is_empty() { String::new() } else { format!("; its log ends: {log}") };
        OpenError::setup(format!("managed:{}: the server {how}{words}", self.engine))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.resume();
        self.watch.end();
        for child in &mut self.running {
            // Killed by the watch; fetched, so that nothing of it is left.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Says nothing of the password.
impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port();
        f.debug_struct("Instance").field("engine", &self.engine).field("port", &port).finish_non_exhaustive()
    }
}

fn number(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()).ok()?)
}
