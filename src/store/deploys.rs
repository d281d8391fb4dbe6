use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Lasts, Result, Store, decode, encode};
use crate::name::{DeployId, ServiceName};

impl Store {
    /// Numbers a new deploy, and keeps what `make` makes of the number. From its first deploy on the service is known.
    pub fn add_deploy<T: Serialize>(&self, service: &ServiceName, make: impl FnOnce(DeployId) -> T) -> Result<T> {
        let failed = || self.failed("add a deploy");
        let mut database = self.database();
        let transaction = database.transaction().map_err(failed())?;
        transaction
            .execute("INSERT OR IGNORE INTO services (name) VALUES (?1)", [service.as_str()])
            .map_err(failed())?;
        transaction
            .execute("INSERT INTO deploys (service, finished, record) VALUES (?1, 0, '')", [service.as_str()])
            .map_err(failed())?;
        let number = transaction.last_insert_rowid();
        let deploy = make(DeployId::new(number.unsigned_abs()));
        transaction
            .execute("UPDATE deploys SET record = ?2 WHERE id = ?1", params![number, encode(&deploy)?])
            .map_err(failed())?;
        transaction.commit().map_err(failed())?;
        Ok(deploy)
    }

    /// That it has finished lasts at once.
    pub fn update_deploy(&self, id: DeployId, deploy: &impl Serialize, finished: bool) -> Result<()> {
        let lasts = if finished { Lasts::AtOnce } else { Lasts::WithTheNext };
        self.writing(lasts)?
            .database
            .execute(
                "UPDATE deploys SET record = ?2, finished = ?3 WHERE id = ?1",
                params![id.number() as i64, encode(deploy)?, finished],
            )
            .map(drop)
            .map_err(self.failed("write a deploy"))
    }

    pub fn deploy<T: DeserializeOwned>(&self, id: DeployId) -> Result<Option<T>> {
        let record: Option<String> = self
            .database()
            .query_row("SELECT record FROM deploys WHERE id = ?1", [id.number() as i64], |row| row.get(0))
            .optional()
            .map_err(self.failed("look up a deploy"))?;
        record.as_deref().map(decode).transpose()
    }

    /// Newest first; of all services, or of one.
    pub fn deploys<T: DeserializeOwned>(&self, service: Option<&ServiceName>, limit: u32) -> Result<Vec<T>> {
        match service {
            Some(name) => self.list_deploys(
                "SELECT record FROM deploys WHERE service = ?1 ORDER BY id DESC LIMIT ?2",
                params![name.as_str(), limit],
            ),
            None => self.list_deploys("SELECT record FROM deploys ORDER BY id DESC LIMIT ?1", params![limit]),
        }
    }

    /// Those that were accepted and never ended, oldest first: after a start, those that the last stop cut off.
    pub fn unfinished_deploys<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        self.list_deploys("SELECT record FROM deploys WHERE finished = 0 ORDER BY id", params![])
    }

    fn list_deploys<T: DeserializeOwned>(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<Vec<T>> {
        let failed = || self.failed("list deploys");
        let database = self.database();
        let mut query = database.prepare_cached(sql).map_err(failed())?;
        let rows = query.query_map(parameters, |row| row.get::<_, String>(0)).map_err(failed())?;
        rows.map(|record| decode(&record.map_err(failed())?)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ServiceRecord;

    #[test]
    fn deploys_are_numbered_over_all_services_and_found_by_service() {
        let store = Store::in_memory().unwrap();
        let [web, api]: [ServiceName; 2] = ["web", "api"].map(|name| name.parse().unwrap());
        for service in [&web, &api, &web] {
            store.add_deploy(service, |id| format!("{service} {id}")).unwrap();
        }
        assert_eq!(store.services().unwrap(), [&api, &web].map(|name| ServiceRecord::new(name.clone())));
        assert_eq!(store.deploys::<String>(None, 2).unwrap(), ["web d3", "api d2"]);
        assert_eq!(store.deploys::<String>(Some(&web), 9).unwrap(), ["web d3", "web d1"]);

        store.update_deploy(DeployId::new(1), &"web d1 done", true).unwrap();
        assert_eq!(store.unfinished_deploys::<String>().unwrap(), ["api d2", "web d3"]);
        assert_eq!(store.deploy::<String>(DeployId::new(1)).unwrap().as_deref(), Some("web d1 done"));
        assert_eq!(store.deploy::<String>(DeployId::new(9)).unwrap(), None);
    }
}
