use uuid::Uuid;

use super::{Claim, Hold, Index};
use crate::clock::Millis;
use crate::contract::Fetch;
use crate::nats::record::{Record, State};

fn record(name: &str, priority: i64) -> Record {
    Record {
        subject: name.to_owned(),
        id: Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()),
        priority,
        to: None,
        state: State::Live,
        attempts: 0,
        place: None,
        due_at: Millis::MIN,
        expires_at: None,
        ttl_ms: None,
        published_at: 0,
        reason: None,
        died_at: None,
        is_replayed: false,
    }
}

fn next(index: &mut Index, now: Millis) -> Vec<u64> {
    index.pass_to(now);
    index.choose(now, &Fetch::up_to(10)).into_iter().map(|chosen| chosen.seq).collect()
}

#[test]
fn the_urgent_come_first_and_the_retried_keep_their_places() {
    let mut index = Index::default();
    index.apply(0, record("low", 1), 1, 0);
    index.apply(0, record("first", 3), 2, 0);
    index.apply(0, record("second", 3), 3, 0);
    index.apply(0, Record { attempts: 1, place: Some(2), ..record("first", 3) }, 4, 0);
    assert_eq!(next(&mut index, 0), [4, 3, 1]);
    assert_eq!(next(&mut index, 0), [0; 0], "they are being taken");
}

#[test]
fn what_ended_here_does_not_come_back_when_the_stream_tells_of_it_late() {
    let mut index = Index::default();
    index.apply(0, record("done", 3).gone(), 2, 0);
    index.apply(0, record("done", 3), 1, 0);
    index.told_to(1);
    assert_eq!(next(&mut index, 0), [0; 0]);
    index.apply(0, record("done", 3).gone(), 2, 0);
    index.told_to(2);
    assert!(index.ended_here.is_empty() && index.entries.is_empty());
}

#[test]
fn what_was_written_while_it_was_read_is_in_its_place() {
    let mut read = Index::default();
    read.apply(0, record("low", 1), 1, 0);
    // Somebody else has taken it and ended it by then.
    read.told_to(3);
    let written = [("low", 1, 1), ("over", 3, 2), ("high", 5, 4), ("middle", 3, 5)];
    read.go_on_with(0, written.into_iter().map(|(name, priority, seq)| (record(name, priority), seq, 0)));
    assert_eq!(next(&mut read, 0), [4, 5, 1]);
}

#[test]
fn a_claim_that_tells_before_its_message_holds_it_and_one_of_nothing_is_forgotten() {
    let mut index = Index::default();
    let claim = |until, seq| Claim { kind: Hold::Until(until), seq };
    index.claim(0, 1, claim(50, 7));
    index.claim(0, 2, claim(50, 8));
    index.apply(0, record("held", 3), 1, 0);
    index.apply(0, record("gone", 3).gone(), 2, 0);
    index.told_to(2);
    assert_eq!((index.claims.len(), index.oldest_claim()), (1, Some(7)));
    assert_eq!((next(&mut index, 49), index.has_ended()), (Vec::new(), false));
    index.pass_to(50);
    assert_eq!(index.take_ended(50).len(), 1, "the lease is over");
}

#[test]
fn time_brings_what_rests_and_takes_what_expires() {
    let mut index = Index::default();
    index.apply(0, Record { due_at: 20, ..record("later", 3) }, 1, 0);
    index.apply(0, Record { expires_at: Some(10), ..record("soon gone", 3) }, 2, 0);
    index.apply(0, Record { due_at: 20, expires_at: Some(15), ..record("never", 3) }, 3, 0);
    let depth = index.depth();
    assert_eq!((depth.ready, depth.delayed, index.next_moment()), (1, Some(2), Some(10)));
    index.pass_to(10);
    assert_eq!((index.depth().ready, index.length()), (0, 2));
    assert_eq!(next(&mut index, 20), [1]);
    assert_eq!(index.take_expired(20).len(), 2);
}

#[test]
fn a_given_back_one_is_claimed_behind_its_last_claim() {
    let mut index = Index::default();
    index.apply(0, record("again", 3), 1, 0);
    index.claim(0, 1, Claim { kind: Hold::Until(1_000), seq: 4 });
    index.claim(0, 1, Claim { kind: Hold::Free, seq: 5 });
    index.claim(0, 1, Claim { kind: Hold::Until(1_000), seq: 4 });
    let chosen = index.choose(0, &Fetch::up_to(1));
    assert_eq!(chosen.iter().map(|chosen| chosen.claim).collect::<Vec<_>>(), [5]);
}
