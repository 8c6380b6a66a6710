//! Nothing is left of an instance, however its owner ended.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::live::instance;

/// Names the engine that [`owner`] starts; without it that is no test.
const OWNED: &str = "WORKWIRE_OWNED";

/// Processes whose words or folder name this folder, by number.
pub(super) fn members(folder: &Path) -> Vec<String> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let numbers = processes.flatten().filter(|process| {
        let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        let place = std::fs::read_link(process.path().join("cwd")).unwrap_or_default();
        !words.contains("workwire-watch") && (words.contains(&name) || place.starts_with(folder))
    });
    numbers.map(|process| process.file_name().to_string_lossy().into_owned()).collect()
}

pub(super) fn is_gone(folder: &Path) -> bool {
    !folder.exists() && members(folder).is_empty()
}

/// Not a test of its own: the process that owns an instance and is ended in the middle of it.
#[tokio::test]
async fn owner() {
    let Ok(engine) = std::env::var(OWNED) else { return };
    let Some(instance) = instance(&engine).await else { return };
    println!("\nfolder {}", instance.folder().display());
    std::future::pending::<()>().await;
}

fn owned(engine: &str) -> Option<(Child, PathBuf)> {
    let mut owner = Command::new(std::env::current_exe().unwrap());
    owner.args(["managed::left::owner", "--exact", "--nocapture"]).env(OWNED, engine).stdout(Stdio::piped());
    let mut owner = owner.spawn().unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines().map_while(Result::ok);
    let folder = lines.find_map(|line| line.strip_prefix("folder ").map(PathBuf::from));
    if folder.is_none() {
        owner.wait().unwrap();
    }
    Some((owner, folder?))
}

fn soon(holds: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn nothing_is_left_of(engine: &str, signal: &str) {
    let Some((mut owner, folder)) = owned(engine) else { return };
    assert!(folder.exists() && !members(&folder).is_empty(), "{engine}");
    let killed = Command::new("kill").args([signal, &owner.id().to_string()]).status().unwrap();
    assert!(killed.success() && !owner.wait().unwrap().success());
    assert!(soon(|| is_gone(&folder)), "{engine} {signal}: {:?}", members(&folder));
}

#[test]
fn nothing_is_left_of_a_redis_whose_owner_was_killed() {
    nothing_is_left_of("redis", "-9");
}

#[test]
fn nothing_is_left_of_a_redis_whose_owner_was_broken_off() {
    nothing_is_left_of("redis", "-INT");
}

#[test]
fn nothing_is_left_of_a_nats_whose_owner_was_killed() {
    nothing_is_left_of("nats", "-9");
}

#[test]
fn nothing_is_left_of_a_postgres_whose_owner_was_killed() {
    let before = shared_memory();
    nothing_is_left_of("postgres", "-9");
    let left: Vec<String> = shared_memory().into_iter().filter(|piece| !before.contains(piece)).collect();
    // Other tests may have one of their own in this moment.
    assert!(left.len() < 2, "{left:?}");
}

#[test]
fn nothing_is_left_of_a_rabbitmq_whose_owner_was_killed() {
    nothing_is_left_of("rabbitmq", "-9");
}

fn shared_memory() -> Vec<String> {
    let listed = std::fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    listed.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect()
}
