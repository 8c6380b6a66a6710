//! NATS: one process with `JetStream`, every write on the disk before it is confirmed.

use std::path::{Path, PathBuf};

use super::{Place, Server, Step, USER, command};
use crate::managed::programs;
use crate::managed::ready::{Answered, SignOfLife, has};
use crate::managed::settings::Settings;
use crate::open_error::OpenError;

/// The first that can be told when to write to the disk.
const SYNCS: (u32, u32) = (2, 10);

#[derive(Debug)]
pub(super) struct Nats {
    program: PathBuf,
    /// It knows `sync_interval`.
    can_sync: bool,
    settings: Settings,
}

impl Nats {
    /// The most wanted one that can be told when to write to the disk, else any.
    pub(super) fn find(settings: Settings) -> Result<Self, OpenError> {
        let found = programs::all("nats-server");
        if let Some(program) = found.iter().find(|program| version(program).is_some_and(|version| version >= SYNCS)) {
            return Ok(Nats { program: program.clone(), can_sync: true, settings });
        }
        Ok(Nats { program: programs::one("nats-server", "nats-server")?, can_sync: false, settings })
    }
}

/// As in `nats-server: v2.15.1`.
fn version(program: &Path) -> Option<(u32, u32)> {
    let line = programs::line(program, "--version")?;
    let (_, version) = line.rsplit_once('v')?;
    let mut numbers = version.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

impl Server for Nats {
    fn steps(&self, place: &Place) -> Result<Vec<Step>, OpenError> {
        let [port, ..] = place.ports;
        let Place { folder, password, name, .. } = place;
        let sync = if self.can_sync { self.settings.value("sync_interval") } else { "" };
        let sync = if sync.is_empty() { String::new() } else { format!("sync_interval: {sync}") };
        let room = self.settings.value("max_file_store");
        // A message of 1 MiB has to fit with its headers.
        let text = format!(
            "host: 127.0.0.1\nport: {port}\nserver_name: {name}\nmax_payload: 2MB\n\
             authorization {{ user: {USER}, password: \"{password}\" }}\n\
             jetstream {{\n  store_dir: \"{}/jetstream\"\n  max_file_store: {room}\n  max_memory_store: 256MB\n  {sync}\n}}\n",
            folder.display()
        );
        place.write("nats.conf", &text)?;
        let mut command = command(&self.program, place);
        command.args(["-c", &place.file("nats.conf")]);
        // It speaks first, and says who it is.
        let name = name.clone();
        let judge = move |heard: &[u8]| match heard {
            _ if !heard.starts_with(&b"INFO "[..heard.len().min(5)]) => Answered::NotYet,
            _ if !heard.ends_with(b"\r\n") => Answered::More,
            _ if has(heard, &name) && has(heard, "\"jetstream\":true") => Answered::Ready,
            _ => Answered::NotYet,
        };
        Ok(vec![Step { command, sign: SignOfLife { port, said: Vec::new(), judge: Box::new(judge) } }])
    }

    fn address(&self, place: &Place) -> String {
        format!("nats://{USER}:{}@127.0.0.1:{}", place.password, place.ports[0])
    }

    fn is_safe(&self) -> bool {
        self.can_sync && self.settings.are_safe()
    }
}
