//! What is on disk: services, releases, deploys, their events and the journal, in one SQLite file of the server
//! folder. The store keeps; what a record means is for the layer that wrote it, so records are serialized values.
//!
//! ```text
//! services.rs    which release is live, how many containers, whether stopped
//! releases.rs    the releases of a service
//! deploys.rs     the history of deploys
//! log.rs         what belongs to a deploy in order: its events and its journal
//! audit.rs       what was asked of the server, and by whom
//! ```

mod audit;
mod deploys;
mod log;
mod releases;
mod services;

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use log::Log;
pub use services::ServiceRecord;

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The schema this program writes. An older file is brought forward when it is opened; a newer one is refused.
const SCHEMA_VERSION: i64 = SCHEMA.len() as i64;

/// What each version added to the one before.
const SCHEMA: [&str; 2] = [
    "
    CREATE TABLE services (
        name TEXT PRIMARY KEY,
        live INTEGER,
        since TEXT,
        stopped INTEGER NOT NULL DEFAULT 0,
        scale INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE releases (
        service TEXT NOT NULL,
        id INTEGER NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (service, id)
    ) WITHOUT ROWID;
    CREATE TABLE deploys (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        service TEXT NOT NULL,
        finished INTEGER NOT NULL,
        record TEXT NOT NULL
    );
    CREATE INDEX deploys_of_service ON deploys (service, id);
    CREATE INDEX deploys_unfinished ON deploys (finished) WHERE finished = 0;
    CREATE TABLE log (
        deploy INTEGER NOT NULL,
        kind TEXT NOT NULL,
        seq INTEGER NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (deploy, kind, seq)
    ) WITHOUT ROWID;
",
    "
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        record TEXT NOT NULL
    );
",
];

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("could not open the store {}", path.display())]
    Open { path: PathBuf, source: rusqlite::Error },
    #[error("could not make the store {}", path.display())]
    Make { path: PathBuf, source: std::io::Error },
    #[error(
        "the store was written by a newer mypaas (schema {found}; this one knows {SCHEMA_VERSION}); upgrade this one"
    )]
    Newer { found: i64 },
    #[error("could not {action} in the store")]
    Database { action: &'static str, source: rusqlite::Error },
    #[error("a record of the store cannot be read: {what}")]
    Record { what: String, source: serde_json::Error },
}

/// The server's memory. Every method that writes returns when the write is on disk.
#[derive(Debug)]
pub struct Store {
    database: Mutex<Connection>,
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
        Self::prepared(database)
    }

    /// A store that is gone with the process.
    pub fn in_memory() -> Result<Self> {
        let path = PathBuf::from(":memory:");
        Self::prepared(Connection::open_in_memory().map_err(|source| StoreError::Open { path, source })?)
    }

    fn prepared(database: Connection) -> Result<Self> {
        let found: i64 =
            database.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed("read the version"))?;
        let missing = usize::try_from(found).ok().and_then(|found| SCHEMA.get(found..));
        let missing = missing.ok_or(StoreError::Newer { found })?.concat();
        if !missing.is_empty() {
            let script = format!("BEGIN; {missing} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;");
            database.execute_batch(&script).map_err(failed("make the tables"))?;
        }
        Ok(Self { database: Mutex::new(database) })
    }

    fn database(&self) -> MutexGuard<'_, Connection> {
        // SQLite's own transactions keep the file whole if a holder panicked.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(action: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |source| StoreError::Database { action, source }
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
    fn a_newer_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store = Store::open(&path).unwrap();
        store.database().pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
        drop(store);
        assert!(matches!(Store::open(&path), Err(StoreError::Newer { found }) if found == SCHEMA_VERSION + 1));
    }

    #[test]
    fn an_older_file_is_brought_forward_with_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(&format!("{} PRAGMA user_version = 1;", SCHEMA[0])).unwrap();
        old.execute("INSERT INTO services (name) VALUES ('web')", []).unwrap();
        drop(old);
        let store = Store::open(&path).unwrap();
        store.note(&"asked").unwrap();
        drop(store);
        let again = Store::open(&path).unwrap();
        assert_eq!(again.services().unwrap().len(), 1);
        assert_eq!(again.audit(9, |_: &String| true).unwrap(), ["asked"]);
    }

    #[test]
    fn a_file_that_is_no_store_is_told_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        std::fs::write(&path, "no database, but long enough to look at as one").unwrap();
        assert!(Store::open(&path).unwrap_err().to_string().contains("store.db"));
    }
}
