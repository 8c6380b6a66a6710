//! A folder for one test, gone at its end.

use std::path::{Path, PathBuf};

pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(of: &str) -> Self {
        Folder::within(Path::new(env!("CARGO_TARGET_TMPDIR")), of)
    }

    pub(crate) fn within(parent: &Path, of: &str) -> Self {
        let folder = parent.join(format!("workwire-{of}-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    /// The store.
    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("work.db")
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
