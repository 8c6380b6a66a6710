//! A machine on which a broker is a program of its own, started behind the adapter protocol, with
//! its store in a file.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};

use workwire_broker::OpenError;
use workwire_broker::adapter::{AdapterBroker, AdapterOptions};

use super::{Host, Place};
use crate::subject::{Reached, Reaching};

/// Mounts so much memory at a folder, for itself and for what it becomes.
const MOUNTED: &str = r#"mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@""#;

/// So many bytes at the beginning of a store are spared when it is damaged: it still looks like one.
const SPARED: u64 = 100;

/// Brokers as programs, each store a file in a folder of its own.
#[derive(Debug, Clone)]
pub struct ProcessHost {
    folder: PathBuf,
    /// Program and arguments; `{store}` stands for the file.
    command: Vec<String>,
}

impl ProcessHost {
    /// Brokers that this command starts, in which `{store}` stands for the file of the store. The
    /// folder is there already, and whoever made it removes it.
    #[must_use]
    pub fn new(folder: PathBuf, command: Vec<String>) -> Self {
        ProcessHost { folder, command }
    }

    fn file(&self, store: &str) -> PathBuf {
        self.folder.join(store).join("store.db")
    }

    fn started(&self, place: &Place) -> Result<Vec<String>, OpenError> {
        let file = self.file(&place.store);
        let folder = file.parent().unwrap_or(&self.folder).to_owned();
        std::fs::create_dir_all(&folder).map_err(|error| OpenError::setup(format!("{}: {error}", folder.display())))?;
        let text = file.to_string_lossy();
        let command = self.command.iter().map(|word| word.replace("{store}", &text));
        Ok(match place.room {
            None => command.collect(),
            Some(room) => {
                let words = unshared(&room.to_string(), &folder);
                words.into_iter().chain(command).collect()
            }
        })
    }
}

fn unshared(size: &str, folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy();
    let words = ["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNTED, "sh", size, &folder];
    words.map(str::to_owned).to_vec()
}

impl Host for ProcessHost {
    fn start(&self, place: &Place) -> Reaching {
        let command = self.started(place);
        Box::pin(async move {
            let started = AdapterBroker::start(&command?, &AdapterOptions::default()).await;
            let adapter = started.map_err(|error| OpenError::setup(error.to_string()))?;
            Ok(Reached::behind(Arc::new(adapter)))
        })
    }

    fn damage(&self, store: &str) -> Result<(), String> {
        let file = self.file(store);
        let overwrite = || {
            let mut open = OpenOptions::new().write(true).open(&file)?;
            let size = open.metadata()?.len();
            open.seek(SeekFrom::Start(SPARED))?;
            std::io::copy(&mut std::io::Read::take(std::io::repeat(0x5a), size.saturating_sub(SPARED)), &mut open)?;
            open.flush()?;
            open.sync_all()
        };
        overwrite().map_err(|error| format!("{}: {error}", file.display()))
    }

    fn can_bound_disks(&self) -> bool {
        static CAN: LazyLock<bool> = LazyLock::new(|| {
            let words = unshared("1m", &std::env::temp_dir());
            let mut tried = Command::new(&words[0]);
            tried.args(&words[1..]).arg("true").stdout(Stdio::null()).stderr(Stdio::null());
            tried.status().is_ok_and(|status| status.success())
        });
        *CAN
    }
}
