//! The adapter protocol, both ways: [`serve`] puts it in front of any [`Broker`](crate::Broker), and
//! an [`AdapterBroker`] is a broker behind it, in any language.
//!
//! One JSON-RPC 2.0 object a line, on the adapter's standard input and output. The document for those
//! who write an adapter is `ADAPTER.md`, beside this crate's sources; the shapes are in [`wire`], and
//! as JSON Schemas in [`schemas`].

mod client;
mod lines;
mod schema;
mod serve;
pub mod wire;

pub use client::{AdapterBroker, AdapterOptions, Finding, FindingKind, StartError};
pub use schema::schemas;
pub use serve::serve;
