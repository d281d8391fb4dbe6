use rusqlite::params;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Result, Store, decode, encode};

/// What is kept of what was asked; the oldest goes first.
const MOST_ENTRIES: i64 = 10_000;

impl Store {
    /// Adds an entry to the audit log.
    pub fn note(&self, entry: &impl Serialize) -> Result<()> {
        let record = encode(entry)?;
        let failed = || self.failed("write the audit log");
        let mut database = self.database();
        let transaction = database.transaction().map_err(failed())?;
        transaction.execute("INSERT INTO audit (record) VALUES (?1)", [record]).map_err(failed())?;
        let oldest = transaction.last_insert_rowid() - MOST_ENTRIES;
        transaction.execute("DELETE FROM audit WHERE id <= ?1", [oldest]).map_err(failed())?;
        transaction.commit().map_err(failed())
    }

    /// The newest entries of the audit log that `wanted` takes, newest first.
    pub fn audit<T: DeserializeOwned>(&self, limit: usize, wanted: impl Fn(&T) -> bool) -> Result<Vec<T>> {
        let failed = || self.failed("read the audit log");
        let database = self.database();
        let mut query = database.prepare_cached("SELECT record FROM audit ORDER BY id DESC").map_err(failed())?;
        let rows = query.query_map(params![], |row| row.get::<_, String>(0)).map_err(failed())?;
        let entries = rows.map(|record| decode(&record.map_err(failed())?));
        entries.filter(|entry| entry.as_ref().map_or(true, &wanted)).take(limit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_entries_are_kept_and_come_first() {
        let store = Store::in_memory().unwrap();
        let all = |_: &i64| true;
        for number in 1..=MOST_ENTRIES + 5 {
            store.note(&number).unwrap();
        }
        assert_eq!(store.audit(2, all).unwrap(), [MOST_ENTRIES + 5, MOST_ENTRIES + 4]);
        let kept = store.audit(usize::MAX, all).unwrap();
        assert_eq!((kept.len() as i64, kept.last().copied()), (MOST_ENTRIES, Some(6)));
        assert_eq!(store.audit(2, |number: &i64| number % 1000 == 0).unwrap(), [10_000, 9_000]);
    }
}
