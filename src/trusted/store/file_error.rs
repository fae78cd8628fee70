use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::{
    debug_as_display::debug_as_display,
    lines::Lines,
    trusted::{registry::VersionRegressed, source::InvalidRow},
};

/// Why a file is not taken. The entries from before are served on.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file's name.
        path: PathBuf,
        /// The error of the operating system.
        error: String,
    },
    /// The file is not of the form `{"version": 1, "entries": [...]}`. Nor is half of one: JSON ends
    /// with a bracket, and TOML with the line `[end]`.
    #[error("not a file of entries: {0}")]
    Form(String),
    /// The file was edited by others while the store was about to replace it: try again.
    #[error("{}: somebody else has just written it: try again", path.display())]
    Overtaken {
        /// The file's name.
        path: PathBuf,
    },
    /// The file was taken, and cannot be written back with the new versions: they may go back when
    /// the process starts anew.
    #[error("the file is taken, but its versions cannot be written back: {0}")]
    Unsaved(String),
    /// The name leads to a directory, a pipe or a device.
    #[error("{}: not a regular file: name a regular file", path.display())]
    NotRegular {
        /// The file's name.
        path: PathBuf,
    },
    /// The file has more bytes than are read.
    #[error(
        "{}: the file has more than {limit} bytes: keep so many entries in a database",
        path.display()
    )]
    TooLarge {
        /// The file's name.
        path: PathBuf,
        /// The most bytes that are read.
        limit: u64,
    },
    /// The operating system does not come back with an answer, as on a network mount that hangs.
    #[error("the file has not answered for {} s: look at its disk or mount", waited.as_secs())]
    Silent {
        /// How long it has been waited for.
        waited: Duration,
    },
    /// Some of the entries have mistakes.
    #[error("{}", Lines(.0))]
    Invalid(Arc<[InvalidRow]>),
}

debug_as_display!(FileError);

impl FileError {
    pub(super) fn form(error: impl std::fmt::Display) -> Self {
        Self::Form(error.to_string())
    }
}

impl From<VersionRegressed> for FileError {
    fn from(error: VersionRegressed) -> Self {
        Self::form(error)
    }
}
