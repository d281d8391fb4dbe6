use rusqlite::params;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Result, Store, decode, encode};

/// Who asked for what an entry tells. What strangers ask must not push out what anybody else did: it takes no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Known,
    Strangers,
}

impl Whose {
    /// How many entries are kept of each; the oldest goes first.
    fn most(self) -> i64 {
        match self {
            Whose::Known => 10_000,
            Whose::Strangers => 1000,
        }
    }
}

impl Store {
    /// Adds an entry to the audit log.
    pub fn note(&self, entry: &impl Serialize, whose: Whose) -> Result<()> {
        let record = encode(entry)?;
        let failed = || self.failed("write the audit log");
        let stranger = whose == Whose::Strangers;
        let mut database = self.database();
        let transaction = database.transaction().map_err(failed())?;
        transaction
            .execute("INSERT INTO audit (record, stranger) VALUES (?1, ?2)", params![record, stranger])
            .map_err(failed())?;
        transaction
            .execute(
                "DELETE FROM audit WHERE stranger = ?1 AND id <=
                 (SELECT id FROM audit WHERE stranger = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                params![stranger, whose.most()],
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

    #[test]
    fn the_newest_entries_are_kept_and_come_first() {
        let (store, most) = (Store::in_memory().unwrap(), Whose::Known.most());
        let all = |_: &i64| true;
        for number in 1..=most + 5 {
            store.note(&number, Whose::Known).unwrap();
        }
        assert_eq!(store.audit(2, all).unwrap(), [most + 5, most + 4]);
        let kept = store.audit(usize::MAX, all).unwrap();
        assert_eq!((kept.len() as i64, kept.last().copied()), (most, Some(6)));
        assert_eq!(store.audit(2, |number: &i64| number % 1000 == 0).unwrap(), [10_000, 9_000]);
    }

    #[test]
    fn strangers_push_out_only_each_other() {
        let (store, most) = (Store::in_memory().unwrap(), Whose::Strangers.most());
        store.note(&0, Whose::Known).unwrap();
        for number in 1..=most + 5 {
            store.note(&number, Whose::Strangers).unwrap();
        }
        store.note(&0, Whose::Known).unwrap();
        let kept: Vec<i64> = store.audit(usize::MAX, |_| true).unwrap();
        assert_eq!((kept.len() as i64, kept[0], kept[1]), (most + 2, 0, most + 5));
        assert_eq!(kept[kept.len() - 2..], [6, 0], "the oldest entry is no stranger's");
    }
}
