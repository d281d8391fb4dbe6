//! What can go wrong with a context, told to the operator who pushes it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::largest::{Share, in_words, list_of};

/// Why a folder cannot be pushed.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    #[error("there is no folder {}", path.display())]
    Missing { path: PathBuf, source: io::Error },
    #[error("{} has no Dockerfile", root.display())]
    NoDockerfile { root: PathBuf },
    #[error("{} cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("line {line} of {} is no pattern: {pattern:?}", file.display())]
    Pattern { file: PathBuf, line: u32, pattern: String, source: PatternError },
    #[error("line {line}, column {column} of {}: {problem}", file.display())]
    Project {
        file: PathBuf,
        /// Counted from one.
        line: u32,
        /// Counted from one, in characters.
        column: u32,
        problem: String,
        hint: Option<String>,
    },
    #[error("the symlink {} points out of the folder, to {}", path.display(), target.display())]
    SymlinkOut { path: PathBuf, target: PathBuf },
    #[error(
        "the folder holds {}, and at most {} may be pushed; largest are {}",
        in_words(*bytes), in_words(*limit), list_of(largest, |share| in_words(share.weight))
    )]
    TooLarge { bytes: u64, limit: u64, largest: Vec<Share> },
    #[error(
        "the folder holds more than {limit} files; most are in {}",
        list_of(largest, |share| format!("{} of them", share.weight))
    )]
    TooMany { limit: u64, largest: Vec<Share> },
    /// While it was sent.
    #[error("{} changed while it was read", path.display())]
    Changed { path: PathBuf },
}

impl ContextError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoDockerfile { .. } => Some("a service is a folder with a Dockerfile in it".into()),
            Self::Pattern { .. } => Some("a \\ in front makes any character an ordinary one".into()),
            Self::Project { hint, .. } => hint.clone(),
            Self::SymlinkOut { path, .. } => {
                Some(format!("copy the file into the folder, or leave the link out: {}", ignore_line(&path.display())))
            }
            Self::TooLarge { largest, .. } | Self::TooMany { largest, .. } => largest
                .first()
                .map(|share| format!("leave out what the image does not need: {}", ignore_line(&share.path.display()))),
            Self::Changed { .. } => Some("push again once nothing writes into the folder any more".into()),
            Self::Missing { .. } => {
                Some("name the folder that the Dockerfile is in; `.` is the one that you are in".into())
            }
            Self::Unreadable { .. } => None,
        }
    }
}

fn ignore_line(path: &dyn std::fmt::Display) -> String {
    format!("add the line `{path}` to .dockerignore")
}

/// Why a text is no pattern.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    #[error("there is nothing after the !")]
    LoneException,
    #[error("there is nothing after the last \\")]
    LoneBackslash,
    #[error("a [ has no ], or an unescaped - or ] right behind it or at its end")]
    Class,
    #[error("there is nothing from {low:?} to {high:?}")]
    Range { low: char, high: char },
    #[error("it is too long")]
    Regex(#[source] Box<regex::Error>),
}

/// Why a server does not take an archive, or cannot read one that it took.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("the upload broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("nothing more was sent for {limit:?}")]
    Stalled { limit: Duration },
    #[error("the upload came at less than {} a second for {} s", in_words(*least), taken.as_secs())]
    TooSlow { least: u64, taken: Duration },
    #[error("the upload is larger than {}", in_words(*limit))]
    SentTooMuch { limit: u64 },
    #[error("the context unpacks to more than {}", in_words(*limit))]
    TooLarge { limit: u64 },
    #[error("the context holds more than {limit} files")]
    TooMany { limit: u64 },
    #[error("this is not a whole tar.gz")]
    Malformed(#[source] io::Error),
    #[error("this is not a whole zip")]
    NoZip(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("line {line} of .dockerignore is no pattern: {pattern:?}")]
    Pattern { line: u32, pattern: String, source: PatternError },
    #[error("{path:?} is refused: {refusal}")]
    Refused { path: String, refusal: Refusal },
    #[error("the Dockerfile is larger than {}", in_words(*limit))]
    LongDockerfile { limit: u64 },
    #[error("the .dockerignore is larger than {}", in_words(*limit))]
    LongIgnoreList { limit: u64 },
    /// The server's own trouble.
    #[error("could not {action} {}", path.display())]
    Disk { action: &'static str, path: PathBuf, source: io::Error },
}

/// What a context may not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("its path is absolute")]
    Absolute,
    #[error("its path leaves the context with ..")]
    Parent,
    #[error("its path is empty or longer than 4096 bytes")]
    Length,
    #[error("its path is that of another member, or lies below one that is no folder")]
    Clash,
    #[error("a symlink points out of the context")]
    SymlinkOut,
    #[error("hard links are not taken; send the file itself")]
    HardLink,
    #[error("devices and named pipes are not taken")]
    Special,
    #[error("sparse files are not taken; send them whole")]
    Sparse,
    #[error("its name or size is told twice, and differently")]
    Contradiction,
    #[error("this kind of tar member is not known")]
    Unknown,
    #[error("the Dockerfile is not a plain file")]
    Dockerfile,
    #[error("symlinks are not taken in a zip; send what they point to")]
    Symlink,
    #[error("it is encrypted")]
    Encrypted,
    #[error("it is compressed in a way that is not known here; store it, or deflate it")]
    Compression,
}
