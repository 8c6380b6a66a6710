//! Redis: one process, every write in its file before it is confirmed.

use std::path::PathBuf;

use super::{Place, Server, Step, command};
use crate::managed::programs;
use crate::managed::ready::{SignOfLife, begins};
use crate::managed::settings::Settings;
use crate::open_error::OpenError;

#[derive(Debug)]
pub(super) struct Redis {
    program: PathBuf,
    settings: Settings,
}

impl Redis {
    pub(super) fn find(settings: Settings) -> Result<Self, OpenError> {
        Ok(Redis { program: programs::one("redis-server", "redis-server")?, settings })
    }
}

impl Server for Redis {
    fn steps(&self, place: &Place) -> Result<Vec<Step>, OpenError> {
        let [port, ..] = place.ports;
        let (password, folder) = (&place.password, place.folder.display());
        let (sync, memory) = (self.settings.value("appendfsync"), self.settings.value("maxmemory"));
        // In a file, since everybody on the machine can read the words of a command.
        let text = format!(
            "bind 127.0.0.1\nport {port}\ndaemonize no\ndir \"{folder}\"\nsave \"\"\nappendonly yes\n\
             appendfsync {sync}\nmaxmemory {memory}\nmaxmemory-policy noeviction\n\
             requirepass {password}\n"
        );
        place.write("redis.conf", &text)?;
        let mut command = command(&self.program, place);
        command.arg(place.file("redis.conf"));
        let said = format!("AUTH {password}\r\nPING\r\n").into_bytes();
        Ok(vec![Step { command, sign: SignOfLife { port, said, judge: begins(b"+OK\r\n+PONG") } }])
    }

    fn address(&self, place: &Place) -> String {
        format!("redis://:{}@127.0.0.1:{}", place.password, place.ports[0])
    }

    fn is_safe(&self) -> bool {
        self.settings.are_safe()
    }
}
