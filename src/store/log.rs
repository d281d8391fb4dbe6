use rusqlite::params;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::services::{ServiceRecord, put};
use super::{Lasts, Result, Store, decode, encode};
use crate::name::{DeployId, ServiceName};

/// Of each service.
const DEPLOYS_KEPT: u32 = 2000;
const EVENTS_KEPT: u32 = 200;
const JOURNALS_KEPT: u32 = 20;

/// What a deploy leaves behind in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// What was told to those who watched.
    Events,
    /// What was intended and done, for the next start after a crash.
    Journal,
}

impl Log {
    fn kind(self) -> &'static str {
        match self {
            Log::Events => "event",
            Log::Journal => "journal",
        }
    }
}

impl Store {
    /// Adds an entry under its number; a number is never given twice.
    pub fn append(&self, lasts: Lasts, log: Log, deploy: DeployId, seq: u64, entry: &impl Serialize) -> Result<()> {
        self.append_with(None, lasts, log, deploy, seq, entry)
    }

    /// As [`append`](Self::append), and [`put_service`](Self::put_service) where there is a record: both, or neither.
    pub fn append_with(
        &self,
        service: Option<&ServiceRecord>,
        lasts: Lasts,
        log: Log,
        deploy: DeployId,
        seq: u64,
        entry: &impl Serialize,
    ) -> Result<()> {
        let record = encode(entry)?;
        let failed = || self.failed("append to a log");
        let mut writing = self.writing(lasts)?;
        let transaction = writing.database.transaction().map_err(failed())?;
        if let Some(service) = service {
            put(&transaction, service).map_err(failed())?;
        }
        transaction
            .prepare_cached("INSERT INTO log (deploy, kind, seq, record) VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut insert| insert.execute(params![deploy.number() as i64, log.kind(), seq as i64, record]))
            .map_err(failed())?;
        transaction.commit().map_err(failed())
    }

    /// The entries from a number on, at most so many.
    pub fn read<T: DeserializeOwned>(&self, log: Log, deploy: DeployId, from: u64, limit: u32) -> Result<Vec<T>> {
        let failed = || self.failed("read a log");
        let database = self.database();
        let mut query = database
            .prepare_cached(
                "SELECT record FROM log WHERE deploy = ?1 AND kind = ?2 AND seq >= ?3 ORDER BY seq LIMIT ?4",
            )
            .map_err(failed())?;
        let rows = query
            .query_map(params![deploy.number() as i64, log.kind(), from as i64, limit], |row| row.get::<_, String>(0))
            .map_err(failed())?;
        rows.map(|record| decode(&record.map_err(failed())?)).collect()
    }

    /// Of the deploys of a service only so much is kept that the file does not grow for ever: the record of many, what was
    /// told of those that built a release which is there still and of some more, and the journal of a few.
    pub fn trim(&self, service: &ServiceName) -> Result<()> {
        let failed = || self.failed("forget old deploys");
        let mut database = self.database();
        let transaction = database.transaction().map_err(failed())?;
        let old = "SELECT id FROM deploys WHERE service = ?1 AND finished AND id <=
             (SELECT id FROM deploys WHERE service = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)";
        let of_release = "(EXISTS (SELECT 1 FROM releases WHERE releases.service = deploys.service
             AND 'r' || releases.id = json_extract(deploys.record, '$.to'))
             AND json_extract(deploys.record, '$.action.action') IN ('push', 'redeploy'))";
        for (statement, kept) in [
            (format!("DELETE FROM log WHERE kind = 'journal' AND deploy IN ({old})"), JOURNALS_KEPT),
            (format!("DELETE FROM log WHERE kind = 'event' AND deploy IN ({old} AND NOT {of_release})"), EVENTS_KEPT),
            (format!("DELETE FROM deploys WHERE id IN ({old} AND NOT {of_release})"), DEPLOYS_KEPT),
        ] {
            transaction.execute(&statement, params![service.as_str(), kept]).map_err(failed())?;
        }
        transaction.commit().map_err(failed())
    }

    /// The number of the newest entry; 0 when there is none.
    pub fn last_seq(&self, log: Log, deploy: DeployId) -> Result<u64> {
        let newest: Option<i64> = self
            .database()
            .query_row(
                "SELECT MAX(seq) FROM log WHERE deploy = ?1 AND kind = ?2",
                params![deploy.number() as i64, log.kind()],
                |row| row.get(0),
            )
            .map_err(self.failed("read a log"))?;
        Ok(newest.unwrap_or(0).unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::ReleaseId;
    use serde_json::{Value, json};

    #[test]
    fn entries_come_back_in_order_from_any_number_on() {
        let store = Store::in_memory().unwrap();
        let deploy = DeployId::new(1);
        for seq in 1..=5 {
            store.append(Lasts::WithTheNext, Log::Events, deploy, seq, &format!("e{seq}")).unwrap();
        }
        store.append(Lasts::AtOnce, Log::Journal, deploy, 1, &"j1").unwrap();
        store.append(Lasts::AtOnce, Log::Events, DeployId::new(2), 1, &"other").unwrap();

        assert_eq!(store.read::<String>(Log::Events, deploy, 3, 2).unwrap(), ["e3", "e4"]);
        assert_eq!(store.read::<String>(Log::Journal, deploy, 1, 9).unwrap(), ["j1"]);
        assert_eq!(store.last_seq(Log::Events, deploy).unwrap(), 5);
        assert_eq!(store.last_seq(Log::Events, DeployId::new(3)).unwrap(), 0);
        assert!(store.append(Lasts::AtOnce, Log::Events, deploy, 5, &"again").is_err());
    }

    #[test]
    fn of_old_deploys_less_and_less_is_kept() {
        let store = Store::in_memory().unwrap();
        let [web, api]: [ServiceName; 2] = ["web", "api"].map(|name| name.parse().unwrap());
        let deploy = |service: &ServiceName, finished| {
            let id = store.add_deploy(service, |id| id).unwrap();
            // The fourth changes how many run of what the third has built.
            let (action, to) = if id.number() == 4 { ("scale", 3) } else { ("push", id.number()) };
            let record = json!({ "action": { "action": action }, "to": format!("r{to}") });
            store.update_deploy(id, &record, finished).unwrap();
            for log in [Log::Events, Log::Journal] {
                store.append(Lasts::WithTheNext, log, id, 1, &"entry").unwrap();
            }
        };
        deploy(&api, true);
        deploy(&web, false);
        (0..DEPLOYS_KEPT + 3).for_each(|_| deploy(&web, true));
        store.put_release(&web, ReleaseId::new(3), &"kept").unwrap();
        store.trim(&web).unwrap();

        let newest = u64::from(DEPLOYS_KEPT) + 5;
        let with = |log| -> Vec<u64> {
            let has = |id: &u64| !store.read::<String>(log, DeployId::new(*id), 1, 1).unwrap().is_empty();
            (1..=newest).filter(has).collect()
        };
        let newest_of = |kept: u32| (newest - u64::from(kept) + 1)..=newest;
        let expected: Vec<u64> = [1, 2].into_iter().chain(newest_of(JOURNALS_KEPT)).collect();
        assert_eq!(with(Log::Journal), expected, "another service's, one that has not ended, and the newest");
        let expected: Vec<u64> = [1, 2, 3].into_iter().chain(newest_of(EVENTS_KEPT)).collect();
        assert_eq!(with(Log::Events), expected, "and the one that built a release that is there");
        assert_eq!(store.deploys::<Value>(Some(&web), u32::MAX).unwrap().len(), DEPLOYS_KEPT as usize + 2);
        assert_eq!(store.deploys::<Value>(Some(&api), u32::MAX).unwrap().len(), 1);
    }
}
