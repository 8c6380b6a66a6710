//! Ports for private instances.

use std::net::{Ipv4Addr, TcpListener};

use uuid::Uuid;

use crate::open_error::OpenError;

/// Above these the system gives ports to connections that go out.
const FIRST: u16 = 10_000;
const BEHIND_LAST: u16 = 32_768;

/// So many are looked at.
const TRIES: usize = 200;

/// Ports of the loopback that nobody listens at in this moment. Somebody may the next: whoever starts a server on one
/// has to look how it went.
pub(super) fn free<const COUNT: usize>() -> Result<[u16; COUNT], OpenError> {
    let mut found = Vec::with_capacity(COUNT);
    for _ in 0..TRIES {
        if found.len() == COUNT {
            break;
        }
        let port = random();
        if !found.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            found.push(port);
        }
    }
    let found: Result<[u16; COUNT], _> = found.try_into();
    found.map_err(|_| OpenError::setup(format!("no {COUNT} free ports between {FIRST} and {BEHIND_LAST} were found")))
}

fn random() -> u16 {
    let bytes = Uuid::new_v4().into_bytes();
    FIRST + u16::from_be_bytes([bytes[0], bytes[1]]) % (BEHIND_LAST - FIRST)
}
