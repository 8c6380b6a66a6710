//! This test program started once more, in another role: so a test has processes to kill without a
//! program that is built for nothing else.

use std::process::{Child, Command, Stdio};

use serde::Serialize;
use serde::de::DeserializeOwned;

const ROLE: &str = "WORKWIRE_TEST_ROLE";
const TOLD: &str = "WORKWIRE_TEST_TOLD";

/// As what this process was started; none for the test itself.
pub(crate) fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// What the process that started this one told it.
pub(crate) fn told<T: DeserializeOwned>() -> T {
    serde_json::from_str(&std::env::var(TOLD).expect("told by whoever started it")).expect("what was told")
}

/// The command that starts this program in a role, by way of another program where one is named.
pub(crate) fn myself(by_way_of: &[&str], role: &str, told: &impl Serialize) -> Command {
    let this = std::env::current_exe().expect("the path of this program");
    let mut command = match by_way_of {
        [] => Command::new(this),
        [program, rest @ ..] => {
            let mut command = Command::new(program);
            command.args(rest).arg(this);
            command
        }
    };
    command.env(ROLE, role).env(TOLD, serde_json::to_string(told).unwrap()).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// A process of this test; killed when it is let go.
pub(crate) struct Running {
    pub(crate) child: Child,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command.spawn();
        let child =
            child.unwrap_or_else(|error| panic!("{} cannot be started: {error}", command.get_program().display()));
        Running { child }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
