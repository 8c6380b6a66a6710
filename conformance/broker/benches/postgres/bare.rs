//! A queue as tutorials make it: one table, `SKIP LOCKED`, a lease; no group, no policy, no duplicate refused, no dead
//! letter. Prepared statements, pipelined over as many connections as the broker has.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

pub(crate) struct Bare {
    connections: Vec<Connection>,
    next: AtomicUsize,
}

struct Connection {
    client: Client,
    publish: Statement,
    fetch: Statement,
    done: Statement,
}

const CONNECTIONS: usize = 8;

impl Bare {
    pub(crate) async fn open(address: &str) -> Self {
        let mut connections = Vec::new();
        for number in 0..CONNECTIONS {
            let (client, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
            tokio::spawn(connection);
            if number == 0 {
                client
                    .batch_execute(
                        "CREATE TABLE job (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid NOT NULL,
                             until timestamptz, body bytea NOT NULL);
                         CREATE INDEX job_ready ON job (seq) WHERE until IS NULL",
                    )
                    .await
                    .unwrap();
            }
            let publish = client.prepare("INSERT INTO job (id, body) VALUES ($1, $2)").await.unwrap();
            let fetch = client
                .prepare(
                    "UPDATE job SET until = now() + interval '30 s' WHERE seq = (
                         SELECT seq FROM job WHERE until IS NULL ORDER BY seq LIMIT 1 FOR UPDATE SKIP LOCKED)
                     RETURNING seq, id, body",
                )
                .await
                .unwrap();
            let done = client.prepare("DELETE FROM job WHERE seq = $1").await.unwrap();
            connections.push(Connection { client, publish, fetch, done });
        }
        Bare { connections, next: AtomicUsize::new(0) }
    }

    fn connection(&self) -> &Connection {
        &self.connections[self.next.fetch_add(1, Ordering::Relaxed) % CONNECTIONS]
    }

    pub(crate) async fn publish(&self, id: Uuid, body: &[u8]) {
        let on = self.connection();
        on.client.execute(&on.publish, &[&id, &body]).await.unwrap();
    }

    pub(crate) async fn fetch(&self) -> i64 {
        loop {
            let on = self.connection();
            if let Some(row) = on.client.query_opt(&on.fetch, &[]).await.unwrap() {
                assert_eq!(row.get::<_, &[u8]>(2).len(), 600);
                return row.get(0);
            }
        }
    }

    pub(crate) async fn done(&self, seq: i64) {
        let on = self.connection();
        assert_eq!(on.client.execute(&on.done, &[&seq]).await.unwrap(), 1);
    }
}
