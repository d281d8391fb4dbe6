//! Which containers there are: known from the engine's events, so that nobody has to ask for all of them again and again.
//! A full look now and then corrects what was missed; while the engine tells nothing, full looks take the place of events.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::core::Core;
use crate::engine::{Container, EngineError, Role};
use crate::name::{ContainerName, ServiceName};

/// Between two full looks while events come. Each asks the engine about every container.
const CORRECT: Duration = Duration::from_secs(300);

/// Between two full looks while none come, when somebody watches and when nobody does.
const LOOK_WATCHED: Duration = Duration::from_secs(1);
const LOOK_UNWATCHED: Duration = Duration::from_secs(10);

/// So many events are dealt with at once: a container that tells much is looked at once.
const AT_ONCE: usize = 256;

/// All containers of services, as they were last seen.
#[derive(Debug, Default)]
pub(super) struct Roster {
    known: Mutex<Arc<BTreeMap<ContainerName, Container>>>,
    /// Counts changes of what is seen. Those that the server makes itself are counted elsewhere, and mean more.
    changed: watch::Sender<u64>,
    following: AtomicBool,
}

type ByService = BTreeMap<ServiceName, Vec<ContainerName>>;

impl Roster {
    /// Says so once.
    pub(super) fn begin(&self) -> bool {
        !self.following.swap(true, Ordering::Relaxed)
    }

    pub(super) fn all(&self) -> Arc<BTreeMap<ContainerName, Container>> {
        Arc::clone(&self.lock())
    }

    /// Of all services, or of one.
    pub(super) fn of(&self, service: Option<&ServiceName>) -> Vec<Container> {
        let is_of = |container: &&Container| match (&container.role, service) {
            (Role::Service { service, .. }, Some(asked)) => service == asked,
            (_, None) => true,
            (Role::Router, Some(_)) => false,
        };
        self.all().values().filter(is_of).cloned().collect()
    }

    /// Those that run, all and by service.
    pub(super) fn running(&self) -> (Vec<ContainerName>, ByService) {
        let mut services = ByService::new();
        let all = self.all();
        for container in all.values().filter(|container| container.is_running()) {
            if let Role::Service { service, .. } = &container.role {
                services.entry(service.clone()).or_default().push(container.name.clone());
            }
        }
        (services.values().flatten().cloned().collect(), services)
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(super) fn mark_changed(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    fn replace(&self, containers: Vec<Container>) {
        let all = containers.into_iter().map(|container| (container.name.clone(), container)).collect();
        let mut known = self.lock();
        if **known != all {
            *known = Arc::new(all);
            self.mark_changed();
        }
    }

    fn update(&self, seen: BTreeMap<ContainerName, Option<Container>>) {
        let mut known = self.lock();
        let all = Arc::make_mut(&mut known);
        for (name, container) in seen {
            match container {
                Some(container) => drop(all.insert(name, container)),
                None => drop(all.remove(&name)),
            }
        }
        drop(known);
        self.mark_changed();
    }

    fn lock(&self) -> MutexGuard<'_, Arc<BTreeMap<ContainerName, Container>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// Goes on until the server stops.
    pub(super) async fn keep_roster(self: Arc<Self>) {
        let following = async {
            loop {
                let ended = self.follow_containers().await;
                self.look_at_parts().await;
                tracing::debug!(error = ended.err().map(tracing::field::display), "the engine tells of no events");
                self.look_at_containers().await;
                sleep(if self.watchers.are_there() { LOOK_WATCHED } else { LOOK_UNWATCHED }).await;
            }
        };
        tokio::select! {
            () = following => {}
            () = self.stopping.cancelled() => {}
            () = self.abandoned.cancelled() => {}
        }
    }

    /// Until the engine tells no more.
    async fn follow_containers(&self) -> Result<(), EngineError> {
        let mut events = self.engine.events().await?.ready_chunks(AT_ONCE).boxed();
        self.look_at_parts().await;
        // What happened before the first event that will come.
        self.look_at_containers().await;
        let mut corrected = Instant::now();
        loop {
            match next(&mut events, corrected + CORRECT).await {
                Some(None) => return Ok(()),
                Some(Some(told)) => {
                    let names = told.into_iter().collect::<Result<Vec<_>, _>>()?;
                    self.look_at_each(names).await?;
                }
                None => {
                    // One that hangs ends no events.
                    self.look_at_parts().await;
                    if !self.parts.is_engine_up() {
                        return Ok(());
                    }
                    self.look_at_containers().await;
                    corrected = Instant::now();
                }
            }
        }
    }

    async fn look_at_each(&self, mut names: Vec<ContainerName>) -> Result<(), EngineError> {
        names.sort();
        names.dedup();
        let mut seen = BTreeMap::new();
        for name in names {
            let container = match self.engine.inspect(&name).await {
                Ok(container) => matches!(container.role, Role::Service { .. }).then_some(container),
                Err(EngineError::NotFound { .. } | EngineError::NotOurs { .. }) => None,
                Err(error) => return Err(error),
            };
            seen.insert(name, container);
        }
        self.roster.update(seen);
        Ok(())
    }

    async fn look_at_containers(&self) {
        self.roster.replace(self.containers_now(None).await);
    }

    /// All containers of services, or of one. An engine that is down is told as such; its containers count as gone. One that
    /// is well and only did not answer this has them still.
    pub(super) async fn containers_now(&self, service: Option<&ServiceName>) -> Vec<Container> {
        match self.engine.containers(service).await {
            Ok(containers) => containers,
            Err(_) if !self.parts.is_engine_up() => Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "what containers there are is taken to be as it was");
                self.roster.of(service)
            }
        }
    }
}

/// What comes next, if anything comes until then.
async fn next<T>(events: &mut BoxStream<'_, T>, until: Instant) -> Option<Option<T>> {
    timeout(until.saturating_duration_since(Instant::now()), events.next()).await.ok()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::engine::{Behaviour, ContainerSpec, Engine, Fault, FaultPlan, MemoryEngine, SpecDigest};
    use crate::machine::MemoryMachine;
    use crate::name::{DeployId, ImageName, InstanceName, ReleaseId};
    use crate::router::MemoryRouter;
    use crate::server::Place;
    use crate::server::config::Config;
    use crate::store::Store;

    /// On an engine with one container that runs.
    async fn core(folder: &std::path::Path, engine: &Arc<MemoryEngine>) -> Arc<Core> {
        let service: ServiceName = "web".parse().unwrap();
        let image = ImageName::foreign("mypaas/web:r1");
        engine.offer(&image, Behaviour::default());
        engine.ensure_network().await.unwrap();
        let spec = ContainerSpec {
            name: ContainerName::from_engine("web.r1.1"),
            role: Role::Service { service, release: ReleaseId::new(1), slot: 1, deploy: DeployId::new(1) },
            image,
            command: Vec::new(),
            env: BTreeMap::new(),
            binds: Vec::new(),
            publish: Vec::new(),
            sysctls: BTreeMap::new(),
            max_cpu: None,
            max_mem: None,
            aliases: Vec::new(),
            address: Ipv4Addr::new(10, 201, 0, 9),
            digest: SpecDigest("1".to_owned()),
        };
        engine.ensure_image(&spec.image).await.unwrap();
        engine.create(&spec).await.unwrap();
        engine.start(&spec.name).await.unwrap();
        let place =
            Place { home: folder.to_owned(), user_home: folder.to_owned(), docker_host: None, docker_config: None };
        let store = Arc::new(Store::open(&folder.join("store.db")).unwrap());
        let (router, machine) = (Arc::new(MemoryRouter::new()), Arc::new(MemoryMachine::default()));
        Core::new(place, Config::default(), store, Arc::clone(engine) as _, router, machine)
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_containers_of_an_engine_that_is_down_count_as_gone() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Arc::new(MemoryEngine::new(InstanceName::default()));
        let core = core(folder.path(), &engine).await;
        let fail_next = |fault| engine.plan_fault(FaultPlan { at: engine.calls().len() as u64 + 1, fault });
        core.look_at_parts().await;
        core.look_at_containers().await;
        assert_eq!(core.roster.all().len(), 1);
        fail_next(Fault::Error);
        core.look_at_containers().await;
        assert_eq!(core.roster.all().len(), 1, "it was only not told");
        for (service, count) in [("web", 1), ("other", 0)] {
            fail_next(Fault::Error);
            assert_eq!(core.containers_now(Some(&service.parse().unwrap())).await.len(), count);
        }
        fail_next(Fault::Outage(Duration::from_secs(60)));
        core.look_at_parts().await;
        core.look_at_containers().await;
        assert_eq!(core.roster.all().len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_engine_that_hangs_without_ending_its_events_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Arc::new(MemoryEngine::new(InstanceName::default()));
        let core = core(folder.path(), &engine).await;
        let following = tokio::spawn(Arc::clone(&core).keep_roster());
        sleep(CORRECT / 2).await;
        assert!(core.parts.is_engine_up());
        let calls = engine.calls().len() as u64;
        // How it is, and, since it did not say, once more.
        (1..=2).for_each(|more| engine.plan_fault(FaultPlan { at: calls + more, fault: Fault::Error }));
        sleep(CORRECT / 2 + Duration::from_secs(1)).await;
        assert!(!core.parts.is_engine_up());
        sleep(LOOK_UNWATCHED).await;
        assert!(core.parts.is_engine_up(), "it answers again");
        core.abandon();
        following.await.unwrap();
    }
}
