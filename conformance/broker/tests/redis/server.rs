//! A server, the way to it past the broker, and the broker over it.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, FromRedisValue, cmd};
use bytes::Bytes;
use uuid::Uuid;
use workwire_broker::{Broker, Client, Delivery, Fetch, Instance, Message, Queue, Target};

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

pub(crate) struct Raw(MultiplexedConnection);

impl Raw {
    pub(crate) async fn to(address: &str) -> Self {
        let client = ::redis::Client::open(address).unwrap();
        let time = Some(Duration::from_secs(10));
        let config = AsyncConnectionConfig::new().set_connection_timeout(time).set_response_timeout(time);
        Raw(client.get_multiplexed_async_connection_with_config(&config).await.unwrap())
    }

    pub(crate) async fn tell<T: FromRedisValue>(&mut self, words: &str) -> T {
        self.try_tell(words).await.unwrap_or_else(|error| panic!("{words}: {error}"))
    }

    pub(crate) async fn try_tell<T: FromRedisValue>(&mut self, words: &str) -> ::redis::RedisResult<T> {
        let mut words = words.split(' ');
        let mut command = cmd(words.next().unwrap());
        for word in words {
            command.arg(word);
        }
        command.query_async(&mut self.0).await
    }

    /// All keys, in order.
    pub(crate) async fn keys(&mut self) -> Vec<String> {
        let mut keys: Vec<String> = self.tell("KEYS *").await;
        keys.sort();
        keys
    }
}

/// An address with another name and password.
pub(crate) fn as_user(instance: &Instance, name: &str, password: &str) -> String {
    format!("redis://{name}:{password}@127.0.0.1:{}", instance.port())
}

pub(crate) fn message(text: &str) -> Message {
    Message::new(Uuid::now_v7(), Bytes::from(text.to_owned()))
}

pub(crate) async fn take(client: &dyn Client, queue: &Queue) -> Vec<Delivery> {
    client.fetch(queue, Fetch::up_to(100).waiting(2_000)).await.unwrap()
}

/// A server that is started with words of the test's own.
pub(crate) struct Own {
    child: Child,
    pub(crate) port: u16,
    folder: std::path::PathBuf,
    words: Vec<String>,
}

impl Own {
    /// None, and a line that says so, where the program is not on this machine.
    pub(crate) async fn start(words: &[&str]) -> Option<Self> {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("redis-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let port = free_port();
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let child = spawn(port, &folder, &words)?;
        let mut own = Own { child, port, folder, words };
        own.wait_for("+PONG").await;
        Some(own)
    }

    pub(crate) fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it and starts it on the same port and folder; it may not be ready yet.
    pub(crate) async fn kill_and_start(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(self.port, &self.folder, &self.words).unwrap();
        self.wait_for("").await;
    }

    /// Until its first words begin so.
    async fn wait_for(&mut self, sign: &str) {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let port = self.port;
            let said = tokio::task::spawn_blocking(move || first_words(port)).await.unwrap();
            if said.is_ok_and(|said| said.starts_with(sign)) {
                return;
            }
            assert!(Instant::now() < until && self.child.try_wait().unwrap().is_none(), "the server does not answer");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn first_words(port: u16) -> std::io::Result<String> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(b"PING\r\n")?;
    let mut said = [0; 64];
    let length = stream.read(&mut said)?;
    Ok(String::from_utf8_lossy(&said[..length]).into_owned())
}

fn spawn(port: u16, folder: &std::path::Path, words: &Vec<String>) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]);
    command.arg("--dir").arg(folder).args(words).stdout(Stdio::null());
    match command.spawn() {
        Ok(child) => Some(child),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "redis-server: {error}");
            eprintln!("not run: redis-server: {error}: apt-get install redis-server");
            None
        }
    }
}

/// Below those that the system gives to connections that go out.
fn free_port() -> u16 {
    loop {
        let port =
            10_000 + u16::from_be_bytes([Uuid::new_v4().into_bytes()[0], Uuid::new_v4().into_bytes()[1]]) % 22_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
