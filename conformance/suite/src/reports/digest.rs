//! Digests of what a run was judged by, so that reports can be compared.

use sha2::{Digest, Sha256};
use workwire::spec::{self, Level};

use crate::case::Case;

/// Of the specification: every clause with all that is said of it.
#[must_use]
pub fn specification() -> String {
    let mut digest = Lines::default();
    for clause in spec::clauses() {
        let level = if clause.level() == Level::Must { "MUST" } else { "SHOULD" };
        digest.line(&[clause.id(), level, clause.role().as_str()]);
        digest.line(&clause.capabilities().collect::<Vec<_>>());
        digest.line(&[clause.text()]);
    }
    digest.hex()
}

/// Of a suite: its cases, what each is about, needs, and is looked at by.
#[must_use]
pub fn suite(cases: &[&'static Case]) -> String {
    let mut digest = Lines::default();
    for case in cases {
        digest.line(&[case.id]);
        digest.line(case.clauses);
        digest.line(&case.needs.iter().map(|need| need.as_str()).collect::<Vec<_>>());
        for (checker, clause) in case.checks {
            digest.line(&[checker.name, clause]);
        }
        digest.line(&[]);
    }
    digest.hex()
}

#[derive(Default)]
struct Lines(Sha256);

impl Lines {
    fn line(&mut self, words: &[&str]) {
        for word in words {
            self.0.update(word.as_bytes());
            self.0.update([0]);
        }
        self.0.update([b'\n']);
    }

    fn hex(self) -> String {
        let digest = self.0.finalize();
        digest.iter().fold("sha256:".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))
    }
}
