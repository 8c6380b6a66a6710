//! What each message must hold, what it may hold, and what becomes of it on the way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/bodies.rs"]
mod bodies;

mod messages {
    mod borrowed_results;
    mod catalogue;
    mod channels;
    mod cloud_events;
    mod correlation;
    mod embedding;
    mod envelope;
    mod errors;
    mod events;
    mod free_content;
    mod heartbeats;
    mod ids;
    mod integers;
    mod measures;
    mod outline;
    mod positions;
    mod refused;
    mod schemas;
    mod standard_channels;
    mod streams;
    mod texts;
    mod timestamps;
    mod trace_context;
    mod versions;
    mod violations;
    mod work;
}
