//! The process that an adapter is, with all that it starts: a group, which ends as a whole.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::time::{Instant, sleep};

/// A process group, by the process that leads it.
pub(super) struct Group {
    leader: Pid,
    /// Nothing of it is left; the number may be another's by now.
    is_gone: AtomicBool,
}

impl Group {
    pub(super) fn of(leader: Option<u32>) -> Option<Self> {
        let leader = Pid::from_raw(i32::try_from(leader?).ok()?)?;
        Some(Group { leader, is_gone: AtomicBool::new(false) })
    }

    /// Kills all of it.
    pub(super) fn kill(&self) {
        if !self.is_gone.load(Ordering::Acquire) {
            // What is gone already needs no killing.
            let _ = kill_process_group(self.leader, Signal::KILL);
        }
    }

    /// Once its leader is gone: whether others of it are still there after a moment. They are
    /// killed then.
    pub(super) async fn clear(&self) -> bool {
        let patience = Instant::now() + Duration::from_millis(200);
        let left = loop {
            if !self.is_alive() {
                break false;
            }
            if Instant::now() >= patience {
                break true;
            }
            sleep(Duration::from_millis(10)).await;
        };
        self.kill();
        self.is_gone.store(true, Ordering::Release);
        left
    }

    fn is_alive(&self) -> bool {
        test_kill_process_group(self.leader).is_ok() && self.runs()
    }

    /// A process that has ended is in its group until it is fetched, which nobody may do where the
    /// first process of the machine is no `init`.
    #[cfg(target_os = "linux")]
    fn runs(&self) -> bool {
        let Ok(folders) = std::fs::read_dir("/proc") else { return true };
        let mut lines = folders.flatten().filter_map(|folder| std::fs::read_to_string(folder.path().join("stat")).ok());
        let group = self.leader.as_raw_nonzero().to_string();
        lines.any(|line| {
            // Number, name in brackets, state, parent, group.
            let behind_name = line.rsplit_once(") ").map_or("", |(_, rest)| rest);
            let mut fields = behind_name.split(' ');
            let state = fields.next().unwrap_or_default();
            fields.nth(1) == Some(&*group) && !matches!(state, "Z" | "X")
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn runs(&self) -> bool {
        true
    }
}
