//! Reports as files.

use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use serde::Serialize;

use super::hostile;

/// A report that cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportError {
    message: String,
}

impl ReportError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        ReportError { message: message.into() }
    }

    pub(super) fn of(self, path: &Path) -> Self {
        ReportError::new(format!("{}: {}", quoted(path), self.message))
    }
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hostile::lines(&self.message, hostile::MOST_CHARACTERS))
    }
}

impl std::error::Error for ReportError {}

/// Writes a file as a whole: whoever looks at it meanwhile, or after a power cut, sees the old one or
/// the new one.
///
/// # Errors
/// Where the folder or the file cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), ReportError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let written = || -> std::io::Result<()> {
        let mut options = tempfile::Builder::new();
        options.prefix(".report-").suffix(".tmp");
        #[cfg(unix)]
        {
            // A report is for everyone whom the system's mask does not keep out.
            use std::os::unix::fs::PermissionsExt;
            options.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut file = options.tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        Ok(())
    };
    written().map_err(|error| ReportError::new(format!("{}: cannot be written: {error}", quoted(path))))
}

pub(super) fn text(path: &Path, most: u64) -> Result<String, ReportError> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(most + 1).read_to_string(&mut text))
        .map_err(|error| ReportError::new(format!("cannot be read: {error}")).of(path))?;
    if u64::try_from(text.len()).is_ok_and(|length| length > most) {
        return Err(ReportError::new(format!("expected at most {most} bytes, found more")).of(path));
    }
    Ok(text)
}

pub(super) fn json(value: &impl Serialize) -> Result<String, ReportError> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| ReportError::new(format!("cannot be written as JSON: {error}")))?;
    text.push('\n');
    Ok(text)
}

fn quoted(path: &Path) -> String {
    format!("{:?}", path.to_string_lossy())
}
