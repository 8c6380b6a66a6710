//! Disks and files with little room.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::again::{Running, myself};
use crate::folder::Folder;

/// Mounts so much memory at a folder, for itself and what it becomes.
const MOUNTED: &str = r#"mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@""#;

/// Lets no file grow beyond two megabytes, which are counted in halves of kilobytes: a write that would is an error, and no signal.
const LIMITED: &str = r#"trap "" XFSZ && ulimit -S -f 4096 && exec "$@""#;

/// Whether this process may have a disk of its own.
pub(crate) fn may_mount() -> bool {
    let folder = Folder::new("mount");
    let tried =
        Command::new("unshare").args(unshared("1m", folder.as_ref())).arg("true").stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

fn unshared<'a>(size: &'a str, folder: &'a Path) -> Vec<&'a str> {
    let folder = folder.to_str().expect("a path in plain letters");
    vec!["--map-root-user", "--mount", "sh", "-c", MOUNTED, "sh", size, folder]
}

pub(crate) fn on_a_disk_of(size: &str, role: &str) {
    let folder = Folder::new("full");
    let mut by_way_of = vec!["unshare"];
    by_way_of.extend(unshared(size, folder.as_ref()));
    let mut running = Running::start(&mut myself(&by_way_of, role, &folder.file()));
    assert!(running.child.wait().unwrap().success(), "what failed is said above");
}

pub(crate) fn where_files_may_not_grow(role: &str) {
    let folder = Folder::new("limit");
    let mut running = Running::start(&mut myself(&["sh", "-c", LIMITED, "sh"], role, &folder.file()));
    assert!(running.child.wait().unwrap().success(), "what failed is said above");
}

/// Lets the files of this process grow as they like again.
pub(crate) fn let_files_grow() {
    let this = std::process::id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &this, "--fsize=unlimited:"]).status();
    assert!(raised.expect("prlimit, of util-linux").success());
}
