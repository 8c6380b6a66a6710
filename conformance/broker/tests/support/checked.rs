//! All that is looked at in a store when the process that worked on it has ended.

use std::path::Path;
use std::sync::Arc;

use workwire_broker::clock::ManualClock;
use workwire_broker::{Broker as _, SqliteBroker, SqliteOptions};

use super::ledger::{Kind, Ledger};
use super::view::Visitor;
use super::worker::declare;

/// Between two processes: longer than any lease, delay or life.
const HOUR_MS: i64 = 3_600_000;

/// What a process left that lived from one time to another. Says when the next may begin.
pub(crate) fn check(file: &Path, ledger: &mut Ledger, born_at: i64, died_at: i64) -> i64 {
    let clock = ManualClock::at(died_at);
    let broker = match SqliteBroker::open_with_clock(SqliteOptions::at(file), Arc::new(clock.clone())) {
        Ok(broker) => broker,
        Err(error) => {
            ledger.fault(Kind::Refused, error.to_string());
            return died_at;
        }
    };
    ledger.ended(died_at, file);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime
        .block_on(async {
            let client = broker.open("visitor").await?;
            declare(&*client).await?;
            let mut visitor = Visitor { client: &*client, now: died_at, call: 1 << 32 };
            visitor.publish_again(ledger, born_at).await?;
            clock.advance(HOUR_MS);
            visitor.now += HOUR_MS;
            visitor.look(ledger).await?;
            visitor.purge_letters(ledger, 100).await?;
            visitor.drain(ledger, 100).await?;
            visitor.look(ledger).await?;
            broker.shutdown().await
        })
        .unwrap_or_else(|error| ledger.fault(Kind::Refused, error.to_string()));
    ledger.ended(died_at + HOUR_MS, file);
    died_at + 2 * HOUR_MS
}
