//! What clients hold comes back.

use super::link::Link;
use super::trouble::Trouble;
use super::waiting::Hub;
use crate::queue::Queue;

const RELEASE: &str = "SELECT tenant, name FROM ww.release($1, $2, $3, $4, $5)";

const END_SESSION: &str = "SELECT tenant, name FROM ww.end_session($1, $2, $3)";

/// How a delivery ends that nobody settled, in the numbers of the schema's `come_back`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// No attempt is counted.
    GivenBack = 0,
    /// Its client is lost, which counts.
    ClientLost = 4,
}

/// What comes back: of the clients from the first to the last, all of it or some deliveries.
pub(super) struct Released {
    pub(super) session: i32,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) deliveries: Option<Vec<i64>>,
    pub(super) how: How,
}

impl Released {
    /// All that one client holds.
    pub(super) const fn of_client(session: i32, client: i64, how: How) -> Self {
        Released { session, first: client, last: client, deliveries: None, how }
    }
}

pub(super) async fn release(link: &Link, hub: &Hub, what: &Released) -> Result<(), Trouble> {
    let how = what.how as i32;
    let rows = link.query(RELEASE, &[&what.session, &what.first, &what.last, &what.deliveries, &how]).await?;
    wake(hub, &rows);
    Ok(())
}

/// The same, but where the server is not there it says so at once.
pub(super) async fn release_now(link: &Link, hub: &Hub, what: &Released) -> Result<(), Trouble> {
    let how = what.how as i32;
    let rows = link.query_now(RELEASE, &[&what.session, &what.first, &what.last, &what.deliveries, &how]).await?;
    wake(hub, &rows);
    Ok(())
}

/// Ends a session of this process or of one that is gone.
pub(super) async fn end_session(link: &Link, hub: &Hub, session: i32, ended: i32, how: How) -> Result<(), Trouble> {
    let rows = link.query(END_SESSION, &[&session, &ended, &(how as i32)]).await?;
    wake(hub, &rows);
    Ok(())
}

fn wake(hub: &Hub, rows: &[tokio_postgres::Row]) {
    for row in rows {
        hub.wake_all(&queue(row.get(0), row.get(1)));
    }
}

/// A queue by what the schema calls it.
pub(super) fn queue(tenant: &str, name: &str) -> Queue {
    if tenant.is_empty() { Queue::new(name) } else { Queue::of_tenant(tenant, name) }
}
