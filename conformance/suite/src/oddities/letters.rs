//! Oddities of what is told.

use workwire::Timestamp;
use workwire_broker::{AgentState, Answer, Depth, Letter, Queue, clock};

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
