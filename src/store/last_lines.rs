use rusqlite::params;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Result, Store, decode, encode};
use crate::name::{ContainerName, ReleaseId, ServiceName};

impl Store {
    /// Keeps what a container of the release wrote last, instead of what was kept of it before. It goes with the release.
    pub fn keep_last_lines(
        &self,
        service: &ServiceName,
        release: ReleaseId,
        container: &ContainerName,
        lines: &impl Serialize,
    ) -> Result<()> {
        self.database()
            .execute(
                "INSERT OR REPLACE INTO last_lines (service, release, container, record) VALUES (?1, ?2, ?3, ?4)",
                params![service.as_str(), release.number() as i64, container.as_str(), encode(lines)?],
            )
            .map(drop)
            .map_err(self.failed("keep the last lines of a container"))
    }

    /// What was kept of each container of the release, by name.
    pub fn last_lines<T: DeserializeOwned>(&self, service: &ServiceName, release: ReleaseId) -> Result<Vec<T>> {
        let failed = || self.failed("read the last lines of containers");
        let database = self.database();
        let mut query = database
            .prepare_cached("SELECT record FROM last_lines WHERE service = ?1 AND release = ?2 ORDER BY container")
            .map_err(failed())?;
        let rows = query
            .query_map(params![service.as_str(), release.number() as i64], |row| row.get::<_, String>(0))
            .map_err(failed())?;
        rows.map(|record| decode(&record.map_err(failed())?)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_by_container_and_go_with_their_release_or_their_service() {
        let store = Store::in_memory().unwrap();
        let (web, first, second): (ServiceName, _, _) = ("web".parse().unwrap(), ReleaseId::new(1), ReleaseId::new(2));
        let keep = |release, container, lines: &[&str]| {
            store.keep_last_lines(&web, release, &ContainerName::from_engine(container), &lines).unwrap();
        };
        let kept = |release| store.last_lines::<Vec<String>>(&web, release).unwrap();
        keep(first, "web.r1.1", &["early"]);
        keep(first, "web.r1.2", &["other"]);
        keep(second, "web.r2.1", &["second"]);
        keep(first, "web.r1.1", &["late"]);
        assert_eq!(kept(first), [["late"], ["other"]]);

        store.remove_release(&web, first).unwrap();
        assert!(kept(first).is_empty());
        assert_eq!(kept(second), [["second"]]);
        store.remove_service(&web).unwrap();
        assert!(kept(second).is_empty());
    }
}
