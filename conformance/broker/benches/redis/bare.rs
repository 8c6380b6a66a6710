//! The library's client, with nothing around it: a stream, a consumer group, and what is done deleted.

use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::streams::StreamReadReply;
use ::redis::{AsyncConnectionConfig, cmd, pipe};
use uuid::Uuid;

use super::stage::body;

const STREAM: &str = "bare";

#[derive(Clone)]
pub(crate) struct Bare(MultiplexedConnection);

impl Bare {
    pub(crate) async fn to(address: &str) -> Self {
        let client = ::redis::Client::open(address).unwrap();
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(30)));
        Bare(client.get_multiplexed_async_connection_with_config(&config).await.unwrap())
    }

    pub(crate) async fn fresh(&self) {
        let mut connection = self.0.clone();
        let () = cmd("DEL").arg(STREAM).query_async(&mut connection).await.unwrap();
        let mut make = cmd("XGROUP");
        make.arg("CREATE").arg(STREAM).arg("workers").arg("0").arg("MKSTREAM");
        let () = make.query_async(&mut connection).await.unwrap();
    }

    pub(crate) async fn publish(&self) {
        let mut add = cmd("XADD");
        add.arg(STREAM).arg("*").arg("message_id").arg(Uuid::now_v7().to_string()).arg("body").arg(&body()[..]);
        let _: String = add.query_async(&mut self.0.clone()).await.unwrap();
    }

    /// Ids of up to so many.
    pub(crate) async fn fetch(&self, most: usize) -> Vec<String> {
        let mut read = cmd("XREADGROUP");
        read.arg("GROUP").arg("workers").arg("one").arg("COUNT").arg(most).arg("STREAMS").arg(STREAM).arg(">");
        let reply: Option<StreamReadReply> = read.query_async(&mut self.0.clone()).await.unwrap();
        let entries = reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids);
        entries.map(|entry| entry.id).collect()
    }

    pub(crate) async fn done(&self, ids: &[String]) {
        let mut end = pipe();
        end.cmd("XACK").arg(STREAM).arg("workers").arg(ids).cmd("XDEL").arg(STREAM).arg(ids);
        let _: (u64, u64) = end.query_async(&mut self.0.clone()).await.unwrap();
    }
}
