//! Messages and letters as they are shown, to people and to scripts.

use std::io::{self, Write};

use bytes::Bytes;
use serde::Serialize;
use workwire_broker::adapter::wire::Encoding;
use workwire_broker::{Delivery, Letter, Peeked};

use crate::output::Output;
use crate::text::{body, plain};

/// A message that was taken or looked at.
#[derive(Serialize)]
pub(super) struct Shown {
    id: String,
    body: String,
    encoding: Encoding,
    priority: i64,
    attempt: u32,
    #[serde(skip)]
    bytes: Bytes,
}

impl Shown {
    fn of(id: uuid::Uuid, bytes: &Bytes, priority: i64, attempt: u32) -> Self {
        let (body, encoding) = Encoding::write(bytes.clone());
        Shown { id: id.to_string(), body, encoding, priority, attempt, bytes: bytes.clone() }
    }

    pub(super) fn print(&self, out: &mut Output) -> io::Result<()> {
        let Shown { id, priority, attempt, bytes, .. } = self;
        writeln!(out, "{id}  priority {priority}  attempt {attempt}  {}", size(bytes))?;
        print_body(bytes, out)
    }
}

impl From<&Delivery> for Shown {
    fn from(delivery: &Delivery) -> Self {
        Shown::of(delivery.id, &delivery.body, delivery.priority, delivery.attempt)
    }
}

impl From<&Peeked> for Shown {
    fn from(peeked: &Peeked) -> Self {
        Shown::of(peeked.id, &peeked.body, peeked.priority, peeked.attempt)
    }
}

/// A dead letter.
#[derive(Serialize)]
pub(super) struct ShownLetter {
    id: String,
    body: String,
    encoding: Encoding,
    reason: String,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    died_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(skip)]
    bytes: Bytes,
}

impl From<&Letter> for ShownLetter {
    fn from(letter: &Letter) -> Self {
        let (body, encoding) = Encoding::write(letter.body.clone());
        ShownLetter {
            id: letter.id.to_string(),
            body,
            encoding,
            reason: letter.reason.clone(),
            attempts: letter.attempts,
            priority: letter.priority,
            died_at: letter.died_at.map(|at| at.to_string()),
            group: letter.group.clone(),
            bytes: letter.body.clone(),
        }
    }
}

impl ShownLetter {
    pub(super) fn print(&self, out: &mut Output) -> io::Result<()> {
        write!(out, "{}", self.id)?;
        if let Some(died_at) = &self.died_at {
            write!(out, "  died {}", plain(died_at))?;
        }
        if let Some(group) = &self.group {
            write!(out, "  group {}", plain(group))?;
        }
        writeln!(out, "  after attempt {}  {}", self.attempts, size(&self.bytes))?;
        writeln!(out, "    reason: {}", plain(&self.reason))?;
        print_body(&self.bytes, out)
    }
}

fn size(bytes: &Bytes) -> String {
    if bytes.len() == 1 { "1 byte".to_owned() } else { format!("{} bytes", bytes.len()) }
}

fn print_body(bytes: &Bytes, out: &mut Output) -> io::Result<()> {
    if bytes.is_empty() { Ok(()) } else { writeln!(out, "    {}", body(bytes)) }
}
