//! Judges any message broker for agents' work against the numbered clauses of
//! [`workwire::spec`], and proves of each of its own cases that it can fail.
//!
//! `case → recorder → broker → history → checker → verdict → event → report`: a [`Case`] does
//! something to a broker through a [`Recorder`](recorder::Recorder), which writes a
//! [`History`](history::History); demands and checkers judge that and nothing else.

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod anomaly;
mod between;
pub mod case;
pub mod cases;
mod check;
pub mod checkers;
pub mod codec;
pub mod demand;
pub mod event;
pub mod history;
pub mod host;
pub mod judge;
pub mod oddities;
pub mod plan;
pub mod profiles;
pub mod recorder;
pub mod reports;
pub mod runner;
pub mod saboteurs;
pub mod selftest;
pub mod subject;
pub mod trivial;
pub mod verdict;

pub use case::Case;
pub use check::{Checked, check};
