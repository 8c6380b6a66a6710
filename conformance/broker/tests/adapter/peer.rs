//! The two ends of the protocol in one process: a broker served to a broker's face, and a bare line
//! on either side.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::task::JoinHandle;
use workwire_broker::Broker;
use workwire_broker::adapter::{AdapterBroker, AdapterOptions, serve};

use super::soon::soon;

/// How much a pipe holds.
const PIPE: usize = 64 * 1024;

/// A broker behind the protocol, in this process.
pub(crate) async fn behind_protocol(broker: Arc<dyn Broker>) -> AdapterBroker {
    let (near, far) = duplex(PIPE);
    let (input, output) = split(far);
    tokio::spawn(serve(broker, input, output));
    let (output, input) = split(near);
    AdapterBroker::over(output, input, &AdapterOptions::default()).await.unwrap()
}

/// One end of the protocol, spoken by hand.
pub(crate) struct Peer {
    hearing: Hearing,
    asking: Asking,
}

/// What it hears.
pub(crate) struct Hearing(BufReader<ReadHalf<DuplexStream>>);

/// What it says.
pub(crate) struct Asking(WriteHalf<DuplexStream>);

impl Peer {
    /// The runner's end of a broker that is served.
    pub(crate) fn of_broker(broker: Arc<dyn Broker>) -> (Self, JoinHandle<std::io::Result<()>>) {
        let (near, far) = duplex(PIPE);
        let (input, output) = split(far);
        (Self::at(near), tokio::spawn(serve(broker, input, output)))
    }

    /// The same, after `initialize`.
    pub(crate) async fn initialized(broker: Arc<dyn Broker>) -> Self {
        let (mut peer, _) = Self::of_broker(broker);
        let params = json!({"contract": "1", "runner": {"name": "test", "version": "1"}});
        assert_eq!(peer.ask("initialize", params).await["result"]["contract"], "1");
        peer
    }

    /// An adapter's end, and the broker in front of it. It claims to be a broker with `core` alone.
    pub(crate) async fn adapter(options: &AdapterOptions) -> (Self, AdapterBroker) {
        let (near, far) = duplex(PIPE);
        let mut peer = Self::at(near);
        let (output, input) = split(far);
        let initialize = async {
            let request = peer.hear().await;
            assert_eq!(request["method"], "initialize");
            let result = json!({"contract": "1", "name": "by hand", "version": "0", "capabilities": ["core"]});
            peer.answer(&request, &result).await;
        };
        let (broker, ()) = tokio::join!(AdapterBroker::over(output, input, options), initialize);
        (peer, broker.unwrap())
    }

    fn at(stream: DuplexStream) -> Self {
        let (input, output) = split(stream);
        Peer { hearing: Hearing(BufReader::new(input)), asking: Asking(output) }
    }

    /// Both sides, each for a task of its own.
    pub(crate) fn split(self) -> (Asking, Hearing) {
        (self.asking, self.hearing)
    }

    /// Writes bytes and the end of the line.
    pub(crate) async fn say(&mut self, line: impl AsRef<[u8]>) {
        self.asking.say(line).await;
    }

    /// The next line.
    pub(crate) async fn hear(&mut self) -> Value {
        self.hearing.hear().await
    }

    /// Whether the other side has closed its output.
    pub(crate) async fn hears_the_end(&mut self) -> bool {
        let mut line = String::new();
        soon("the end", self.hearing.0.read_line(&mut line)).await.unwrap() == 0
    }

    /// Asks, and hears the next line, with the method's name for an id.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.request(method, method, params).await;
        let answer = self.hear().await;
        assert_eq!(answer["id"], method, "{answer}");
        answer
    }

    /// Asks.
    pub(crate) async fn request(&mut self, id: &str, method: &str, params: Value) {
        self.asking.request(id, method, params).await;
    }

    /// Answers a request.
    pub(crate) async fn answer(&mut self, request: &Value, result: &Value) {
        self.say(json!({"jsonrpc": "2.0", "id": request["id"], "result": result}).to_string()).await;
    }

    /// Says nothing more.
    pub(crate) async fn close(&mut self) {
        self.asking.0.shutdown().await.unwrap();
    }
}

impl Hearing {
    /// The next line.
    pub(crate) async fn hear(&mut self) -> Value {
        let mut line = String::new();
        soon("a line", self.0.read_line(&mut line)).await.unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }
}

impl Asking {
    /// Writes bytes and the end of the line.
    pub(crate) async fn say(&mut self, line: impl AsRef<[u8]>) {
        self.0.write_all(line.as_ref()).await.unwrap();
        self.0.write_all(b"\n").await.unwrap();
    }

    /// Asks.
    pub(crate) async fn request(&mut self, id: &str, method: &str, params: Value) {
        self.say(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()).await;
    }
}
