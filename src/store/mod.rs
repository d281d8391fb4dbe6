//! What is on disk: services, releases, deploys, their events and the journal, in one SQLite file of the server
//! folder. The store keeps; what a record means is for the layer that wrote it, so records are serialized values.
//!
//! ```text
//! services.rs    which release is live, how many containers, whether stopped
//! releases.rs    the releases of a service; last_lines.rs: what their containers wrote last
//! deploys.rs     the history of deploys
//! log.rs         what belongs to a deploy in order: its events and its journal
//! figures.rs     figures over time, in a file of their own
//! audit.rs       what was asked of the server, and by whom
//! schema.rs      the tables, and how an older file gets them
//! writer.rs      writes such a log without holes, also when the disk is full for a while
//! ```

mod audit;
mod deploys;
mod figures;
mod last_lines;
mod log;
mod releases;
mod schema;
mod services;
mod writer;

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::atomic_file;

pub use audit::Author;
pub use figures::{Block, BlockKey, FigureStore, SLOTS};
pub use log::Log;
pub use services::ServiceRecord;
pub use writer::Writer;

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("could not open the store {}", path.display())]
    Open { path: PathBuf, source: rusqlite::Error },
    #[error("could not make the store {}", path.display())]
    Make { path: PathBuf, source: std::io::Error },
    #[error(
        "the store was written by a newer mypaas (schema {found}; this one knows {}); upgrade this one",
        schema::VERSION
    )]
    Newer { found: i64 },
    /// There is no room for what was to be written; nothing of it is.
    #[error("the disk that {} lies on is full", path.display())]
    Full { path: PathBuf, source: rusqlite::Error },
    #[error("could not {action} in the store")]
    Database { action: &'static str, source: rusqlite::Error },
    #[error("a record of the store cannot be read: {what}")]
    Record { what: String, source: serde_json::Error },
}

impl StoreError {
    /// What the operator can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            StoreError::Full { path, .. } => Some(atomic_file::make_room(path.parent().unwrap_or(path))),
            StoreError::Make { path, source } if source.kind() == io::ErrorKind::StorageFull => {
                Some(atomic_file::make_room(path.parent().unwrap_or(path)))
            }
            _ => None,
        }
    }
}

/// From when on a write outlives a power cut. The death of the server it outlives in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// When it returns.
    AtOnce,
    /// With the next one that lasts at once, which never lasts without those before it. It takes a hundredth of the time.
    WithTheNext,
}

/// The server's memory. A method that writes returns when the write outlives a power cut, but for those that are told
/// otherwise.
#[derive(Debug)]
pub struct Store {
    database: Mutex<Connection>,
    path: PathBuf,
}

impl Store {
    /// Opens the file, or makes it, readable by its owner alone.
    pub fn open(path: &Path) -> Result<Self> {
        let make = |source| StoreError::Make { path: path.to_owned(), source };
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(make)?;
        file.set_permissions(Permissions::from_mode(0o600)).map_err(make)?;
        let open = |source| StoreError::Open { path: path.to_owned(), source };
        let database = Connection::open(path).map_err(open)?;
        database.pragma_update(None, "journal_mode", "WAL").map_err(open)?;
        // A journal entry must survive a power cut before the act that it announces.
        database.pragma_update(None, "synchronous", "FULL").map_err(open)?;
        database.busy_timeout(Duration::from_secs(5)).map_err(open)?;
        Self { database: Mutex::new(database), path: path.to_owned() }.prepared()
    }

    /// A store that is gone with the process.
    pub fn in_memory() -> Result<Self> {
        let path = PathBuf::from(":memory:");
        match Connection::open_in_memory() {
            Ok(database) => Self { database: Mutex::new(database), path }.prepared(),
            Err(source) => Err(StoreError::Open { path, source }),
        }
    }

    fn prepared(self) -> Result<Self> {
        schema::bring_forward(&self)?;
        Ok(self)
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        // SQLite's own transactions keep the file whole if a holder panicked.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the time of a write.
    fn writing(&self, lasts: Lasts) -> Result<Writing<'_>> {
        let database = self.database();
        if lasts == Lasts::WithTheNext {
            database.pragma_update(None, "synchronous", "NORMAL").map_err(self.failed("prepare to write"))?;
        }
        Ok(Writing { database, lasts })
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
        move |source| match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full { path: self.path.clone(), source },
            _ => StoreError::Database { action, source },
        }
    }
}

/// The database, until this is dropped.
struct Writing<'a> {
    database: MutexGuard<'a, Connection>,
    lasts: Lasts,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        // Outside of a transaction, as here, SQLite does not refuse it.
        if self.lasts == Lasts::WithTheNext
            && let Err(error) = self.database.pragma_update(None, "synchronous", "FULL")
        {
            tracing::error!(%error, "what is written does not outlive a power cut");
        }
    }
}

fn encode(record: &impl Serialize) -> Result<String> {
    serde_json::to_string(record).map_err(|source| StoreError::Record { what: "to be written".to_owned(), source })
}

fn decode<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|source| {
        let start: String = text.chars().take(60).collect();
        StoreError::Record { what: format!("it begins {start}"), source }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_its_owners_alone_and_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        drop(Store::open(&path).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        Store::open(&path).unwrap();
    }

    #[test]
    fn only_what_may_last_later_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.db")).unwrap();
        let synchronous =
            |database: &Connection| -> i64 { database.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap() };
        assert_eq!(synchronous(&store.writing(Lasts::WithTheNext).unwrap().database), 1, "normal");
        assert_eq!(synchronous(&store.writing(Lasts::AtOnce).unwrap().database), 2, "full");
        assert_eq!(synchronous(&store.database()), 2);
    }

    #[test]
    fn a_newer_file_that_does_not_say_who_may_use_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store = Store::open(&path).unwrap();
        store.database().pragma_update(None, "user_version", schema::VERSION + 1).unwrap();
        store.database().execute_batch("DROP TABLE compatible").unwrap();
        drop(store);
        assert!(matches!(Store::open(&path), Err(StoreError::Newer { .. })));
    }

    #[test]
    fn a_file_that_is_no_store_is_told_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        std::fs::write(&path, "no database, but long enough to look at as one").unwrap();
        assert!(Store::open(&path).unwrap_err().to_string().contains("store.db"));
    }
}
