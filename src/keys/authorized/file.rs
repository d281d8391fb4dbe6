//! The file, read again whenever it changed.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::AuthorizedKeys;

/// Room for a thousand long lines; a larger file is something else.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// What others may do with a file that lets people in.
const WRITABLE_BY_OTHERS: u32 = 0o002;

/// Why no key of the file counts.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("it cannot be read")]
    Read(#[from] io::Error),
    #[error("it is larger than {LARGEST_FILE} bytes")]
    TooLarge,
    #[error("everybody may write to it; `chmod o-w` it")]
    Writable,
}

/// The keys of a file, as it is now. What is wrong with it goes to the log, once for each change of it.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    state: State,
    keys: Arc<AuthorizedKeys>,
}

/// What tells one version of the file from the next.
#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    /// It was not looked at yet.
    #[default]
    Unknown,
    Missing,
    There {
        inode: u64,
        length: u64,
        modified: (i64, i64),
        changed: (i64, i64),
    },
}

impl State {
    fn of(metadata: &Metadata) -> Self {
        State::There {
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl KeyFile {
    /// Reads nothing yet. Without a file nobody is let in.
    pub fn new(path: PathBuf) -> Self {
        Self { path, known: Mutex::default() }
    }

    /// The keys that count now. A file that cannot be trusted or read lets nobody in.
    pub fn keys(&self) -> Arc<AuthorizedKeys> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let state = fs::metadata(&self.path).map_or(State::Missing, |metadata| State::of(&metadata));
        if state != known.state {
            // The state is taken before the file is read: what is written meanwhile is another state.
            *known = Known { keys: Arc::new(self.read_again(&state)), state };
        }
        Arc::clone(&known.keys)
    }

    fn read_again(&self, state: &State) -> AuthorizedKeys {
        let path = self.path.display();
        if *state == State::Missing {
            return AuthorizedKeys::default();
        }
        let keys = self.read().unwrap_or_else(|error| {
            tracing::error!(%path, error = &error as &dyn std::error::Error, "no key of the file lets anybody in");
            AuthorizedKeys::default()
        });
        for mistake in keys.mistakes() {
            tracing::warn!(%path, line = mistake.line, "the line lets nobody in: {}", mistake.error);
        }
        tracing::info!(%path, keys = keys.keys().count(), mistakes = keys.mistakes().len(), "the keys were read");
        keys
    }

    fn read(&self) -> Result<AuthorizedKeys, FileError> {
        let file = File::open(&self.path)?;
        if file.metadata()?.permissions().mode() & WRITABLE_BY_OTHERS != 0 {
            return Err(FileError::Writable);
        }
        let mut text = Vec::new();
        file.take(LARGEST_FILE + 1).read_to_end(&mut text)?;
        if text.len() as u64 > LARGEST_FILE { Err(FileError::TooLarge) } else { Ok(AuthorizedKeys::parse(&text)) }
    }
}
