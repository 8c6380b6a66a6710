//! The steps of a message's life, each one record in place of another.

use async_nats::HeaderMap;
use bytes::Bytes;
use serde_json::json;

use super::api::{Ack, Expected, Fault, Held, number};
use super::feed::{CLAIM, LEASE_MS, claim_of};
use super::index::{Chosen, Claim, Hold};
use super::opened::OpenQueue;
use super::record::{KEPT, Record, State};
use crate::clock::Millis;
use crate::demand::{End, kept_reason};

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Taken,
    /// Somebody else had taken another one.
    Overtaken,
}

/// How an attempt ended, and what comes of it.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) end: End,
    pub(super) at: Millis,
    /// When it can be taken again, if it comes back.
    pub(super) due_at: Millis,
    pub(super) reason: Option<String>,
}

impl OpenQueue {
    /// Writes a record in place of the one with this number, if that is still the last.
    pub(super) async fn replace_record(
        &self,
        old: u64,
        record: Record,
        others: Option<&HeaderMap>,
        body: Bytes,
    ) -> Result<Option<u64>, Fault> {
        let mut headers = record.headers(others);
        if record.state == State::Gone {
            headers.insert(KEPT, format!("{}s", self.remembered_for(&record)));
        }
        let bytes = body.len();
        match self.api.publish(record.subject.clone(), headers, body, &Expected::own(old)).await {
            Ok(Ack { seq, .. }) => {
                self.apply(record, seq, bytes);
                Ok(Some(seq))
            }
            Err(fault) if fault.is_overtaken() => {
                self.change(|index, _| index.forget(old));
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    /// For how many seconds a message's id is to be remembered after its end.
    fn remembered_for(&self, record: &Record) -> i64 {
        let left = record.published_at.saturating_add(self.policy.dedupe_ms).saturating_sub(self.now());
        // The server counts whole seconds, and a moment more so that nobody who follows the stream misses it.
        left.max(0) / 1_000 + 2
    }

    /// Ends a message, whatever it was.
    pub(super) async fn end(&self, old: u64, record: &Record) -> Result<Step, Fault> {
        match self.replace_record(old, record.gone(), None, Bytes::new()).await {
            Err(fault) if fault.is_used_up() => self.erase(old).await,
            ended => Ok(ended?.map_or(Step::Overtaken, |_| Step::Taken)),
        }
    }

    /// Removes a record where the server has no room for another in its place. Its id is forgotten then,
    /// which is less than that nothing could be done any more.
    async fn erase(&self, old: u64) -> Result<Step, Fault> {
        let method = format!("STREAM.MSG.DELETE.{}", self.names.stream);
        match self.api.call(&method, &json!({ "seq": old, "no_erase": true })).await {
            Ok(_) => {
                self.change(|index, _| index.forget(old));
                Ok(Step::Taken)
            }
            Err(fault) if fault.is(number::NO_MESSAGE) || fault.is(number::NO_SEQUENCE) => Ok(Step::Overtaken),
            Err(fault) => Err(fault),
        }
    }

    /// An attempt is used up: the message comes back at its place, or dies if that was the last one.
    pub(super) async fn fail(&self, held: &Held, record: &Record, failure: Failure) -> Result<Step, Fault> {
        let attempt = record.attempts + 1;
        if i64::from(attempt) >= self.policy.max_attempts {
            return self.bury(held, record, failure.end, failure.at, failure.reason).await;
        }
        let back = Record {
            attempts: attempt,
            place: Some(record.place.unwrap_or(held.seq)),
            due_at: failure.due_at,
            reason: failure.reason.map(|reason| kept_reason(&reason)).or_else(|| record.reason.clone()),
            ..record.clone()
        };
        self.put_in_place(held, back).await
    }

    /// Makes a dead letter of a message, with the reason given, else the last that was, else the
    /// broker's own words.
    pub(super) async fn bury(
        &self,
        held: &Held,
        record: &Record,
        end: End,
        at: Millis,
        reason: Option<String>,
    ) -> Result<Step, Fault> {
        let attempts = record.attempts + 1;
        let given = reason.map(|reason| kept_reason(&reason)).or_else(|| record.reason.clone());
        let letter = Record {
            state: State::Dead,
            attempts,
            reason: Some(given.unwrap_or_else(|| end.reason(attempts))),
            died_at: Some(at),
            due_at: Millis::MIN,
            expires_at: None,
            ..record.clone()
        };
        self.put_in_place(held, letter).await
    }

    async fn put_in_place(&self, held: &Held, record: Record) -> Result<Step, Fault> {
        let put = self.replace_record(held.seq, record, Some(&held.headers), held.body.clone()).await?;
        Ok(put.map_or(Step::Overtaken, |_| Step::Taken))
    }

    /// Claims a message, if nothing was claimed since `after`. Answers the claim's number.
    pub(super) async fn put_claim(&self, seq: u64, after: u64, kind: ClaimKind) -> Result<Option<u64>, Fault> {
        let mut headers = HeaderMap::new();
        match kind {
            ClaimKind::Lease(lease_ms) => {
                headers.insert(LEASE_MS, lease_ms.to_string());
                // Nobody needs it longer, also where nobody tidies up.
                headers.insert(KEPT, format!("{}s", lease_ms / 1_000 + 60));
            }
            ClaimKind::Free => {
                headers.insert(CLAIM, "free");
                headers.insert(KEPT, "60s");
            }
            ClaimKind::Ending => {
                headers.insert(CLAIM, "ending");
                headers.insert(KEPT, "60s");
            }
        }
        let now = self.now();
        match self.api.publish(self.names.claim(seq), headers, Bytes::new(), &Expected::own(after)).await {
            Ok(Ack { seq: claim, .. }) => {
                let kind = match kind {
                    ClaimKind::Lease(lease_ms) => Hold::Until(now.saturating_add(lease_ms)),
                    ClaimKind::Free => Hold::Free,
                    ClaimKind::Ending => Hold::Ending,
                };
                self.change(|index, now| index.claim(now, seq, Claim { kind, seq: claim }));
                Ok(Some(claim))
            }
            Err(fault) if fault.is_overtaken() => {
                self.look_at_claim(seq).await?;
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Asks the server who holds a message, where what is known here is not so.
    async fn look_at_claim(&self, seq: u64) -> Result<(), Fault> {
        let last = self.api.last(&self.names.claims, &self.names.claim(seq)).await?;
        let claim = last.and_then(|held| claim_of(&held.subject, Some(&held.headers), held.seq, held.stored_at));
        self.change(|index, now| match claim {
            Some((_, claim)) => index.claim(now, seq, claim),
            None => index.unclaim(now, seq),
        });
        Ok(())
    }

    /// A message and its body, if it is still there.
    pub(super) async fn body(&self, seq: u64) -> Result<Option<Held>, Fault> {
        let held = self.api.get(&self.names.stream, seq).await?;
        if held.is_none() && self.replicas > 1 {
            // Who answered may not have it yet; the leader has.
            return self.api.get_from_leader(&self.names.stream, seq).await;
        }
        Ok(held)
    }

    /// A lease is over, or given up: the message comes back, or dies.
    pub(super) async fn end_lease(&self, chosen: &Chosen, end: End, at: Millis) -> Result<Step, Fault> {
        let claim = self.change(|index, _| index.claim_of(chosen.seq));
        if claim.is_none_or(|claim| claim.kind != Hold::Ending) {
            // Whoever makes its lease longer at this moment comes before or behind this.
            let after = claim.map_or(0, |claim| claim.seq);
            let Some(claim) = self.put_claim(chosen.seq, after, ClaimKind::Ending).await? else {
                return Ok(Step::Overtaken);
            };
            self.spend(claim);
        }
        let Some(held) = self.body(chosen.seq).await? else {
            self.change(|index, _| index.forget(chosen.seq));
            return Ok(Step::Overtaken);
        };
        let failure = Failure { end, at, due_at: Millis::MIN, reason: None };
        self.fail(&held, &chosen.record, failure).await
    }
}

/// What a claim is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClaimKind {
    Lease(Millis),
    Free,
    Ending,
}
