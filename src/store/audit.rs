use rusqlite::params;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Result, Store, decode, encode};

/// Who asked for what an entry tells. Nobody's entries push out what somebody else did: the log is what an operator has
/// to go by once a key is in wrong hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author<'a> {
    /// By whatever tells them apart, never empty.
    Known(&'a str),
    /// All who proved nothing.
    Stranger,
}

impl<'a> Author<'a> {
    /// How many entries are kept of each; the oldest goes first.
    const fn most(self) -> i64 {
        match self {
            Author::Known(_) => 5000,
            Author::Stranger => 1000,
        }
    }

    const fn column(self) -> &'a str {
        match self {
            Author::Known(author) => author,
            Author::Stranger => "",
        }
    }
}

impl Store {
    /// Adds an entry to the audit log.
    pub fn note(&self, entry: &impl Serialize, author: Author<'_>) -> Result<()> {
        let record = encode(entry)?;
        let failed = || self.failed("write the audit log");
        let mut database = self.database();
        let transaction = database.transaction().map_err(failed())?;
        transaction
            .execute("INSERT INTO audit (record, author) VALUES (?1, ?2)", params![record, author.column()])
            .map_err(failed())?;
        transaction
            .execute(
                "DELETE FROM audit WHERE author = ?1 AND id <=
                 (SELECT id FROM audit WHERE author = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                params![author.column(), author.most()],
            )
            .map_err(failed())?;
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

    const ANNA: Author<'_> = Author::Known("anna");

    #[test]
    fn the_newest_entries_are_kept_and_come_first() {
        let (store, most) = (Store::in_memory().unwrap(), ANNA.most());
        let all = |_: &i64| true;
        for number in 1..=most + 5 {
            store.note(&number, ANNA).unwrap();
        }
        assert_eq!(store.audit(2, all).unwrap(), [most + 5, most + 4]);
        let kept = store.audit(usize::MAX, all).unwrap();
        assert_eq!((kept.len() as i64, kept.last().copied()), (most, Some(6)));
        assert_eq!(store.audit(2, |number: &i64| number % 1000 == 0).unwrap(), [most, most - 1000]);
    }

    #[test]
    fn everybody_pushes_out_their_own_entries_only() {
        for busy in [Author::Stranger, Author::Known("carl")] {
            let (store, most) = (Store::in_memory().unwrap(), busy.most());
            store.note(&0, ANNA).unwrap();
            for number in 1..=most + 5 {
                store.note(&number, busy).unwrap();
            }
            store.note(&0, ANNA).unwrap();
            let kept: Vec<i64> = store.audit(usize::MAX, |_| true).unwrap();
            assert_eq!((kept.len() as i64, kept[0], kept[1]), (most + 2, 0, most + 5));
            assert_eq!(kept[kept.len() - 2..], [6, 0], "the oldest entry is another's");
        }
    }
}
