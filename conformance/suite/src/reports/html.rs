//! Reports as pages: each one file that asks for nothing from anywhere, and can be read without its
//! script.

mod broken;
mod page;
mod run;

pub(super) use page::{Page, Wants, clause};
pub use run::run_html;
