//! What another process of a test says, as it says it.

use std::io::{BufRead as _, BufReader};
use std::process::Child;
use std::thread::JoinHandle;

use serde::de::DeserializeOwned;

/// Reads what a process says until it has ended; `each` is called for every line as it comes, and
/// with nothing at the end.
pub(crate) fn listen<T: DeserializeOwned>(
    process: &mut Child,
    mut each: impl FnMut(Option<T>) + Send + 'static,
) -> JoinHandle<()> {
    let mut lines = BufReader::new(process.stdout.take().expect("a pipe, listened to once"));
    std::thread::spawn(move || {
        let mut line = String::new();
        while lines.read_line(&mut line).expect("text") > 0 {
            assert!(line.ends_with('\n'), "half a line: {line}");
            each(Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))));
            line.clear();
        }
        each(None);
    })
}
