use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Result, Store};
use crate::name::{ReleaseId, ServiceName};

/// What holds for a service between deploys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRecord {
    pub name: ServiceName,
    /// The release that serves; none when none ever did.
    pub live: Option<ReleaseId>,
    /// When it became live.
    pub since: Option<Timestamp>,
    /// The operator stopped it.
    pub stopped: bool,
    /// How many containers the operator asked for, where that is not what the manifest says.
    pub scale: Option<u32>,
}

impl ServiceRecord {
    pub fn new(name: ServiceName) -> Self {
        Self { name, live: None, since: None, stopped: false, scale: None }
    }
}

impl Store {
    /// Sorted by name.
    pub fn services(&self) -> Result<Vec<ServiceRecord>> {
        let failed = || self.failed("list the services");
        let database = self.database();
        let mut query = database
            .prepare_cached("SELECT name, live, since, stopped, scale FROM services ORDER BY name")
            .map_err(failed())?;
        let rows = query.query_map([], read).map_err(failed())?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed())
    }

    pub fn service(&self, name: &ServiceName) -> Result<Option<ServiceRecord>> {
        self.database()
            .query_row("SELECT name, live, since, stopped, scale FROM services WHERE name = ?1", [name.as_str()], read)
            .optional()
            .map_err(self.failed("look up a service"))
    }

    pub fn put_service(&self, service: &ServiceRecord) -> Result<()> {
        let failed = || self.failed("write a service");
        let mut database = self.database();
        let transaction = database.transaction().map_err(failed())?;
        put(&transaction, service).map_err(failed())?;
        transaction.commit().map_err(failed())
    }

    /// From now on there is such a service.
    pub fn know_service(&self, name: &ServiceName) -> Result<()> {
        self.database()
            .execute("INSERT OR IGNORE INTO services (name) VALUES (?1)", [name.as_str()])
            .map(drop)
            .map_err(self.failed("write a service"))
    }

    /// Forgets the service and its releases; its deploys stay in the history.
    pub fn remove_service(&self, name: &ServiceName) -> Result<()> {
        let failed = || self.failed("remove a service");
        let mut database = self.database();
        let transaction = database.transaction().map_err(failed())?;
        transaction.execute("DELETE FROM releases WHERE service = ?1", [name.as_str()]).map_err(failed())?;
        transaction.execute("DELETE FROM last_lines WHERE service = ?1", [name.as_str()]).map_err(failed())?;
        transaction.execute("DELETE FROM services WHERE name = ?1", [name.as_str()]).map_err(failed())?;
        transaction.commit().map_err(failed())
    }
}

/// Within the caller's transaction. What is live counts as one that served from then on.
pub(super) fn put(database: &Connection, service: &ServiceRecord) -> rusqlite::Result<()> {
    let ServiceRecord { name, live, since, stopped, scale } = service;
    let (live, since) = (live.map(|id| id.number() as i64), since.map(|at| at.to_string()));
    database.execute(
        "INSERT OR REPLACE INTO services (name, live, since, stopped, scale) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![name.as_str(), live, since, stopped, scale],
    )?;
    let served = "UPDATE releases SET served = 1 WHERE service = ?1 AND id = ?2 AND NOT served";
    database.execute(served, params![name.as_str(), live]).map(drop)
}

fn read(row: &Row<'_>) -> rusqlite::Result<ServiceRecord> {
    let unreadable = |column, error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error)
    };
    let name: String = row.get(0)?;
    let since: Option<String> = row.get(2)?;
    Ok(ServiceRecord {
        name: name.parse().map_err(|error| unreadable(0, Box::new(error)))?,
        live: row.get::<_, Option<i64>>(1)?.map(|number| ReleaseId::new(number.unsigned_abs())),
        since: since.map(|at| at.parse()).transpose().map_err(|error| unreadable(2, Box::new(error)))?,
        stopped: row.get(3)?,
        scale: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_kept_replaced_and_forgotten() {
        let store = Store::in_memory().unwrap();
        let mut service = ServiceRecord::new("web".parse().unwrap());
        store.put_service(&service).unwrap();
        service.live = Some(ReleaseId::new(7));
        service.since = Some("2026-01-02T03:04:05Z".parse().unwrap());
        service.scale = Some(5);
        store.put_service(&service).unwrap();
        store.put_service(&ServiceRecord::new("api".parse().unwrap())).unwrap();

        assert_eq!(store.service(&service.name).unwrap(), Some(service.clone()));
        let names: Vec<_> = store.services().unwrap().into_iter().map(|s| s.name.to_string()).collect();
        assert_eq!(names, ["api", "web"]);

        store.remove_service(&service.name).unwrap();
        assert_eq!(store.service(&service.name).unwrap(), None);
    }
}
