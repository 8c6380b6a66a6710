//! The role of a codec: reads messages of the wire protocol, and writes them again. It is judged by
//! the vectors, one case for each clause that vectors show.

mod case;
mod hostile;
mod liar;
mod proof;
mod run;
mod vector;

pub use case::{CodecCase, Miss, cases, for_reports};
pub use liar::{Liar, liars};
pub use proof::prove;
pub use run::{Codec, OwnCodec, run};
pub use vector::{Expected, Vector, vectors};
