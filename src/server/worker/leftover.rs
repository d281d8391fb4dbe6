//! What a deploy could not take away goes later. After the switch a deploy goes forward whatever happens, so an engine that
//! does not stop a container leaves it running beside those that took its place, on the same volumes and queues; and one
//! that undoes a first release clears away what it can.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use tokio::time::Instant;

use crate::api::Problem;
use crate::deploy::execute::keep_last_lines;
use crate::engine::{Container, Restart, Role};
use crate::name::{ContainerName, DeployId, ReleaseId, ServiceName};
use crate::server::core::Core;
use crate::store::StoreError;

/// Services that are looked after at once.
const AT_ONCE: usize = 8;

impl Core {
    /// Removes containers that nothing asks for, once that has lasted. What cannot be removed is told in the log, and tried
    /// again. Nobody waits for it.
    pub(in crate::server) fn remove_leftovers(self: &Arc<Self>) {
        let seen = self.roster.all();
        let mut doubtful = doubtful(seen.values());
        // What a deploy does takes as long as it takes.
        doubtful.retain(|_, service| self.turns.is_free(service));
        let due = self.leftovers.due(&doubtful, Instant::now());
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
        // Most that were scaled have nothing that is too much; so much is known without the engine.
        if self.unasked_of(service, &self.roster.of(Some(service)), |_| false)?.is_empty() {
            return Ok(());
        }
        // In a deploy two releases are there on purpose; one that was cut off is taken up first.
        let Some(_turn) = self.turns.take_if_free(service) else { return Ok(()) };
        let routes = self.router.routes().await?.into_iter().find(|routes| routes.service == *service);
        let targets: BTreeSet<_> =
            routes.iter().flat_map(|routes| &routes.targets).map(|target| *target.ip()).collect();
        let there = self.engine.containers(Some(service)).await?;
        let names = self.unasked_of(service, &there, |container| targets.contains(&container.address))?;
        let removed = join_all(names.iter().map(|name| self.remove_leftover(service, name))).await;
        removed.into_iter().collect()
    }

    /// Those of the service's containers that nothing asks for, and to which no requests go.
    fn unasked_of(
        &self,
        service: &ServiceName,
        there: &[Container],
        is_routed: impl Fn(&Container) -> bool,
    ) -> Result<Vec<ContainerName>, StoreError> {
        let Some(record) = self.store.service(service)? else { return Ok(Vec::new()) };
        let live = self.live(service)?.filter(|_| !record.stopped);
        let unasked = match (live, record.live) {
            (Some((release, count)), _) => unasked(there, release.id, count, &is_routed),
            // Those of the release that was live are there to be started again.
            (None, Some(live)) => there.iter().filter(|it| !it.is_of(live) && !is_routed(it)).collect(),
            // None was ever live, so none was ever kept; but those of an adoption that was not finished were.
            (None, None) => there.iter().filter(|it| !is_kept(it) && !is_routed(it)).collect(),
        };
        Ok(unasked.into_iter().map(|container| container.name.clone()).collect())
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

/// The containers of services that have some of more than one deploy, as those have too that were scaled, or some that are
/// not kept running. What is asked for is looked up only then.
fn doubtful<'a>(all: impl Iterator<Item = &'a Container> + Clone) -> BTreeMap<&'a ContainerName, &'a ServiceName> {
    let with_deploy = all.filter_map(|container| match &container.role {
        Role::Service { service, deploy, .. } => Some((container, service, *deploy)),
        Role::Router => None,
    });
    let mut deploys: BTreeMap<&ServiceName, BTreeSet<DeployId>> = BTreeMap::new();
    let mut unkept = BTreeSet::new();
    for (container, service, deploy) in with_deploy.clone() {
        deploys.entry(service).or_default().insert(deploy);
        if !is_kept(container) {
            unkept.insert(service);
        }
    }
    let is_doubtful =
        |service: &ServiceName| unkept.contains(service) || deploys.get(service).is_some_and(|ids| ids.len() > 1);
    let found = with_deploy.filter(|(_, service, _)| is_doubtful(service));
    found.map(|(container, service, _)| (&container.name, service)).collect()
}

/// Those of other releases than the live one; and of the live one those that run beside as many as are wanted: those that
/// a failed deploy made and did not keep, and then the oldest, as after a restart whose old containers did not stop.
fn unasked(
    there: &[Container],
    live: ReleaseId,
    count: u32,
    is_routed: impl Fn(&Container) -> bool,
) -> Vec<&Container> {
    let (of_live, of_others): (Vec<&Container>, Vec<&Container>) = there.iter().partition(|it| it.is_of(live));
    let at_work = of_live.into_iter().filter(|container| container.is_at_work());
    let (routed, mut others): (Vec<_>, Vec<_>) = at_work.partition(|container| is_routed(container));
    others.sort_by_key(|container| std::cmp::Reverse((is_kept(container), deploy_of(container))));
    let serving = routed.into_iter().filter(|container| is_kept(container)).count();
    let beside = others.into_iter().skip((count as usize).saturating_sub(serving));
    of_others.into_iter().filter(|container| !is_routed(container)).chain(beside).collect()
}

/// The engine is to keep it running, as it is to keep all that became ready.
fn is_kept(container: &Container) -> bool {
    container.restart == Restart::UnlessStopped
}

fn deploy_of(container: &Container) -> Option<DeployId> {
    match container.role {
        Role::Service { deploy, .. } => Some(deploy),
        Role::Router => None,
    }
}
