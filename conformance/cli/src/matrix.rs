//! stub
use crate::arguments::Matrix;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(crate) fn run(_arguments: &Matrix, _out: &mut Output) -> Result<Exit, Failure> {
    Err(Failure::new("stub"))
}
