//! The bytes of a message, from a file or standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use workwire::MAX_BYTES_CEILING;

use crate::exit::Failure;

/// Reads no more than one byte beyond the largest limit that can be set: enough to say how large a
/// message is that another limit refuses, and an end to input that has none.
pub(crate) fn read(file: Option<&Path>) -> Result<Vec<u8>, Failure> {
    match file.filter(|path| path.as_os_str() != "-") {
        Some(path) => File::open(path).and_then(bounded).map_err(|error| Failure::file("read", path, error)),
        None => bounded(io::stdin().lock()).map_err(|error| Failure::new(format!("cannot read the input: {error}"))),
    }
}

fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES_CEILING as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
