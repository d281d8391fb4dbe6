//! What a deploy could not take away goes later. After the switch a deploy goes forward whatever happens, so an engine that
//! does not stop a container leaves it running beside those that took its place, on the same volumes and queues.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use tokio::time::Instant;

use crate::api::Problem;
use crate::deploy::execute::keep_last_lines;
use crate::engine::{Container, Role};
use crate::name::{ContainerName, ReleaseId, ServiceName};
use crate::server::core::Core;

/// Services that are looked after at once.
const AT_ONCE: usize = 8;

impl Core {
    /// Removes containers of releases that are not live, once that has lasted. What cannot be removed is told in the log,
    /// and tried again. Nobody waits for it.
    pub(in crate::server) fn remove_leftovers(self: &Arc<Self>) {
        let seen = self.roster.all();
        let due = self.leftovers.due(&of_two_releases(seen.values()), Instant::now());
        if due.is_empty() {
            return;
        }
        let core = Arc::clone(self);
        let removing = async move {
            stream::iter(&due).for_each_concurrent(AT_ONCE, |service| core.remove_or_tell(service)).await;
        };
        self.in_background(removing);
    }

    async fn remove_or_tell(&self, service: &ServiceName) {
        if let Err(problem) = self.remove_leftovers_of(service).await {
            let causes = &problem.causes;
            tracing::warn!(%service, ?causes, "what an earlier deploy left of it cannot be removed: {}", problem.message);
        }
    }

    async fn remove_leftovers_of(&self, service: &ServiceName) -> Result<(), Problem> {
        // In a deploy two releases are there on purpose; one that was cut off is taken up first.
        let Some(_turn) = self.turns.take_if_free(service) else { return Ok(()) };
        let Some(live) = self.store.service(service)?.and_then(|record| record.live) else { return Ok(()) };
        let routes = self.router.routes().await?.into_iter().find(|routes| routes.service == *service);
        let targets: BTreeSet<_> =
            routes.iter().flat_map(|routes| &routes.targets).map(|target| *target.ip()).collect();
        let left = self.engine.containers(Some(service)).await?;
        let left = left.into_iter().filter(|one| is_of_other(one, live) && !targets.contains(&one.address));
        let names: Vec<ContainerName> = left.map(|container| container.name).collect();
        let removed = join_all(names.iter().map(|name| self.remove_leftover(service, name))).await;
        removed.into_iter().collect()
    }

    /// One that does not stop is removed all the same, as a deploy does.
    async fn remove_leftover(&self, service: &ServiceName, name: &ContainerName) -> Result<(), Problem> {
        if let Err(error) = self.engine.stop(name, self.config.deploy.grace).await {
            tracing::debug!(container = %name, error = &error as &dyn std::error::Error, "it does not stop");
        }
        keep_last_lines(&*self.engine, self, service, std::slice::from_ref(name)).await;
        self.engine.remove(name).await?;
        tracing::warn!(container = %name, "an earlier deploy had left it, so it was removed");
        Ok(())
    }
}

/// The containers of services that have some of more than one release. Which one is live is looked up only then.
fn of_two_releases<'a>(
    all: impl Iterator<Item = &'a Container> + Clone,
) -> BTreeMap<&'a ContainerName, &'a ServiceName> {
    let with_release = all.filter_map(|container| match &container.role {
        Role::Service { service, release, .. } => Some((&container.name, service, *release)),
        Role::Router => None,
    });
    let mut releases: BTreeMap<&ServiceName, BTreeSet<ReleaseId>> = BTreeMap::new();
    for (_, service, release) in with_release.clone() {
        releases.entry(service).or_default().insert(release);
    }
    let of_two = with_release.filter(|(_, service, _)| releases.get(service).is_some_and(|ids| ids.len() > 1));
    of_two.map(|(name, service, _)| (name, service)).collect()
}

fn is_of_other(container: &Container, live: ReleaseId) -> bool {
    matches!(container.role, Role::Service { release, .. } if release != live)
}
