//! The tables, and how a file of an older version gets them.

use super::{Result, Store, StoreError};

/// What brings a file from each version to the next, from nothing on. What is here was written to disks: it is never
/// changed, only added to. An upgrade that fails puts the program of before back, which finds a file that was brought
/// forward: so a step adds what that program can do without.
const STEPS: [&str; 6] = [
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
    "
    ALTER TABLE audit ADD COLUMN author TEXT NOT NULL DEFAULT '';
    UPDATE audit SET author = CASE json_extract(record, '$.by.by')
        WHEN 'key' THEN json_extract(record, '$.by.fingerprint')
        WHEN 'local' THEN 'local'
        ELSE ''
    END;
    CREATE INDEX audit_by_author ON audit (author, id);
    ALTER TABLE releases ADD COLUMN served INTEGER NOT NULL DEFAULT 0;
    UPDATE releases SET served = 1 WHERE
        EXISTS (SELECT 1 FROM services WHERE name = releases.service AND live = releases.id)
        OR EXISTS (SELECT 1 FROM deploys WHERE service = releases.service AND json_valid(record)
            AND json_extract(record, '$.to') = 'r' || releases.id
            AND json_extract(record, '$.state.outcome.outcome') = 'succeeded');
    CREATE TABLE compatible (oldest INTEGER NOT NULL);
    ",
];

/// The version this program writes. An older file is brought forward when it is opened; a newer one is refused.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// The oldest version whose program can use a file of this one. The file tells it, for programs that cannot know.
const OLDEST: i64 = 6;

pub(super) fn bring_forward(store: &Store) -> Result<()> {
    let database = store.database();
    let found = database.pragma_query_value(None, "user_version", |row| row.get(0));
    let found: i64 = found.map_err(store.failed("read the version"))?;
    if found > VERSION {
        let oldest = database.query_row("SELECT oldest FROM compatible", [], |row| row.get::<_, i64>(0));
        return if oldest.is_ok_and(|oldest| oldest <= VERSION) { Ok(()) } else { Err(StoreError::Newer { found }) };
    }
    for (version, step) in (1..).zip(STEPS).filter(|(version, _)| *version > found) {
        // Together with the last step: who finds that version asks for no more.
        let told = format!("DELETE FROM compatible; INSERT INTO compatible VALUES ({OLDEST});");
        let told = if version == VERSION { told.as_str() } else { "" };
        let script = format!("BEGIN; {step} {told} PRAGMA user_version = {version}; COMMIT;");
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
    fn what_was_asked_before_counts_for_who_asked() {
        let store = first_version();
        store.database().execute_batch(STEPS[2]).unwrap();
        for by in [r#""by":"nobody""#, r#""by":"key","fingerprint":"SHA256:a""#, r#""by":"local","user":"root""#] {
            let entry = format!("INSERT INTO audit (record) VALUES ('{{\"by\":{{{by}}}}}')");
            store.database().execute_batch(&entry).unwrap();
        }
        store.database().execute_batch(STEPS[4]).unwrap();
        store.database().execute_batch(STEPS[5]).unwrap();
        let database = store.database();
        let mut query = database.prepare("SELECT author FROM audit ORDER BY id").unwrap();
        let authors: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(authors, ["", "SHA256:a", "local"]);
    }

    #[test]
    fn a_release_that_was_live_before_counts_as_one_that_served() {
        let store = first_version();
        let database = store.database();
        let old = [
            "INSERT INTO releases (service, id, record) VALUES ('web', 2, '\"\"'), ('web', 3, '\"\"'), ('api', 1, '\"\"')",
            r#"INSERT INTO deploys (service, finished, record) VALUES
                ('web', 1, '{"to":"r1","state":{"outcome":{"outcome":"succeeded"}}}'),
                ('web', 1, '{"to":"r2","state":{"outcome":{"outcome":"failed"}}}'), ('web', 0, '')"#,
            "INSERT INTO services (name, live) VALUES ('web', 3), ('api', NULL)",
        ];
        old.iter().for_each(|statement| database.execute_batch(statement).unwrap());
        drop(database);
        let store = store.prepared().unwrap();
        let served = |service: &str| store.served_releases(&service.parse().unwrap()).unwrap();
        assert_eq!(served("web"), [ReleaseId::new(1), ReleaseId::new(3)].into());
        assert!(served("api").is_empty());
    }

    #[test]
    fn a_file_of_a_newer_version_is_used_if_it_says_that_it_may_be() {
        let newer = |oldest: i64| {
            let store = first_version().prepared().unwrap();
            let script = format!("PRAGMA user_version = {}; UPDATE compatible SET oldest = {oldest};", VERSION + 3);
            store.database().execute_batch(&script).unwrap();
            store.prepared()
        };
        let store = newer(VERSION).unwrap();
        let version: i64 = store.database().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, VERSION + 3, "the newer program finds it as it left it");
        assert_eq!(store.releases::<String>(&"web".parse().unwrap()).unwrap(), ["first"]);
        assert!(matches!(newer(VERSION + 1), Err(StoreError::Newer { found }) if found == VERSION + 3));
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
