//! A new release that is ready is not yet one that works. For a while after the switch it is watched; when it crashes
//! again and again, or turns unhealthy, the release before it comes back, by a deploy like any other.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use crate::api::{DeployRequest, Problem, Target};
use crate::deploy::{Action, Deploy, DeployState, Desired, Goal, Origin, Outcome, Serving, What};
use crate::engine::{Container, ContainerState, Health, Probe, ProbeAnswer, Role};
use crate::name::{ContainerName, ReleaseId};
use crate::server::core::Core;

const PERIOD: Duration = Duration::from_secs(1);

/// A service may die once of a passing cause; twice in so short a time is a pattern.
const MOST_RESTARTS: u32 = 2;

/// So many looks in a row must be bad, so that a single slow answer takes no release away.
const BAD_LOOKS: u32 = 3;

impl Core {
    /// Watches in the background where there is a release to go back to.
    pub(super) fn watch_over(self: &Arc<Self>, deploy: &Deploy, desired: &Desired) {
        self.watch_for(self.config.deploy.watch, deploy, desired);
    }

    /// Takes up the watches that the last stop of the server ended.
    pub(super) fn resume_watches(self: &Arc<Self>) -> Result<(), Problem> {
        for record in self.store.services()? {
            let newest = self.store.deploys::<Deploy>(Some(&record.name), 1)?.pop();
            let Some(deploy) = newest.filter(|deploy| succeeded(deploy) && !self.watch_left(deploy).is_zero()) else {
                continue;
            };
            if let Err(problem) = self.resume_watch(&deploy) {
                tracing::warn!(deploy = %deploy.id, problem = problem.message, "the release is no longer watched");
            }
        }
        Ok(())
    }

    fn resume_watch(self: &Arc<Self>, deploy: &Deploy) -> Result<(), Problem> {
        let Some(to) = deploy.to else { return Ok(()) };
        let release = self.release(&deploy.service, to)?;
        let desired = self.desire_dry(deploy.id, &deploy.service, &deploy.action, Some(&release))?;
        self.watch_for(self.watch_left(deploy), deploy, &desired);
        Ok(())
    }

    /// How much longer the new release of a deploy is watched.
    pub(super) fn watch_left(&self, deploy: &Deploy) -> Duration {
        let DeployState::Finished { finished, .. } = &deploy.state else { return self.config.deploy.watch };
        // A clock that was set back makes no watch longer.
        let passed = Duration::try_from(Timestamp::now().duration_since(*finished)).unwrap_or_default();
        self.config.deploy.watch.saturating_sub(passed)
    }

    fn watch_for(self: &Arc<Self>, time: Duration, deploy: &Deploy, desired: &Desired) {
        let (Some(before), Goal::Serving(serving)) = (deploy.from, &desired.goal) else { return };
        let is_new = matches!(deploy.action, Action::Push | Action::Redeploy);
        if !is_new || before == serving.template.release || time.is_zero() {
            return;
        }
        let (core, deploy, serving) = (Arc::clone(self), deploy.clone(), serving.clone());
        let watching = async move { core.watch_until_sure(time, &deploy, &serving, before).await };
        let watching = self.stopping.clone().run_until_cancelled_owned(watching);
        self.tasks.spawn(self.abandoned.clone().run_until_cancelled_owned(watching));
    }

    async fn watch_until_sure(self: &Arc<Self>, time: Duration, deploy: &Deploy, serving: &Serving, before: ReleaseId) {
        let end = Instant::now() + time;
        let mut bad_looks = 0;
        while Instant::now() < end {
            sleep(PERIOD).await;
            if !self.is_newest(deploy) {
                return;
            }
            let Some(trouble) = self.trouble_of(deploy, serving).await else {
                bad_looks = 0;
                continue;
            };
            bad_looks += 1;
            if trouble.is_crash_loop() || bad_looks == BAD_LOOKS {
                return self.bring_back(deploy, before, &trouble).await;
            }
        }
    }

    /// Nothing else was asked of the service since.
    fn is_newest(&self, deploy: &Deploy) -> bool {
        let newest = self.store.deploys::<Deploy>(Some(&deploy.service), 1).unwrap_or_default();
        newest.first().is_some_and(|newest| newest.id == deploy.id)
    }

    /// An engine that does not answer is no fault of the release.
    async fn trouble_of(&self, deploy: &Deploy, serving: &Serving) -> Option<Trouble> {
        let containers = self.engine.containers(Some(&deploy.service)).await.ok()?;
        for container in containers.iter().filter(|container| is_of(container, serving.template.release)) {
            if let Some(trouble) = self.look_at(container, &serving.readiness.probe).await {
                return Some(trouble);
            }
        }
        None
    }

    async fn look_at(&self, container: &Container, probe: &Probe) -> Option<Trouble> {
        let name = container.name.clone();
        if container.restarts >= MOST_RESTARTS {
            return Some(Trouble::CrashLoop { name, restarts: container.restarts });
        }
        match (&container.state, probe) {
            (ContainerState::Running { health: Some(Health::Unhealthy), .. }, _) => {
                Some(Trouble::Unhealthy { name, detail: "its HEALTHCHECK says so".to_owned() })
            }
            (ContainerState::Running { .. }, Probe::Http { .. }) => match self.engine.probe(&name, probe).await {
                Ok(ProbeAnswer::NotReady { detail }) => Some(Trouble::Unhealthy { name, detail }),
                _ => None,
            },
            _ => None,
        }
    }

    async fn bring_back(self: &Arc<Self>, deploy: &Deploy, before: ReleaseId, trouble: &Trouble) {
        let origin = Origin { who: "mypaas".to_owned(), key: None, folder: None, commit: None };
        let action = Action::Rollback { to: before };
        let target = Target::Service { service: deploy.service.clone(), action };
        let why = format!("{} went back to {before} by itself: {}", deploy.service, trouble.told());
        tracing::warn!(deploy = %deploy.id, "{why}");
        match self.accept(DeployRequest { target, origin }).await {
            Ok(rollback) => self.recorder(&rollback).report(What::Warning { message: why }),
            Err(problem) => tracing::error!(service = %deploy.service, problem = problem.message, "no way back"),
        }
    }
}

enum Trouble {
    CrashLoop { name: ContainerName, restarts: u32 },
    Unhealthy { name: ContainerName, detail: String },
}

impl Trouble {
    fn is_crash_loop(&self) -> bool {
        matches!(self, Trouble::CrashLoop { .. })
    }

    fn told(&self) -> String {
        match self {
            Trouble::CrashLoop { name, restarts } => format!("{name} died {restarts} times soon after the switch"),
            Trouble::Unhealthy { name, detail } => format!("{name} turned unhealthy soon after the switch ({detail})"),
        }
    }
}

fn succeeded(deploy: &Deploy) -> bool {
    matches!(&deploy.state, DeployState::Finished { outcome: Outcome::Succeeded, .. })
}

fn is_of(container: &Container, wanted: ReleaseId) -> bool {
    matches!(&container.role, Role::Service { release, .. } if *release == wanted)
}
