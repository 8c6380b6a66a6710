//! Saboteurs of delay and backoff.

mod resting;
mod told;

use std::sync::Arc;

use workwire_broker::{Message, Policy};

use super::Saboteur;
use super::changed::{Declared, Published};
use resting::{Rest, Resting};
use told::{Told, What};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "due_early",
        breaks: &["DLY-1", "DLY-12", "DLY-14"],
        about: "lets the delayed go a tenth early, since its timer ticks coarsely",
        make: || {
            Arc::new(Published(|message| Message { delay_ms: message.delay_ms.map(|delay| delay * 9 / 10), ..message }))
        },
    },
    Saboteur {
        name: "due_at_the_next_publish",
        breaks: &["DLY-2", "DLY-8", "DLY-13", "DLY-14"],
        about: "looks at what has fallen due only when something is published",
        make: || Arc::new(Resting::new(Rest::UntilAPublish)),
    },
    Saboteur {
        name: "a_delay_of_zero_is_long",
        breaks: &["DLY-3"],
        about: "takes a delay of 0 for the default of its scheduler, a minute",
        make: || {
            Arc::new(Published(|message| Message {
                delay_ms: message.delay_ms.map(|delay| if delay == 0 { 60_000 } else { delay }),
                ..message
            }))
        },
    },
    Saboteur {
        name: "delays_in_order",
        breaks: &["DLY-4"],
        about: "rests messages in a queue of their own, whose first alone can fall due",
        make: || Arc::new(Resting::new(Rest::InOrder)),
    },
    Saboteur {
        name: "waits_for_the_resting",
        breaks: &["DLY-5"],
        about: "keeps the order of publication so strictly that nothing goes before a resting message",
        make: || Arc::new(Resting::new(Rest::AtTheHead)),
    },
    Saboteur {
        name: "rests_by_a_lease",
        breaks: &["DLY-6"],
        about: "holds a resting message under a lease of its own, and forgets to end it",
        make: || Arc::new(Told::new(What::Twice)),
    },
    Saboteur {
        name: "resting_is_ready",
        breaks: &["DLY-7", "DLY-22"],
        about: "counts what rests as ready",
        make: || Arc::new(Told::new(What::Ready)),
    },
    Saboteur {
        name: "nothing_wakes_at_the_due_time",
        breaks: &["DLY-8"],
        about: "wakes a waiting fetch for a publish and for nothing else",
        make: || Arc::new(Told::new(What::Asleep)),
    },
    Saboteur {
        name: "due_goes_first",
        breaks: &["DLY-9"],
        about: "puts what falls due before everything else",
        make: || Arc::new(Told::new(What::First)),
    },
    Saboteur {
        name: "resting_by_id",
        breaks: &["DLY-10"],
        about: "does not look at the delay of a message that is asked for by its id",
        make: || Arc::new(Resting::new(Rest::UnlessAskedFor)),
    },
    Saboteur {
        name: "peeks_at_the_resting",
        breaks: &["DLY-11"],
        about: "shows the resting to who only looks",
        make: || Arc::new(Resting::new(Rest::UnlessLookedAt)),
    },
    Saboteur {
        name: "a_restart_ends_the_rest",
        breaks: &["DLY-12", "DLY-14"],
        about: "queues everything that it finds when it starts",
        make: || Arc::new(Resting::new(Rest::UntilARestart)),
    },
    Saboteur {
        name: "timers_in_memory",
        breaks: &["DLY-12", "DLY-13", "DLY-14"],
        about: "keeps what rests in memory and nowhere else",
        make: || Arc::new(Resting::new(Rest::InMemory)),
    },
    Saboteur {
        name: "timers_saved_at_the_end",
        breaks: &["DLY-14"],
        about: "writes down what rests when it is shut down, and not when it is killed",
        make: || Arc::new(Resting::new(Rest::SavedAtTheEnd)),
    },
    Saboteur {
        name: "never_backs_off",
        breaks: &["DLY-15", "DLY-17", "DLY-18", "DLY-22"],
        about: "does not look at the rests of the policy",
        make: || Arc::new(Declared(|policy| Policy { backoff_ms: Vec::new(), ..policy })),
    },
    Saboteur {
        name: "backs_off_by_seconds",
        breaks: &["DLY-16", "DLY-17"],
        about: "takes the rests of the policy for seconds",
        make: || {
            Arc::new(Declared(|policy| Policy {
                backoff_ms: policy.backoff_ms.iter().map(|rest| rest * 1_000).collect(),
                ..policy
            }))
        },
    },
    Saboteur {
        name: "backs_off_one_step_ahead",
        breaks: &["DLY-17"],
        about: "takes the attempt for the place in the list, which begins at 0",
        make: || Arc::new(Declared(one_step_ahead)),
    },
    Saboteur {
        name: "backs_off_evenly",
        breaks: &["DLY-17", "DLY-18"],
        about: "takes the first rest of the policy for every failure",
        make: || {
            Arc::new(Declared(|policy| Policy {
                backoff_ms: policy.backoff_ms.into_iter().take(1).collect(),
                ..policy
            }))
        },
    },
    Saboteur {
        name: "stops_backing_off",
        breaks: &["DLY-18"],
        about: "gives no rest when the list of the policy is at its end",
        make: || Arc::new(Declared(no_rest_at_the_end)),
    },
    Saboteur {
        name: "backs_off_whatever_is_said",
        breaks: &["DLY-19"],
        about: "takes the rest of the policy also where the retry says another",
        make: || Arc::new(Told::new(What::PolicyWins)),
    },
    Saboteur {
        name: "backs_off_after_a_loss",
        breaks: &["DLY-20", "DLY-21"],
        about: "gives the rest of the policy to whatever comes back, also from an expired lease or a lost connection",
        make: || Arc::new(Told::new(What::LossesRest)),
    },
];

fn one_step_ahead(mut policy: Policy) -> Policy {
    if policy.backoff_ms.len() > 1 {
        policy.backoff_ms.remove(0);
    }
    policy
}

fn no_rest_at_the_end(mut policy: Policy) -> Policy {
    if !policy.backoff_ms.is_empty() {
        policy.backoff_ms.push(0);
    }
    policy
}
