//! What of an instance has to be gone when its owner is gone: a group of processes and a folder.
//!
//! Two small processes see to it, since whoever is killed with `kill -9` clears nothing away. The *anchor* does nothing
//! but give the group its number, so that the number cannot become another's while the watch lasts. The *watcher*
//! stands outside of the group and reads from a pipe of which the owner holds the other end. Once that end is closed,
//! by whatever end of its owner, the watcher kills the group and removes the folder. It holds the anchor's pipe in the
//! same way, so that the anchor goes last.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use uuid::Uuid;

/// Reads until the end, whatever signals come: those of a terminal are for its owner.
const ANCHOR: &str = "trap '' INT TERM HUP QUIT; exec cat >/dev/null";

/// The same, and clears away. A server that leaves something in the system when it is killed is asked to stop first, by
/// its file with its number, which it removes when it has stopped.
const WATCHER: &str = r#"trap '' INT TERM HUP QUIT
cat >/dev/null
if [ -n "$3" ] && read -r process <"$3"; then
    kill -QUIT "$process"
    for tenth in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
        [ -e "$3" ] || break
        sleep 0.1
    done
fi
kill -s KILL -- "-$1"
for try in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf -- "$2" && break
    sleep 0.1
done"#;

/// A group of processes and a folder. Dropped, both are gone.
#[derive(Debug)]
pub(super) struct Watch {
    folder: PathBuf,
    anchor: Child,
    watcher: Child,
    /// Closed, it tells the watcher that it is time.
    hold: Option<ChildStdin>,
}

impl Watch {
    /// Makes a folder that nobody else can read, and watches over it. `asked` is the file with the number of a server
    /// that is asked to stop before it is killed, in this folder.
    pub(super) fn begin(name: &str, asked: Option<&str>) -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("workwire-{name}-{}", Uuid::new_v4().simple()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        // Until the watcher is there, this does its work.
        let made = Made(&folder);
        let mut anchor = shell(ANCHOR, &[]).stdout(Stdio::null()).process_group(0).spawn()?;
        let pipe = anchor.stdin.take().ok_or_else(|| io::Error::other("the anchor has no input"))?;
        let group = anchor.id().to_string();
        let asked = asked.map_or_else(PathBuf::new, |asked| folder.join(asked));
        let words = [Path::new(&group), &folder, &asked];
        let mut watcher = shell(WATCHER, &words).stdout(Stdio::from(pipe)).process_group(0).spawn()?;
        let hold = watcher.stdin.take();
        std::mem::forget(made);
        Ok(Watch { folder, anchor, watcher, hold })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts a command as one of the group.
    pub(super) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        let group = i32::try_from(self.anchor.id()).map_err(io::Error::other)?;
        command.process_group(group).spawn()
    }

    /// Kills the group, removes the folder, and waits for that.
    pub(super) fn end(&mut self) {
        self.hold = None;
        // Both end by themselves now; where they cannot be waited for, they end all the same.
        let _ = self.watcher.wait();
        let _ = self.anchor.wait();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}

fn shell(script: &str, words: &[&Path]) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "workwire-watch"]).args(words).current_dir("/");
    command.stdin(Stdio::piped()).stderr(Stdio::null());
    command
}

/// A folder that is removed unless somebody else has taken that over.
struct Made<'a>(&'a Path);

impl Drop for Made<'_> {
    fn drop(&mut self) {
        // Nothing is in it that could be missed.
        let _ = std::fs::remove_dir_all(self.0);
    }
}
