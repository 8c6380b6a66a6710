//! What the fuzz targets hold against any bytes. Each is a plain function that panics when the
//! crate breaks its word, so that a test can replay the corpus without a fuzzer.

mod documents;
mod mutate;
mod plain;
mod refusal;
mod round_trip;
mod schema;
mod strict;

pub use documents::{decode_channel, decode_envelope, decode_event};
pub use mutate::mutate;
pub use round_trip::round_trip;
pub use schema::types_against_schema;
pub use strict::strict_json;

/// Panics when the crate breaks its word about some bytes.
pub type Target = fn(&[u8]);

/// Every target, by the name of its binary and of its folder in `corpus`.
pub const TARGETS: &[(&str, Target)] = &[
    ("strict_json", strict_json),
    ("decode_envelope", decode_envelope),
    ("decode_channel", decode_channel),
    ("decode_event", decode_event),
    ("round_trip", round_trip),
    ("types_against_schema", types_against_schema),
];

/// A fuzz binary: the function of its name, fed with bytes that are edited as JSON half of the time.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::$name(data));

        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutate(data, size, max_size, seed, libfuzzer_sys::fuzzer_mutate)
        });
    };
}
