//! The way to the server: a bounded pool of connections, each with its prepared statements.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::options::PostgresOptions;
use super::schema::of_schema;
use super::trouble::{Trouble, in_words, open_error};
use crate::open_error::OpenError;

/// What a statement is given.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// How often a statement is begun anew that was in another transaction's way.
const COLLISIONS: usize = 8;

/// How long to rest between attempts to reach a server that is not there.
const REST: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Link {
    pool: Pool,
    schema: String,
    timeout: Duration,
}

impl Link {
    pub(super) fn new(options: &PostgresOptions, tls: MakeRustlsConnect) -> Result<Self, OpenError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config((*options.server).clone(), tls, recycling);
        let pool = Pool::builder(manager)
            .max_size(options.pool)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.timeout))
            .create_timeout(Some(options.timeout))
            .build()
            .map_err(|error| OpenError::setup(format!("no pool of connections: {error}")))?;
        Ok(Link { pool, schema: options.schema.clone(), timeout: options.timeout })
    }

    /// Opens the first connection, so that what is wrong with the address is known at once.
    pub(super) async fn first(&self, options: &PostgresOptions) -> Result<Object, OpenError> {
        match self.pool.get().await {
            Ok(connection) => Ok(connection),
            Err(PoolError::Backend(error)) => Err(open_error(options, &error)),
            Err(other) => Err(OpenError::setup(format!("{}: {}", options.place(), no_connection(&other)))),
        }
    }

    /// Runs one statement of the schema, in a transaction of its own, within the time that an operation
    /// has. While the server is not there it waits; what has been sent is never sent again, unless the
    /// server says that it collided with another transaction and was rolled back.
    pub(super) async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Trouble> {
        self.query_patiently(sql, params, true).await
    }

    /// The same, but where the server is not there it says so at once.
    pub(super) async fn query_now(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Trouble> {
        self.query_patiently(sql, params, false).await
    }

    async fn query_patiently(&self, sql: &str, params: Params<'_>, waits: bool) -> Result<Vec<Row>, Trouble> {
        let sql = of_schema(sql, &self.schema);
        let deadline = Instant::now() + self.timeout;
        let mut collisions = 0;
        loop {
            match self.query_once(&sql, params, deadline, waits).await {
                Err(trouble) if trouble.is_collision() && collisions < COLLISIONS => collisions += 1,
                answer => return answer,
            }
        }
    }

    async fn query_once(
        &self,
        sql: &str,
        params: Params<'_>,
        deadline: Instant,
        waits: bool,
    ) -> Result<Vec<Row>, Trouble> {
        let (connection, statement) = loop {
            let connection = self.connection(deadline, waits).await?;
            match timeout_at(deadline, connection.prepare_cached(sql)).await {
                Ok(Ok(statement)) => break (connection, statement),
                // It had been lost unnoticed, and nothing was done on it yet.
                Ok(Err(error)) if connection.is_closed() || error.is_closed() => drop(Object::take(connection)),
                Ok(Err(error)) => return Err(Trouble::of(error)),
                Err(_) => {
                    drop(Object::take(connection));
                    return Err(Trouble::NotSent(format!("the server did not answer within {:?}", self.timeout)));
                }
            }
        };
        match timeout_at(deadline, connection.query(&statement, params)).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => Err(Trouble::of(error)),
            Err(_) => {
                // What is on its way there may still happen; nobody else should wait behind it.
                drop(Object::take(connection));
                Err(Trouble::Unknown(format!("no answer within {:?}", self.timeout)))
            }
        }
    }

    async fn connection(&self, deadline: Instant, waits: bool) -> Result<Object, Trouble> {
        loop {
            let problem = match timeout_at(deadline, self.pool.get()).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => error,
                Err(_) => {
                    return Err(Trouble::NotSent(format!("no connection to the server within {:?}", self.timeout)));
                }
            };
            if !waits || matches!(problem, PoolError::Closed) || Instant::now() + REST >= deadline {
                return Err(Trouble::NotSent(no_connection(&problem)));
            }
            sleep(REST).await;
        }
    }

    /// Closes all connections.
    pub(super) fn close(&self) {
        self.pool.close();
    }
}

fn no_connection(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) => format!("no connection to the server: {}", in_words(error)),
        PoolError::Timeout(TimeoutType::Wait) => "all connections of the pool are in use".to_owned(),
        PoolError::Timeout(_) => "the server does not take the connection in time".to_owned(),
        PoolError::Closed => "the broker has stopped".to_owned(),
        other => format!("no connection: {other}"),
    }
}
