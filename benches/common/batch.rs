//! Work that is timed many times over.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Does something so many times, and says how long it took.
pub(crate) type Batch = Box<dyn Fn(u64) -> Duration>;

/// Times something; what it makes is dropped within the time.
pub(crate) fn batch<T>(work: impl Fn() -> T + 'static) -> Batch {
    Box::new(move |times| {
        let start = Instant::now();
        for _ in 0..times {
            black_box(work());
        }
        start.elapsed()
    })
}
