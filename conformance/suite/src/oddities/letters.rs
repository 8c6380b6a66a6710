//! Oddities of what is told.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;
use workwire::Timestamp;
use workwire_broker::{AgentState, Answer, BrokerError, Depth, Letter, Queue, clock};

use crate::saboteurs::{Defect, Inner};

pub(super) struct TellsLittle;

impl Defect for TellsLittle {
    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            let ready = inner.client.depth(queue, group).await?.ready;
            Ok(Depth { ready, ..Depth::default() })
        })
    }

    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let letters = inner.client.dead_letters(queue, max, group).await?;
            let less = |letter| Letter { priority: None, died_at: None, group: None, ..letter };
            Ok(letters.into_iter().map(less).collect())
        })
    }

    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        Box::pin(async move {
            let agents = inner.client.agents(offline_after_ms, tenant).await?;
            let less = |agent| AgentState {
                agent_type: None,
                current_task_id: None,
                resources: None,
                messages_pending: None,
                messages_processed: None,
                error_count: None,
                ..agent
            };
            Ok(agents.into_iter().map(less).collect())
        })
    }
}

/// How long after somebody first asked for a letter it is there.
const ON_ITS_WAY: Duration = Duration::from_millis(25);

/// When each letter was first asked for.
#[derive(Default)]
pub(super) struct ComeLate(Mutex<HashMap<(Queue, Uuid), Instant>>);

impl ComeLate {
    fn is_there(&self, queue: &Queue, id: Uuid) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = asked.entry((queue.clone(), id)).or_insert_with(Instant::now);
        first.elapsed() >= ON_ITS_WAY
    }
}

impl Defect for ComeLate {
    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let letters = inner.client.dead_letters(queue, max, group).await?;
            Ok(letters.into_iter().filter(|letter| self.is_there(queue, letter.id)).collect())
        })
    }

    fn replay<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            if !self.is_there(queue, id) {
                return Err(BrokerError::not_found("there is no such letter"));
            }
            inner.client.replay(queue, id, group).await?;
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(queue.clone(), id));
            Ok(())
        })
    }
}

pub(super) struct ClockOff;

impl Defect for ClockOff {
    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let mut letters = inner.client.dead_letters(queue, max, group).await?;
            for letter in &mut letters {
                letter.died_at = letter.died_at.map(behind);
            }
            Ok(letters)
        })
    }
}

fn behind(at: Timestamp) -> Timestamp {
    clock::timestamp(at.as_datetime().timestamp_millis() - 700)
}
