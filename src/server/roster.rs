//! Which containers there are: known from the engine's events, so that nobody has to ask for all of them again and again.
//! A full look now and then corrects what was missed; while the engine tells nothing, full looks take the place of events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::core::Core;
use crate::engine::{Container, EngineError, Role};
use crate::name::{ContainerName, ServiceName};

/// Between two full looks while events come.
const CORRECT: Duration = Duration::from_secs(120);

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
}

type ByService = BTreeMap<ServiceName, Vec<ContainerName>>;

impl Roster {
    pub(super) fn all(&self) -> Arc<BTreeMap<ContainerName, Container>> {
        Arc::clone(&self.lock())
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
        // What happened before the first event that will come.
        self.look_at_containers().await;
        self.look_at_parts().await;
        let mut corrected = Instant::now();
        loop {
            match next(&mut events, corrected + CORRECT).await {
                Some(None) => return Ok(()),
                Some(Some(told)) => {
                    let names = told.into_iter().collect::<Result<Vec<_>, _>>()?;
                    self.look_at_each(names).await?;
                }
                None => {
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
        // An engine that is down is told as such; its containers count as gone.
        let containers = self.engine.containers(None).await.unwrap_or_default();
        self.roster.replace(containers);
    }
}

/// What comes next, if anything comes until then.
async fn next<T>(events: &mut BoxStream<'_, T>, until: Instant) -> Option<Option<T>> {
    timeout(until.saturating_duration_since(Instant::now()), events.next()).await.ok()
}
