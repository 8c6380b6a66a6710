//! The broker over RabbitMQ, against private instances: what it refuses, and what it survives.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/live.rs"]
mod live;

mod rabbitmq {
    mod alarm;
    mod killed;
    mod opening;
    mod pushed;
    mod resting;
    mod several;
    mod tls;
    mod vanishing;

    mod tools;
}
