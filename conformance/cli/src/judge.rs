//! stub
use crate::arguments::Judge;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(crate) fn run(_arguments: &Judge, _out: &mut Output) -> Result<Exit, Failure> {
    Err(Failure::new("stub"))
}
