//! Processes on one file, and what they say.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::member::{Line, Told};
use crate::again::{Running, myself};
use crate::listening::listen;

/// How long a test waits for what has to come, before it says that it did not.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) struct Crew {
    running: Vec<Running>,
    listening: Vec<JoinHandle<()>>,
    lines: Receiver<(usize, Option<Line>)>,
    killed: Option<usize>,
}

impl Crew {
    pub(crate) fn start(told: &Told, role: &str, many: usize) -> Self {
        let (sender, lines) = channel();
        let (mut running, mut listening) = (Vec::new(), Vec::new());
        for number in 0..many {
            let mut member = Running::start(myself(&[], role, told).stdin(Stdio::piped()));
            let sender = sender.clone();
            listening.push(listen(&mut member.child, move |line| {
                // Whoever wanted it may have failed.
                let _ = sender.send((number, line));
            }));
            running.push(member);
        }
        Crew { running, listening, lines, killed: None }
    }

    /// The next thing that one of them says.
    pub(crate) fn next(&self) -> (usize, Line) {
        loop {
            match self.lines.recv_timeout(PATIENCE).expect("somebody who says something") {
                (number, Some(line)) => return (number, line),
                (number, None) => assert_eq!(self.killed, Some(number), "process {number} ended by itself"),
            }
        }
    }

    /// Waits until all have opened the file, and lets them begin.
    pub(crate) fn begin(&mut self) {
        for _ in 0..self.running.len() {
            assert!(matches!(self.next(), (_, Line::Ready)), "they begin when they are told to");
        }
        for member in &mut self.running {
            member.child.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
        }
    }

    pub(crate) fn kill(&mut self, number: usize) {
        self.killed = Some(number);
        self.running[number].child.kill().unwrap();
    }

    /// Lets them finish, and hears what they have to say until then.
    pub(crate) fn end(mut self) -> Vec<(usize, Line)> {
        for member in &mut self.running {
            drop(member.child.stdin.take());
        }
        let lines = self.lines.iter().filter_map(|(number, line)| Some((number, line?))).collect();
        for listening in self.listening {
            listening.join().unwrap();
        }
        lines
    }
}
