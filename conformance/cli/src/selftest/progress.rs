//! How far it is, on a terminal; elsewhere nothing is told before the end.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn of(cases: usize) -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(12)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(u64::try_from(cases).ok(), target);
        // The template is fixed; were it wrong, the bar would have the plain one.
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed} {msg}") {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Progress(bar)
    }

    pub(super) fn begins(&mut self, case: &str) {
        self.0.set_message(case.to_owned());
        self.0.inc(1);
    }

    pub(super) fn ends(&self) {
        self.0.finish_and_clear();
    }
}
