//! Publishing within a transaction that is the caller's own.

use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use super::options::{SCHEMA, schema};
use super::publish::{Columns, Outcomes, PUBLISH, check, outcome};
use super::schema::of_schema;
use super::trouble::Trouble;
use crate::contract::{About, Message, Stored};
use crate::error::BrokerError;
use crate::queue::Queue;

/// Publishes within the caller's own transaction: what it stores is there when the transaction is
/// committed, together with all else that it did, and never was there when it is rolled back. Who
/// waits for it wakes at the commit.
///
/// The tables have to be in the database already (a [`PostgresBroker`](super::PostgresBroker) makes
/// them), and the queue has to be declared. A refusal (a full queue, a name that is none) leaves the
/// transaction as it was; an error of the server breaks it, as any error of a statement does.
///
/// While the transaction is open it holds what it has published against others who publish the same
/// id, or to the same queue where that is bounded: they wait for it.
///
/// ```no_run
/// use workwire_broker::{Message, Queue, postgres::Outbox};
///
/// # async fn order(client: &mut tokio_postgres::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let outbox = Outbox::default();
/// let transaction = client.transaction().await?;
/// transaction.execute("INSERT INTO orders (item) VALUES ('spade')", &[]).await?;
/// let message = Message::new(uuid::Uuid::now_v7(), "dig");
/// outbox.publish(&transaction, &Queue::new("tasks"), message).await?;
/// transaction.commit().await?; // the order and the message, or neither
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbox {
    schema: String,
    sql: String,
    about: About,
}

impl Default for Outbox {
    fn default() -> Self {
        Self::to(SCHEMA.to_owned())
    }
}

impl Outbox {
    /// To the tables of this schema, as in `?schema=`.
    ///
    /// # Errors
    /// Says what a schema's name has to be.
    pub fn of_schema(name: &str) -> Result<Self, BrokerError> {
        schema(name).map(Self::to).map_err(BrokerError::invalid)
    }

    fn to(schema: String) -> Self {
        Outbox { sql: of_schema(PUBLISH, &schema), about: super::about(), schema }
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Stores a message, if the transaction is committed.
    ///
    /// # Errors
    /// Those of [`Client::publish`](crate::Client::publish).
    pub async fn publish(
        &self,
        transaction: &Transaction<'_>,
        queue: &Queue,
        message: Message,
    ) -> Result<Stored, BrokerError> {
        let outcomes = self.publish_batch(transaction, queue, vec![message]).await?;
        let silent = || Err(BrokerError::unavailable("the server did not say what became of a message"));
        outcomes.into_iter().next().unwrap_or_else(silent)
    }

    /// Stores many, each with an answer of its own, in their order, if the transaction is committed.
    ///
    /// # Errors
    /// Those of [`Client::publish_batch`](crate::Client::publish_batch).
    pub async fn publish_batch(
        &self,
        transaction: &Transaction<'_>,
        queue: &Queue,
        messages: Vec<Message>,
    ) -> Result<Outcomes, BrokerError> {
        queue.check()?;
        for message in &messages {
            check(message, &self.about)?;
        }
        let columns = Columns::of(std::iter::once((1, &messages[..])));
        let (tenants, names) = ([queue.tenant().unwrap_or("")], [queue.name()]);
        let rows = transaction
            .query_typed(
                &self.sql,
                &[
                    (&None::<i32>, Type::INT4),
                    (&&tenants[..], Type::TEXT_ARRAY),
                    (&&names[..], Type::TEXT_ARRAY),
                    (&columns.which, Type::INT4_ARRAY),
                    (&columns.ids, Type::UUID_ARRAY),
                    (&columns.priorities, Type::INT8_ARRAY),
                    (&columns.ttls, Type::INT8_ARRAY),
                    (&columns.delays, Type::INT8_ARRAY),
                    (&columns.recipients, Type::TEXT_ARRAY),
                    (&columns.bodies, Type::BYTEA_ARRAY),
                ],
            )
            .await
            .map_err(|error| Trouble::of(error).told())?;
        // One queue alone: its items are answered in their order.
        let codes = rows.iter().map(|row| Some((row.get(1), row.get(2)))).chain(std::iter::repeat(None));
        Ok(messages.iter().zip(codes).map(|(message, code)| outcome(queue, message, code)).collect())
    }
}
