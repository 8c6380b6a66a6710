//! A server that somebody else started, restarted by their command.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use workwire_broker::Managed;

use super::runs::{command, folder};

/// Restarts the Redis of this folder by the file of its settings.
const RESTART: &str = r#"#!/bin/sh
set -e
cd "$(dirname "$0")"
echo "$1" >>asked
case "$1" in
graceful) kill -TERM "$(cat pid)" ;;
kill) kill -KILL "$(cat pid)" ;;
esac
while kill -0 "$(cat pid)" 2>/dev/null; do sleep 0.01; done
rm -f pid
redis-server redis.conf
"#;

#[test]
fn a_server_is_restarted_by_the_command_that_was_given() {
    let here = folder("restarted");
    let Some(port) = started(here.path()) else { return };
    let target = format!("redis://:secret@127.0.0.1:{port}?durable=1");
    let restart = here.path().join("restart").display().to_string();
    let output = command(here.path(), &["run", &target, "--restart-cmd", &restart, "--only", "dur"]).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let asked = fs::read_to_string(here.path().join("asked")).unwrap_or_default();
    let process = fs::read_to_string(here.path().join("pid")).unwrap();
    assert!(Command::new("kill").arg(process.trim()).status().unwrap().success());
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(asked.contains("kill"), "{asked}\n{said}");
    assert!(!said.contains("secret"), "{said}");
}

/// Starts a Redis that runs by itself, and says at which port.
fn started(folder: &std::path::Path) -> Option<u16> {
    // A private instance looks for the program, and says where it is not.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let instance = match runtime.block_on(Managed::parse("redis").unwrap().start()) {
        Ok(instance) => instance,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            println!("not run: {error}");
            return None;
        }
    };
    let port = instance.port();
    drop(instance);
    let settings = format!(
        "bind 127.0.0.1\nport {port}\ndaemonize yes\npidfile pid\nlogfile log\nsave \"\"\nappendonly yes\n\
         appendfsync always\nrequirepass secret\nmaxmemory-policy noeviction\n"
    );
    fs::write(folder.join("redis.conf"), settings).unwrap();
    fs::write(folder.join("restart"), RESTART).unwrap();
    fs::set_permissions(folder.join("restart"), fs::Permissions::from_mode(0o755)).unwrap();
    let begun = Command::new("redis-server").arg("redis.conf").current_dir(folder).status().unwrap();
    assert!(begun.success());
    let accepts = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !(accepts() && folder.join("pid").exists()) {
        assert!(std::time::Instant::now() < deadline, "{}", fs::read_to_string(folder.join("log")).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Some(port)
}

#[test]
fn what_is_no_server_is_not_restarted_by_a_command() {
    let here = folder("refused");
    for target in ["memory:", "sqlite:", "managed:redis", "exec:cat"] {
        let output = command(here.path(), &["run", target, "--restart-cmd", "true"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{target}: {said}");
        assert!(said.contains("--restart-cmd is for a server that is reached by its address"), "{target}: {said}");
    }
}
