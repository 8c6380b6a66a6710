//! What a process did to the files of a store, and what it said, in the order in which it happened.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::strace::{self, Call};
use crate::support::again::{Running, myself};
use crate::support::said::Line;
use crate::support::worker::Job;

/// Something that the process asked of the system.
#[derive(Debug)]
pub(crate) enum Act {
    /// Opened a file for writing, which may make it.
    Open(PathBuf),
    Write {
        file: PathBuf,
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: PathBuf,
        size: usize,
    },
    /// Of a file, or of the folder.
    Sync(PathBuf),
    Remove(PathBuf),
    Say(Line),
}

/// The system is asked, and some time later has answered: what happens, happens between the two.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    Asked(usize),
    Answered(usize),
}

#[derive(Debug, Default)]
pub(crate) struct Recording {
    pub(crate) acts: Vec<Act>,
    pub(crate) events: Vec<Event>,
}

impl Recording {
    /// Lets a worker do its job, and records it.
    pub(crate) fn of(job: &Job, folder: &Path) -> Self {
        let trace = folder.join("trace");
        let mut by_way_of = strace::COMMAND.to_vec();
        by_way_of.extend(["-o", trace.to_str().expect("a path in plain letters")]);
        // What it says is in the record.
        let mut running = Running::start(myself(&by_way_of, "worker", job).stdout(Stdio::null()));
        let ended = running.child.wait().unwrap();
        assert!(ended.success(), "strace or the worker failed ({ended}): may processes be traced here?");
        let recording = Self::read(&trace, folder);
        std::fs::remove_file(trace).unwrap();
        recording
    }

    fn read(trace: &Path, folder: &Path) -> Self {
        let mut recording = Recording::default();
        // The act that each thread is in the middle of.
        let mut under_way = std::collections::HashMap::new();
        for line in BufReader::new(File::open(trace).unwrap()).lines() {
            let line = line.unwrap();
            match strace::read(&line) {
                Call::Asked { thread, asked, answered } => {
                    let Some(act) = act(asked, folder) else { continue };
                    let number = recording.acts.len();
                    recording.acts.push(act);
                    recording.events.push(Event::Asked(number));
                    match answered {
                        Some(answer) => recording.answered(number, answer),
                        None => assert!(under_way.insert(thread, number).is_none(), "two at once: {line}"),
                    }
                }
                Call::Answered { thread, answer } => {
                    if let Some(number) = under_way.remove(&thread) {
                        recording.answered(number, answer);
                    }
                }
                Call::Other => {}
            }
        }
        assert!(under_way.is_empty(), "calls that never ended: {under_way:?}");
        recording
    }

    fn answered(&mut self, number: usize, answer: i64) {
        match &self.acts[number] {
            Act::Write { bytes, .. } => assert_eq!(usize::try_from(answer), Ok(bytes.len()), "a short write"),
            // It is there, or must not be made.
            Act::Open(_) if answer < 0 => {
                self.acts[number] = Act::Open(PathBuf::new());
            }
            Act::Say(_) => assert!(answer > 0),
            act => assert!(answer >= 0, "{act:?} failed"),
        }
        self.events.push(Event::Answered(number));
    }
}

/// What concerns the store, or a listener.
fn act(asked: strace::Asked, folder: &Path) -> Option<Act> {
    let ours = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        // Of the index of the log, which is mapped, nothing is needed after a power cut.
        path.parent() == Some(folder)
            && name.starts_with("work.db")
            && !name.ends_with("-shm")
            && !name.ends_with("-door")
    };
    match asked {
        strace::Asked::Write { number: 1, bytes, .. } => {
            Some(Act::Say(serde_json::from_slice(&bytes).expect("one line of a worker")))
        }
        strace::Asked::PositionedWrite { file, bytes, offset } if ours(&file) => {
            Some(Act::Write { file, offset, bytes })
        }
        strace::Asked::Truncate { file, size } if ours(&file) => Some(Act::Truncate { file, size }),
        strace::Asked::Sync(file) if ours(&file) || file == folder => Some(Act::Sync(file)),
        strace::Asked::Remove(file) if ours(&file) => Some(Act::Remove(file)),
        strace::Asked::Open { file, makes: true } if ours(&file) => Some(Act::Open(file)),
        strace::Asked::Write { file, .. } if ours(&file) => panic!("a write without a place: {}", file.display()),
        strace::Asked::Unknown { what, file } if ours(&file) => panic!("{what} is not understood: {}", file.display()),
        _ => None,
    }
}
