//! What is printed, and to whom.

use std::fmt;
use std::io::{self, BufWriter, ErrorKind, Stdout, Write};
use std::path::Path;

use serde::Serialize;

/// Standard output. A reader that has seen enough and closes the pipe ends the printing, not the
/// command: its verdict stands.
pub(crate) struct Output {
    inner: BufWriter<Stdout>,
    closed: bool,
}

impl Output {
    pub(crate) fn stdout() -> Self {
        Output { inner: BufWriter::new(io::stdout()), closed: false }
    }

    /// Whether nobody reads it any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes what is still held back.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }

    /// Prints a value as one line of JSON. Control characters beyond ASCII, which JSON allows as
    /// they are and a terminal obeys, are escaped like the others.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        writeln!(self, "{}", without_controls(&serde_json::to_string(value)?))
    }

    fn unless_closed(&mut self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.closed {
            let result = self.inner.write_all(bytes);
            self.unless_closed(result)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let result = self.inner.flush();
        self.unless_closed(result)
    }
}

/// A path in quotes, so that its name cannot steer a terminal.
pub(crate) fn quoted(path: &Path) -> String {
    format!("{:?}", path.to_string_lossy())
}

/// In JSON text such characters stand in strings alone, where an escape means the same.
fn without_controls(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() {
            // Writing to a string cannot fail.
            let _ = fmt::Write::write_fmt(&mut text, format_args!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}
