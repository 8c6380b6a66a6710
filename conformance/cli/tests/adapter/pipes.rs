//! The command as an adapter: started, talked to, ended.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A broker in memory behind the command.
pub(crate) struct Adapter {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Adapter {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_workwire"));
        command.args(["adapter", "memory:"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Adapter { child, input, output }
    }

    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.input.as_mut().unwrap(), "{request}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    /// Its exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

/// A request, named by its method.
pub(crate) fn request(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": method, "method": method, "params": params})
}

#[test]
fn it_ends_with_shutdown_though_its_input_stays_open() {
    let mut adapter = Adapter::start();
    assert_eq!(adapter.ask(&request("shutdown", &json!({})))["result"], json!({}));
    assert_eq!(adapter.end(), Some(0));
}

#[test]
fn it_ends_with_its_input() {
    let mut adapter = Adapter::start();
    adapter.input = None;
    assert_eq!(adapter.end(), Some(0));
}

#[test]
fn it_ends_when_nobody_reads_its_answers() {
    let Adapter { child, input, output } = Adapter::start();
    drop(output);
    let mut input = input.unwrap();
    // It may be gone before the second is written; that is what is tested.
    let _ = writeln!(input, "{}", request("initialize", &json!({})));
    let _ = writeln!(input, "{}", request("initialize", &json!({})));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: cannot go on serving: "));
}

/// The client that the document for writers of adapters shows.
#[test]
fn a_client_of_thirty_lines_can_use_it() {
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("../broker/tests/adapter/client.py");
    let mut command = Command::new("python3");
    command.arg(client).arg(env!("CARGO_BIN_EXE_workwire")).args(["adapter", "memory:"]);
    let output = command.output().unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = words.lines().collect();
    assert!(lines[0].starts_with("can do core, priority, "), "{words}");
    assert_eq!(lines[1..], ["took to do at attempt 1", "left 0"]);
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
}
