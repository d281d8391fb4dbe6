//! The pushed folder: which of its files belong to a push, how they travel, and what a server accepts of them.
//!
//! ```text
//! select.rs        a folder → the files that belong to a push, or why it may not be pushed
//! ignore_list.rs   what `.dockerignore` and `mypaas.toml` leave out
//! pattern.rs       one pattern of such a list, with Docker's meaning
//! project.rs       `mypaas.toml`, the project's own file
//! largest.rs       what makes a folder too large
//! pack.rs          the selected files → a stream of tar.gz
//! receive.rs       that stream → a checked file on the server
//! archive.rs       reading such a file, refusing what a context may not hold
//! git.rs           which commit a folder is at
//! error.rs         what can go wrong at either end, and what to do about it
//! ```

mod archive;
mod error;
mod git;
mod ignore_list;
mod largest;
mod pack;
mod pattern;
mod project;
mod receive;
mod select;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

pub use archive::read as read_archive;
pub use error::{ArchiveError, ContextError, PatternError, Refusal};
pub use git::{Commit, commit_of};
pub use largest::Share;
pub(crate) use largest::in_words;
pub use pack::pack;
pub use receive::{ContextId, Received, dockerfile_of, open, receive, unpacked_bytes};
pub use select::{Place, locate, select};

/// The name under which the Dockerfile travels, whatever it is called on the operator's disk.
pub const DOCKERFILE: &str = "Dockerfile";

/// How much a context may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together, before compression.
    pub bytes: u64,
    /// Files, symlinks and folders together.
    pub files: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 1 << 30, files: 200_000 }
    }
}

impl Limits {
    /// What an archive within these limits can need, compressed or not: each member has a header, padding and perhaps
    /// a long name beside its content.
    pub fn archive_bytes(&self) -> u64 {
        const OVERHEAD_OF_A_MEMBER: u64 = 2048;
        const END_OF_ARCHIVE: u64 = 20 * 512;
        self.files.saturating_mul(OVERHEAD_OF_A_MEMBER).saturating_add(END_OF_ARCHIVE).saturating_add(self.bytes)
    }
}

/// What belongs to a push of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pub root: PathBuf,
    /// The file that travels as `Dockerfile`.
    pub dockerfile: PathBuf,
    /// Sorted by path; a folder comes before what is in it.
    pub entries: Vec<Entry>,
    /// Of all files together.
    pub bytes: u64,
    /// What the operator may want to know.
    pub notes: Vec<Note>,
}

impl Selection {
    /// Where an entry's content is read from.
    pub fn source(&self, entry: &Entry) -> PathBuf {
        if entry.path == Path::new(DOCKERFILE) { self.dockerfile.clone() } else { self.root.join(&entry.path) }
    }
}

/// One file, symlink or folder of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the root of the context.
    pub path: PathBuf,
    pub kind: EntryKind,
    /// Permission bits.
    pub mode: u32,
    /// When it was last changed, in seconds since 1970; web servers make their cache validators of it.
    pub modified: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    Folder,
    File {
        bytes: u64,
    },
    /// Kept as it is, never followed.
    Symlink {
        target: PathBuf,
    },
}

impl Entry {
    /// Zero for what is no file.
    pub fn bytes(&self) -> u64 {
        match self.kind {
            EntryKind::File { bytes } => bytes,
            EntryKind::Folder | EntryKind::Symlink { .. } => 0,
        }
    }
}

/// Something about a selection that is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A socket, a named pipe or a device: no image can hold it.
    Skipped { path: PathBuf, what: &'static str },
    /// Names that are left out unless `mypaas.toml` says otherwise.
    LeftOut { names: BTreeSet<String> },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Skipped { path, what } => write!(f, "{} is {what} and is not sent", path.display()),
            Note::LeftOut { names } => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                write!(f, "left out by default: {} (`ignore = []` in mypaas.toml sends them)", names.join(", "))
            }
        }
    }
}
