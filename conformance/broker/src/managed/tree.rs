//! A process and all that it started.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Stops a process and what it started, so that it starts nothing more, and says which these are.
pub(super) fn stop(root: Pid) -> Vec<Pid> {
    walk(root, |process| {
        // What has ended meanwhile needs no stopping.
        let _ = kill_process(process, Signal::STOP);
    })
}

/// A process and what it has started in this moment.
pub(super) fn family(root: Pid) -> Vec<Pid> {
    walk(root, |_| {})
}

fn walk(root: Pid, see: impl Fn(Pid)) -> Vec<Pid> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&process) = found.get(next) {
        see(process);
        let news: Vec<Pid> = children(process).into_iter().filter(|child| !found.contains(child)).collect();
        found.extend(news);
        next += 1;
    }
    found
}

pub(super) fn signal(processes: &[Pid], signal: Signal) {
    for process in processes {
        // What has ended meanwhile is not there to be told.
        let _ = kill_process(*process, signal);
    }
}

/// Waits until none of them runs any more. False where one still does after this time.
pub(super) async fn ended(processes: &[Pid], patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while processes.iter().any(|process| runs(*process)) {
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}

/// The fields of a process behind its name: state, parent, …
#[cfg(target_os = "linux")]
fn fields(process: &str) -> Option<(String, String)> {
    let line = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, behind_name) = line.rsplit_once(") ")?;
    let mut fields = behind_name.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.to_owned()))
}

#[cfg(target_os = "linux")]
fn children(parent: Pid) -> Vec<Pid> {
    let parent = parent.as_raw_nonzero().to_string();
    let Ok(folders) = std::fs::read_dir("/proc") else { return Vec::new() };
    let names = folders.flatten().filter_map(|folder| folder.file_name().into_string().ok());
    let numbers = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    numbers
        .filter(|name| fields(name).is_some_and(|(_, of)| of == parent))
        .filter_map(|name| Pid::from_raw(name.parse().ok()?))
        .collect()
}

/// A process that has ended is there until it is fetched, which nobody may do where the first process of the machine is
/// no `init`.
#[cfg(target_os = "linux")]
fn runs(process: Pid) -> bool {
    let number = process.as_raw_nonzero().to_string();
    fields(&number).is_some_and(|(state, _)| !matches!(&*state, "Z" | "X"))
}

#[cfg(not(target_os = "linux"))]
fn children(parent: Pid) -> Vec<Pid> {
    let parent = parent.as_raw_nonzero().to_string();
    let Ok(listed) = std::process::Command::new("pgrep").args(["-P", &parent]).output() else { return Vec::new() };
    let listed = String::from_utf8_lossy(&listed.stdout);
    listed.lines().filter_map(|line| Pid::from_raw(line.trim().parse().ok()?)).collect()
}

#[cfg(not(target_os = "linux"))]
fn runs(process: Pid) -> bool {
    rustix::process::test_kill_process(process).is_ok()
}
