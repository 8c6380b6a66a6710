//! One thing changed in a history in which nothing is wrong: the right checker finds it.

use proptest::prelude::*;
use workwire_broker::Stored;
use workwire_conformance::anomaly::Kind;
use workwire_conformance::checkers;
use workwire_conformance::history::{Answer, Call, Delivered, History, Operation, Outcome};

use crate::crowd::{self, Manners};

/// The history with these operations.
fn with(history: &History, operations: impl IntoIterator<Item = Operation>) -> History {
    let mut changed = History::new(history.about.clone());
    *changed.words_mut() = history.words().clone();
    for operation in operations {
        changed.begin(operation);
    }
    changed
}

fn kinds(history: &History) -> Vec<Kind> {
    let found = checkers::ALL.iter().flat_map(|checker| (checker.check)(history).anomalies);
    found.map(|anomaly| anomaly.kind).collect()
}

/// The places of the deliveries.
fn deliveries(history: &History) -> Vec<(usize, usize)> {
    let all = history.operations().iter().enumerate();
    all.flat_map(|(place, operation)| (0..operation.deliveries().len()).map(move |part| (place, part))).collect()
}

fn change(operation: &mut Operation, change: impl FnOnce(&mut Vec<Delivered>)) {
    let mut all = operation.deliveries().to_vec();
    change(&mut all);
    operation.outcome = Outcome::Ok(Answer::Deliveries(all.into()));
}

/// Nothing that may end a delivery by itself, so that every change can be told.
fn is_plain(history: &History) -> bool {
    history.operations().iter().all(|operation| !matches!(operation.outcome, Outcome::Indefinite(_)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, max_global_rejects: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_digest_is_corrupted(seed: u64, pick: prop::sample::Index) {
        let history = crowd::history(seed, Manners::Plain);
        let all = deliveries(&history);
        prop_assume!(!all.is_empty());
        let (place, part) = all[pick.index(all.len())];
        let mut operations = history.operations().to_vec();
        change(&mut operations[place], |all| all[part].body.digest ^= 1);
        prop_assert!(kinds(&with(&history, operations)).contains(&Kind::Corrupted));
    }

    #[test]
    fn a_message_that_is_not_published_is_a_phantom(seed: u64, pick: prop::sample::Index) {
        let history = crowd::history(seed, Manners::Plain);
        let all = deliveries(&history);
        prop_assume!(!all.is_empty());
        let (place, part) = all[pick.index(all.len())];
        let one = history.operations()[place].deliveries()[part];
        // Without any of its publishes.
        let is_its = |operation: &&Operation| !matches!(&operation.call, Call::Publish(publish) if publish.id == one.id);
        let operations: Vec<Operation> = history.operations().iter().filter(is_its).cloned().collect();
        prop_assert!(kinds(&with(&history, operations)).contains(&Kind::Phantom));
    }

    #[test]
    fn an_answer_that_says_refused_is_refused_and_delivered(seed: u64, pick: prop::sample::Index) {
        let history = crowd::history(seed, Manners::Plain);
        let all = deliveries(&history);
        prop_assume!(!all.is_empty());
        let (place, part) = all[pick.index(all.len())];
        let (one, queue) = (history.operations()[place].deliveries()[part], history.operations()[place].queue());
        let mut operations = history.operations().to_vec();
        let why = operations[0].client;
        for operation in &mut operations {
            if operation.queue() == queue && matches!(&operation.call, Call::Publish(publish) if publish.id == one.id) {
                operation.outcome = Outcome::Refused(workwire_broker::Code::Full, why);
            }
        }
        prop_assert!(kinds(&with(&history, operations)).contains(&Kind::RefusedDelivered));
    }

    #[test]
    fn a_delivery_that_nobody_saw_is_lost(seed: u64, pick: prop::sample::Index) {
        let history = crowd::history(seed, Manners::Plain);
        prop_assume!(is_plain(&history));
        let drained: Vec<_> = history.operations().iter().filter(|operation| matches!(operation.call, Call::Drained(..))).filter_map(Operation::queue).collect();
        // A message that was delivered once and done.
        let operations = history.operations();
        let stored = |operation: &&Operation| operation.outcome == Outcome::Ok(Answer::Published(Stored::Stored));
        let published: Vec<_> = operations.iter().filter(stored).filter_map(|operation| match &operation.call {
            Call::Publish(publish) if drained.contains(&publish.queue) => Some((publish.queue, publish.id)),
            _ => None,
        }).collect();
        prop_assume!(!published.is_empty());
        let (queue, id) = published[pick.index(published.len())];
        let mut changed = operations.to_vec();
        for operation in changed.iter_mut().filter(|operation| operation.queue() == Some(queue)) {
            if operation.deliveries().iter().any(|one| one.id == id) {
                change(operation, |all| all.retain(|one| one.id != id));
            }
        }
        prop_assert!(kinds(&with(&history, changed)).contains(&Kind::Lost));
    }

    #[test]
    fn a_delivery_that_comes_twice_is_a_duplicate(seed: u64, pick: prop::sample::Index) {
        let history = crowd::history(seed, Manners::Plain);
        prop_assume!(is_plain(&history));
        let operations = history.operations();
        let done: Vec<_> = operations.iter().filter_map(|operation| match operation.call {
            Call::Settle(settle) if settle.verdict == workwire_conformance::history::SettleAs::Done && operation.outcome == Outcome::Ok(Answer::Done) => Some((operation.client, settle)),
            _ => None,
        }).collect();
        prop_assume!(!done.is_empty());
        let (client, settle) = done[pick.index(done.len())];
        let fetched = operations.iter().position(|operation| operation.client == client && operation.deliveries().iter().any(|one| one.tag == settle.tag));
        let Some(place) = fetched else { return Err(TestCaseError::reject("taken by another")) };
        let one = *operations[place].deliveries().iter().find(|one| one.tag == settle.tag).unwrap();
        let stored = |operation: &&Operation| operation.outcome == Outcome::Ok(Answer::Published(Stored::Stored)) && matches!(&operation.call, Call::Publish(publish) if publish.id == one.id && publish.queue == settle.queue);
        let taken = operations.iter().filter(|operation| operation.queue() == Some(settle.queue)).flat_map(Operation::deliveries).filter(|other| other.id == one.id);
        prop_assume!(operations.iter().filter(stored).count() == 1 && taken.count() == 1);
        // The same answer once more, right behind the first.
        let mut again = operations[place].clone();
        let ended = again.ended.unwrap();
        again.began = ended;
        change(&mut again, |all| *all = vec![one]);
        let mut changed = operations.to_vec();
        let at = changed.iter().position(|operation| operation.began > ended).unwrap_or(changed.len());
        again.client = operations[0].client;
        changed.insert(at, again);
        let kinds = kinds(&with(&history, changed));
        prop_assert!(kinds.contains(&Kind::Duplicated), "{kinds:?}");
    }

    #[test]
    fn a_wrong_attempt_is_found(seed: u64, pick: prop::sample::Index) {
        let history = crowd::history(seed, Manners::Plain);
        prop_assume!(is_plain(&history));
        let operations = history.operations();
        // Of messages of which there was one.
        let all: Vec<_> = deliveries(&history).into_iter().filter(|(place, part)| {
            let (one, queue) = (operations[*place].deliveries()[*part], operations[*place].queue());
            let stored = operations.iter().filter(|operation| operation.queue() == queue && operation.outcome == Outcome::Ok(Answer::Published(Stored::Stored)));
            stored.filter(|operation| matches!(&operation.call, Call::Publish(publish) if publish.id == one.id)).count() == 1
        }).collect();
        prop_assume!(!all.is_empty());
        let (place, part) = all[pick.index(all.len())];
        let mut changed = operations.to_vec();
        change(&mut changed[place], |all| all[part].attempt += 5);
        prop_assert!(kinds(&with(&history, changed)).contains(&Kind::AttemptWrong));
    }

    #[test]
    fn another_count_does_not_add_up(seed: u64) {
        let history = crowd::history(seed, Manners::Plain);
        prop_assume!((checkers::DEPTH.check)(&history).looked_at > 0);
        let mut changed = history.operations().to_vec();
        for operation in &mut changed {
            if let Outcome::Ok(Answer::Depth(depth)) = &mut operation.outcome {
                depth.ready += 1;
            }
        }
        prop_assert!(kinds(&with(&history, changed)).contains(&Kind::Depth));
    }
}

/// One consumer takes what was published one by one; two deliveries change their places.
#[test]
fn two_deliveries_that_change_places_are_an_inversion() {
    for (first, second, kind) in [(3, 3, Kind::OrderInversion), (5, 1, Kind::PriorityInversion)] {
        let mut tale = crate::tale::Tale::of(workwire_broker::Policy::default());
        for (number, priority) in [(1_u64, first), (2, second)] {
            tale.urgent(number * 2..number * 2 + 1, u128::from(number), priority);
        }
        for (number, priority) in [(1_u64, first), (2, second)] {
            let fetch = tale.fetch("tasks");
            let delivery = Delivered { priority, ..tale.delivery(u128::from(number), 1) };
            tale.take_as("worker", 10 + number * 2..11 + number * 2, fetch, &[delivery]);
        }
        assert_eq!(kinds(&tale.history), []);
        let mut changed = tale.history.operations().to_vec();
        let last = changed.len() - 1;
        let (a, b) = (changed[last - 1].outcome.clone(), changed[last].outcome.clone());
        (changed[last - 1].outcome, changed[last].outcome) = (b, a);
        assert_eq!(kinds(&with(&tale.history, changed)), [kind]);
    }
}
