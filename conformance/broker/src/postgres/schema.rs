//! The tables when they are found: are they ours, are they new, are they older, and may they be made?

use tokio_postgres::Client;

use super::options::PostgresOptions;
use super::trouble::open_error;
use crate::open_error::OpenError;

/// What made each version of the tables and functions from the one before. A new version is a new
/// entry; what was released is never changed.
const MIGRATIONS: &[&[&str]] = &[&[
    include_str!("schema/tables.sql"),
    include_str!("schema/queues.sql"),
    include_str!("schema/life.sql"),
    include_str!("schema/publish.sql"),
    include_str!("schema/fetch.sql"),
    include_str!("schema/settle.sql"),
    include_str!("schema/rest.sql"),
]];

/// The version that this program reads and writes.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// The oldest server that knows all that is used: `AS MATERIALIZED`.
const OLDEST_SERVER: i32 = 120_000;

/// The lock that processes hold while they make the tables: the letters W k W r.
const MIGRATION_LOCK: i64 = 0x576b_5772;

/// SQL for a schema: `ww.` and `{channel}` are written for it.
pub(super) fn of_schema(sql: &str, schema: &str) -> String {
    sql.replace("ww.", &format!("{schema}.")).replace("{channel}", &channel(schema))
}

/// Where processes tell each other that there is something in a queue.
pub(super) fn channel(schema: &str) -> String {
    format!("workwire_{schema}")
}

/// Makes the tables, or brings them to this version, or finds that they are.
pub(super) async fn prepare(client: &mut Client, options: &PostgresOptions) -> Result<(), OpenError> {
    let (schema, place) = (&options.schema, options.place());
    let words = |error: tokio_postgres::Error| open_error(options, &error);
    let number: String =
        client.query_one_scalar("SELECT current_setting('server_version_num')", &[]).await.map_err(words)?;
    check_server(number.parse().unwrap_or(0)).map_err(|why| OpenError::setup(format!("{place}: {why}")))?;
    if found(client, options).await? == VERSION {
        return Ok(());
    }
    let transaction = client.transaction().await.map_err(words)?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).await.map_err(words)?;
    // Another process may have been quicker.
    let from = found(transaction.client(), options).await?;
    if from == 0 {
        transaction.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await.map_err(words)?;
    }
    let migrations: Vec<String> =
        MIGRATIONS[from..].iter().map(|migration| of_schema(&migration.concat(), schema)).collect();
    for sql in migrations {
        transaction.batch_execute(&sql).await.map_err(words)?;
    }
    transaction.batch_execute(&format!("UPDATE {schema}.about SET version = {VERSION}")).await.map_err(words)?;
    transaction.commit().await.map_err(words)
}

fn check_server(number: i32) -> Result<(), String> {
    if number >= OLDEST_SERVER {
        return Ok(());
    }
    let (oldest, found) = (OLDEST_SERVER / 10_000, number / 10_000);
    Err(format!("the server is too old: expected PostgreSQL {oldest} or newer, found {found}"))
}

/// The version of the tables in the schema; 0 where there are none yet.
async fn found(client: &Client, options: &PostgresOptions) -> Result<usize, OpenError> {
    let (schema, place) = (&options.schema, options.place());
    let words = |error: tokio_postgres::Error| open_error(options, &error);
    let refused = |why: String| Err(OpenError::setup(format!("{place}: schema {schema}: {why}")));
    let row = client
        .query_one(
            "SELECT to_regclass($1 || '.about') IS NOT NULL,
                    (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace($1))",
            &[schema],
        )
        .await
        .map_err(words)?;
    let (is_marked, relations): (bool, i64) = (row.get(0), row.get(1));
    if !is_marked && relations == 0 {
        return Ok(0);
    }
    let foreign = || refused("the tables of another program are in it; name another with ?schema=".to_owned());
    if !is_marked {
        return foreign();
    }
    let columns: i64 = client
        .query_one_scalar(
            "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass($1 || '.about')
             AND attname IN ('program', 'version') AND NOT attisdropped",
            &[schema],
        )
        .await
        .map_err(words)?;
    if columns != 2 {
        return foreign();
    }
    let about = client.query_opt(&format!("SELECT program::text, version::int FROM {schema}.about"), &[]).await;
    let Some(row) = about.map_err(words)? else { return foreign() };
    let (program, version): (String, i32) = (row.get(0), row.get(1));
    match usize::try_from(version) {
        _ if program != "workwire" => foreign(),
        Ok(version) if version <= VERSION => Ok(version),
        _ => refused(format!("its tables are of version {version}, made by a newer program; this one knows {VERSION}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_too_old_is_told_so() {
        let old = check_server(110_022).unwrap_err();
        assert_eq!(old, "the server is too old: expected PostgreSQL 12 or newer, found 11");
        assert_eq!(check_server(120_000), Ok(()));
    }

    #[test]
    fn what_is_made_for_a_schema_names_it_everywhere() {
        let sql = of_schema("SELECT 'ww.queue'::regclass; NOTIFY {channel}", "jobs");
        assert_eq!(sql, "SELECT 'jobs.queue'::regclass; NOTIFY workwire_jobs");
    }
}
