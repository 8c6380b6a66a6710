//! What an adapter writes to its standard error: its log, of which the end is kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};

use super::finding::shown;

/// How many bytes are kept.
const KEPT: usize = 64 * 1024;

#[derive(Default)]
pub(super) struct Log(Mutex<VecDeque<u8>>);

impl Log {
    /// Reads until it ends.
    pub(super) async fn follow(self: Arc<Self>, mut stderr: impl AsyncRead + Unpin) {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
            self.add(&chunk[..count]);
        }
    }

    fn add(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(bytes);
        let more = kept.len().saturating_sub(KEPT);
        kept.drain(..more);
    }

    /// Its end, without what steers a terminal.
    pub(super) fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, rest) = kept.as_slices();
        let bytes = [start, rest].concat();
        drop(kept);
        String::from_utf8_lossy(&bytes).split_inclusive('\n').fold(String::new(), |text, line| {
            let end = if line.ends_with('\n') { "\n" } else { "" };
            text + &shown(line) + end
        })
    }

    /// Its last lines, in one.
    pub(super) fn last_lines(&self) -> String {
        const LINES: usize = 5;
        let text = self.text();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(LINES)..].join(" | ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_log_is_kept() {
        let log = Log::default();
        for number in 0..20_000 {
            log.add(format!("line {number}\n").as_bytes());
        }
        let text = log.text();
        assert!(text.len() <= KEPT && text.len() > KEPT - 20, "{}", text.len());
        assert!(text.ends_with("line 19998\nline 19999\n"));
        assert!(log.last_lines().ends_with("line 19995 | line 19996 | line 19997 | line 19998 | line 19999"));
    }

    #[test]
    fn a_log_steers_no_terminal() {
        let log = Log::default();
        log.add(b"red: \x1b[31m\xff\ttab\r\nnext");
        assert_eq!(log.text(), "red: [31m\u{fffd}tab\nnext");
    }
}
