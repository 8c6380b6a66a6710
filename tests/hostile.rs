//! Messages made to exhaust their reader: each is read or refused in the end, by its rule.
//!
//! How long it takes is no matter here, within two minutes; that it grows no faster than the message
//! shows in that the larger of two sizes finishes too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod hostile {
    pub(crate) mod inputs;

    mod content;
    mod limits;
    mod many;
    mod numbers;
    mod pointers;
    mod streams;
}

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use workwire::{Decoder, Limits, MAX_BYTES_CEILING, MessageEnvelope, ProtocolError};

/// So long may one message take, on any machine.
const DEADLINE: Duration = Duration::from_mins(2);

/// Runs the work aside, and fails if it does not end.
fn finishes(work: impl FnOnce() + Send + 'static) {
    let (done, ended) = channel();
    let worker = std::thread::spawn(move || {
        work();
        // Nobody waits any more where the deadline has passed.
        let _ = done.send(());
    });
    match ended.recv_timeout(DEADLINE) {
        Err(RecvTimeoutError::Timeout) => panic!("still not done after {} seconds", DEADLINE.as_secs()),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// Repeats the work with a small size and the whole one; a build without optimisation takes an eighth.
fn at_two_sizes(size: usize, work: impl Fn(usize) + Send + 'static) {
    let size = if cfg!(debug_assertions) { size / 8 } else { size };
    finishes(move || {
        work(size / 8);
        work(size);
    });
}

fn widest() -> Decoder {
    Decoder::strict().with_limits(Limits::default().with_max_bytes(MAX_BYTES_CEILING))
}

fn read(text: &str) -> Result<MessageEnvelope, ProtocolError> {
    widest().decode(text.as_bytes())
}

/// Requires that a message is refused, with so many violations, the first of them by this rule.
#[track_caller]
fn refused(text: &str, rule: &str, total: usize) -> ProtocolError {
    let error = read(text).expect_err("is refused");
    assert_eq!((error.violations()[0].rule().id(), error.total()), (rule, total));
    assert!(error.violations().len() <= 100);
    error
}
