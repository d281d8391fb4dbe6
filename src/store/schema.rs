//! The tables, and how a file of an older version gets them.

use super::{Result, Store, StoreError};

/// What brings a file from each version to the next, from nothing on. What is here was written to disks: it is never
/// changed, only added to.
const STEPS: [&str; 5] = [
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
    "ALTER TABLE releases ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;",
    "CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL);",
    "
    CREATE TABLE last_lines (
        service TEXT NOT NULL,
        release INTEGER NOT NULL,
        container TEXT NOT NULL,
        record TEXT NOT NULL,
        PRIMARY KEY (service, release, container)
    ) WITHOUT ROWID;
    ",
    "
    ALTER TABLE audit ADD COLUMN stranger INTEGER NOT NULL DEFAULT 0;
    UPDATE audit SET stranger = 1 WHERE json_extract(record, '$.by.by') = 'nobody';
    CREATE INDEX audit_by_stranger ON audit (stranger, id);
    ",
];

/// The version this program writes. An older file is brought forward when it is opened; a newer one is refused.
pub(super) const VERSION: i64 = STEPS.len() as i64;

pub(super) fn bring_forward(store: &Store) -> Result<()> {
    let database = store.database();
    let found = database.pragma_query_value(None, "user_version", |row| row.get(0));
    let found: i64 = found.map_err(store.failed("read the version"))?;
    if found > VERSION {
        return Err(StoreError::Newer { found });
    }
    for (version, step) in (1..).zip(STEPS).filter(|(version, _)| *version > found) {
        let script = format!("BEGIN; {step} PRAGMA user_version = {version}; COMMIT;");
        database.execute_batch(&script).map_err(store.failed("make the tables"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::ReleaseId;
    use rusqlite::Connection;

    /// As the first version left it, with a release in it.
    fn first_version() -> Store {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(STEPS[0]).unwrap();
        database.execute_batch("INSERT INTO releases (service, id, record) VALUES ('web', 1, '\"first\"')").unwrap();
        database.pragma_update(None, "user_version", 1).unwrap();
        Store { database: database.into(), path: ":memory:".into() }
    }

    #[test]
    fn a_file_of_the_first_version_is_brought_forward_with_what_is_in_it() {
        let store = first_version().prepared().unwrap();
        let web = "web".parse().unwrap();
        assert_eq!(store.releases::<String>(&web).unwrap(), ["first"]);
        assert!(store.pinned_releases(&web).unwrap().is_empty());
        assert!(store.pin_release(&web, ReleaseId::new(1), true).unwrap());
    }

    #[test]
    fn what_strangers_asked_before_counts_as_theirs() {
        let store = first_version();
        store.database().execute_batch(STEPS[2]).unwrap();
        for by in ["nobody", "key"] {
            let entry = format!("INSERT INTO audit (record) VALUES ('{{\"by\":{{\"by\":\"{by}\"}}}}')");
            store.database().execute_batch(&entry).unwrap();
        }
        store.database().execute_batch(STEPS[4]).unwrap();
        let strangers: i64 =
            store.database().query_row("SELECT sum(id) FROM audit WHERE stranger", [], |row| row.get(0)).unwrap();
        assert_eq!(strangers, 1);
    }

    #[test]
    fn a_file_that_is_up_to_date_stays_as_it_is() {
        let store = first_version();
        for _ in 0..2 {
            bring_forward(&store).unwrap();
        }
        let version: i64 = store.database().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, VERSION);
    }
}
