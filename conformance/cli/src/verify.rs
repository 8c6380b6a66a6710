//! stub
use crate::arguments::Verify;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(crate) fn run(_arguments: &Verify, _out: &mut Output) -> Result<Exit, Failure> {
    Err(Failure::new("stub"))
}
