//! Why a broker could not be reached in the first place.

use std::fmt;

/// A target that cannot be opened: what was written is no target, or what it names cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenError {
    wrong_use: bool,
    message: String,
}

impl OpenError {
    /// What was written is wrong.
    #[must_use]
    pub fn wrong_use(message: impl Into<String>) -> Self {
        OpenError { wrong_use: true, message: message.into() }
    }

    /// What it names is not there, or does not work.
    #[must_use]
    pub fn setup(message: impl Into<String>) -> Self {
        OpenError { wrong_use: false, message: message.into() }
    }

    /// Whether what was written is wrong; else what it names could not be set up.
    #[must_use]
    pub const fn is_wrong_use(&self) -> bool {
        self.wrong_use
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for OpenError {}
