//! stub
use crate::arguments::Selftest;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(crate) fn run(_arguments: &Selftest, _out: &mut Output) -> Result<Exit, Failure> {
    Err(Failure::new("stub"))
}
