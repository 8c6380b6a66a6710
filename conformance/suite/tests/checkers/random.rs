//! Whatever clients do to a broker that does nothing wrong, no checker finds anything.

use proptest::prelude::*;
use workwire_conformance::checkers;
use workwire_conformance::history::History;

use crate::crowd::{self, Manners};

fn nothing_is_wrong(history: &History) {
    for checker in checkers::ALL {
        let found = (checker.check)(history);
        if let Some(anomaly) = found.anomalies.first() {
            let operations: Vec<_> =
                anomaly.operations.iter().filter_map(|number| history.operation(*number)).collect();
            panic!("{} cries wolf: {anomaly:#?}\n{operations:#?}", checker.name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_crowd_on_an_honest_broker_shows_no_anomaly(seed: u64) {
        nothing_is_wrong(&crowd::history(seed, Manners::Wild));
    }

    #[test]
    fn a_plain_crowd_on_an_honest_broker_shows_no_anomaly(seed: u64) {
        nothing_is_wrong(&crowd::history(seed, Manners::Plain));
    }
}

/// A checker that never has anything to look at would never find anything.
#[test]
fn every_checker_has_something_to_look_at() {
    for checker in checkers::ALL {
        let looked_at: u64 = (0..40).map(|seed| (checker.check)(&crowd::history(seed, Manners::Wild)).looked_at).sum();
        assert!(looked_at > 0, "{} looked at nothing", checker.name);
    }
}

#[test]
fn an_empty_history_looks_at_nothing() {
    for checker in checkers::ALL {
        assert_eq!((checker.check)(&History::default()), checkers::Found::default(), "{}", checker.name);
    }
}
