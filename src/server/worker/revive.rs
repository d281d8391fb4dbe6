//! What is live runs. The engine starts containers again that die, and all of them when it comes back itself; but Docker
//! takes those for stopped by hand that it finds running after it was killed, and one that could not be started it leaves
//! as it is. The server starts what is left so.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::time::Instant;

use crate::api::Problem;
use crate::deploy::{Deploy, Release};
use crate::engine::{Container, ContainerState, Restart, Role};
use crate::name::{ContainerName, ReleaseId, ServiceName};
use crate::server::core::Core;
use crate::server::observe::wanted;
use crate::server::resolve;
use crate::store::StoreError;

/// An engine that comes back starts one container after the other by itself.
const GRACE: Duration = Duration::from_secs(3);

/// Between two attempts at the same container.
const PAUSE: Duration = Duration::from_secs(30);

/// Services that are started at once: one of which a container hangs keeps no other down.
const AT_ONCE: usize = 8;

/// Containers that are not as they ought to be, and when something is to be done about each if it is still so by then.
#[derive(Debug, Default)]
pub(in crate::server) struct Stranded(Mutex<HashMap<ContainerName, Instant>>);

impl Stranded {
    /// The services of those that have been so for long enough.
    pub(super) fn due(&self, stopped: &BTreeMap<&ContainerName, &ServiceName>, now: Instant) -> BTreeSet<ServiceName> {
        let mut known = self.lock();
        known.retain(|name, _| stopped.contains_key(name));
        let mut services = BTreeSet::new();
        for (&name, &service) in stopped {
            let due = known.entry(name.clone()).or_insert(now + GRACE);
            if *due <= now {
                *due = now + PAUSE;
                services.insert(service.clone());
            }
        }
        services
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ContainerName, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// Starts containers of live releases that are not running, once that has lasted. What cannot be started is told in
    /// the log, and tried again. Nobody waits for it: an engine may take minutes to start one.
    pub(in crate::server) fn revive(self: &Arc<Self>) {
        let seen = self.roster.all();
        let stopped = seen.values().filter_map(left_stopped);
        // What a deploy does takes as long as it takes.
        let stopped: BTreeMap<_, _> = stopped.filter(|(_, service)| self.turns.is_free(service)).collect();
        let due = self.stranded.due(&stopped, Instant::now());
        if due.is_empty() {
            return;
        }
        let core = Arc::clone(self);
        let reviving = async move {
            stream::iter(&due).for_each_concurrent(AT_ONCE, |service| core.revive_or_tell(service)).await;
        };
        self.in_background(reviving);
    }

    async fn revive_or_tell(&self, service: &ServiceName) {
        if let Err(problem) = self.revive_service(service).await {
            let causes = &problem.causes;
            tracing::warn!(%service, ?causes, "what of it is stopped cannot be started: {}", problem.message);
        }
    }

    async fn revive_service(&self, service: &ServiceName) -> Result<(), Problem> {
        // A deploy stops containers on purpose, and ends with those running that are to.
        let Some(_turn) = self.turns.take_if_free(service) else { return Ok(()) };
        if self.is_cut_off(service)? {
            return Ok(());
        }
        let Some((release, count)) = self.live(service)? else { return Ok(()) };
        // Its folders may lead elsewhere by now.
        resolve::volumes(&release.manifest, &self.place.user_home, &self.place.home)?;
        for name in missing(&self.engine.containers(Some(service)).await?, release.id, count) {
            // One that cannot start keeps none of the others from it.
            match self.engine.start(&name).await {
                Ok(()) => tracing::warn!(container = %name, "it is live and was stopped, so it was started"),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(container = %name, error, "it is live and was stopped, and cannot be started");
                }
            }
        }
        Ok(())
    }

    /// A deploy of it was, by the last stop, and is not dealt with yet: nobody knows what is to run.
    fn is_cut_off(&self, service: &ServiceName) -> Result<bool, StoreError> {
        if self.is_recovered() {
            return Ok(false);
        }
        Ok(self.store.unfinished_deploys::<Deploy>()?.iter().any(|deploy| deploy.service == *service))
    }

    /// What of a service is to run.
    pub(super) fn live(&self, service: &ServiceName) -> Result<Option<(Release, u32)>, StoreError> {
        let Some(record) = self.store.service(service)? else { return Ok(None) };
        let Some(id) = record.live else { return Ok(None) };
        let Some(release) = self.store.release::<Release>(service, id)? else { return Ok(None) };
        let count = wanted(&record, Some(&release));
        Ok(Some((release, count)))
    }
}

/// It has stopped, and the engine is to keep it running.
fn left_stopped(container: &Container) -> Option<(&ContainerName, &ServiceName)> {
    match (&container.role, &container.state, container.restart) {
        (Role::Service { service, .. }, ContainerState::Exited { .. }, Restart::UnlessStopped) => {
            Some((&container.name, service))
        }
        _ => None,
    }
}

/// Those of the release that are to be started so that so many run.
fn missing(there: &[Container], live: ReleaseId, count: u32) -> Vec<ContainerName> {
    let of_live = || there.iter().filter(|container| container.is_of(live));
    let at_work = of_live().filter(|container| container.is_at_work()).count();
    let stopped = of_live().filter(|container| left_stopped(container).is_some());
    let lacking = (count as usize).saturating_sub(at_work);
    stopped.take(lacking).map(|container| container.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_stopped_is_due_after_a_while_and_again_after_a_longer_one() {
        let (name, service) = (ContainerName::from_engine("web.r1.1"), "web".parse().unwrap());
        let (stopped, none) = (BTreeMap::from([(&name, &service)]), BTreeMap::new());
        let (stranded, begin) = (Stranded::default(), Instant::now());
        let due_after = |stopped, after| stranded.due(stopped, begin + after).len();
        assert_eq!(due_after(&stopped, Duration::ZERO), 0);
        assert_eq!(due_after(&stopped, GRACE), 1);
        assert_eq!(due_after(&stopped, GRACE * 2), 0, "it was tried a moment ago");
        assert_eq!(due_after(&stopped, GRACE + PAUSE), 1);
        assert_eq!(due_after(&none, GRACE + PAUSE), 0);
        assert_eq!(due_after(&stopped, PAUSE * 3), 0, "it ran meanwhile");
    }
}
