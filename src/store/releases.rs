use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Result, Store, decode, encode};
use crate::name::{ReleaseId, ServiceName};

impl Store {
    /// The number that the service's next release gets.
    pub fn next_release(&self, service: &ServiceName) -> Result<ReleaseId> {
        let newest: Option<i64> = self
            .database()
            .query_row("SELECT MAX(id) FROM releases WHERE service = ?1", [service.as_str()], |row| row.get(0))
            .map_err(self.failed("number a release"))?;
        Ok(ReleaseId::new(newest.unwrap_or(0).unsigned_abs() + 1))
    }

    pub fn put_release(&self, service: &ServiceName, id: ReleaseId, release: &impl Serialize) -> Result<()> {
        self.database()
            .execute(
                "INSERT INTO releases (service, id, record) VALUES (?1, ?2, ?3)",
                params![service.as_str(), id.number() as i64, encode(release)?],
            )
            .map(drop)
            .map_err(self.failed("write a release"))
    }

    pub fn release<T: DeserializeOwned>(&self, service: &ServiceName, id: ReleaseId) -> Result<Option<T>> {
        let record: Option<String> = self
            .database()
            .query_row(
                "SELECT record FROM releases WHERE service = ?1 AND id = ?2",
                params![service.as_str(), id.number() as i64],
                |row| row.get(0),
            )
            .optional()
            .map_err(self.failed("look up a release"))?;
        record.as_deref().map(decode).transpose()
    }

    /// Newest first.
    pub fn releases<T: DeserializeOwned>(&self, service: &ServiceName) -> Result<Vec<T>> {
        let failed = || self.failed("list the releases");
        let database = self.database();
        let mut query = database
            .prepare_cached("SELECT record FROM releases WHERE service = ?1 ORDER BY id DESC")
            .map_err(failed())?;
        let rows = query.query_map([service.as_str()], |row| row.get::<_, String>(0)).map_err(failed())?;
        rows.map(|record| decode(&record.map_err(failed())?)).collect()
    }

    /// Pins a release, or unpins it; false when there is no such release.
    pub fn pin_release(&self, service: &ServiceName, id: ReleaseId, pinned: bool) -> Result<bool> {
        self.database()
            .execute(
                "UPDATE releases SET pinned = ?3 WHERE service = ?1 AND id = ?2",
                params![service.as_str(), id.number() as i64, pinned],
            )
            .map(|rows| rows > 0)
            .map_err(self.failed("pin a release"))
    }

    /// Those that are kept whatever their age.
    pub fn pinned_releases(&self, service: &ServiceName) -> Result<BTreeSet<ReleaseId>> {
        self.list_releases("SELECT id FROM releases WHERE service = ?1 AND pinned ORDER BY id", service)
    }

    /// Those that were live at some time.
    pub fn served_releases(&self, service: &ServiceName) -> Result<BTreeSet<ReleaseId>> {
        self.list_releases("SELECT id FROM releases WHERE service = ?1 AND served ORDER BY id", service)
    }

    fn list_releases(&self, sql: &str, service: &ServiceName) -> Result<BTreeSet<ReleaseId>> {
        let failed = || self.failed("list the releases");
        let database = self.database();
        let mut query = database.prepare_cached(sql).map_err(failed())?;
        let rows = query.query_map([service.as_str()], |row| row.get::<_, i64>(0)).map_err(failed())?;
        rows.map(|number| Ok(ReleaseId::new(number.map_err(failed())?.unsigned_abs()))).collect()
    }

    /// Forgets the release and what was kept of its containers.
    pub fn remove_release(&self, service: &ServiceName, id: ReleaseId) -> Result<()> {
        let failed = || self.failed("remove a release");
        let key = params![service.as_str(), id.number() as i64];
        let mut database = self.database();
        let transaction = database.transaction().map_err(failed())?;
        transaction.execute("DELETE FROM last_lines WHERE service = ?1 AND release = ?2", key).map_err(failed())?;
        transaction.execute("DELETE FROM releases WHERE service = ?1 AND id = ?2", key).map_err(failed())?;
        transaction.commit().map_err(failed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ServiceRecord;

    #[test]
    fn releases_are_numbered_by_service_and_listed_newest_first() {
        let store = Store::in_memory().unwrap();
        let web: ServiceName = "web".parse().unwrap();
        for text in ["first", "second"] {
            let id = store.next_release(&web).unwrap();
            store.put_release(&web, id, &text).unwrap();
        }
        assert_eq!(store.next_release(&web).unwrap(), ReleaseId::new(3));
        assert_eq!(store.next_release(&"api".parse().unwrap()).unwrap(), ReleaseId::new(1));
        assert_eq!(store.releases::<String>(&web).unwrap(), ["second", "first"]);
        assert_eq!(store.release::<String>(&web, ReleaseId::new(1)).unwrap().as_deref(), Some("first"));

        store.remove_release(&web, ReleaseId::new(1)).unwrap();
        assert_eq!(store.release::<String>(&web, ReleaseId::new(1)).unwrap(), None);
    }

    #[test]
    fn a_pin_is_a_release_s_own_and_goes_with_it() {
        let store = Store::in_memory().unwrap();
        let (web, first, second): (ServiceName, _, _) = ("web".parse().unwrap(), ReleaseId::new(1), ReleaseId::new(2));
        for id in [first, second] {
            store.put_release(&web, id, &id).unwrap();
        }
        assert!(store.pin_release(&web, first, true).unwrap());
        assert!(!store.pin_release(&web, ReleaseId::new(9), true).unwrap());
        assert_eq!(store.pinned_releases(&web).unwrap(), [first].into());
        assert!(store.pinned_releases(&"api".parse().unwrap()).unwrap().is_empty());
        assert!(store.pin_release(&web, first, false).unwrap());
        assert!(store.pinned_releases(&web).unwrap().is_empty());

        store.pin_release(&web, first, true).unwrap();
        store.remove_release(&web, first).unwrap();
        store.put_release(&web, first, &"another").unwrap();
        assert!(store.pinned_releases(&web).unwrap().is_empty());
    }

    #[test]
    fn a_release_that_was_live_is_known_as_such_from_then_on() {
        let store = Store::in_memory().unwrap();
        let web: ServiceName = "web".parse().unwrap();
        for id in [1, 2, 3].map(ReleaseId::new) {
            store.put_release(&web, id, &id).unwrap();
        }
        for live in [1, 3].map(ReleaseId::new) {
            store.put_service(&ServiceRecord { live: Some(live), ..ServiceRecord::new(web.clone()) }).unwrap();
        }
        assert_eq!(store.served_releases(&web).unwrap(), [1, 3].map(ReleaseId::new).into());
    }

    #[test]
    fn a_release_is_never_overwritten() {
        let store = Store::in_memory().unwrap();
        let web: ServiceName = "web".parse().unwrap();
        store.put_release(&web, ReleaseId::new(1), &"first").unwrap();
        assert!(store.put_release(&web, ReleaseId::new(1), &"other").is_err());
    }
}
