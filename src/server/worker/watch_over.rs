//! A new release that is ready is not yet one that works. For a while after the switch it is watched; when it crashes
//! again and again, or turns unhealthy, the release before it comes back, by a deploy like any other.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};

use super::Work;
use crate::api::{Problem, ProblemCode};
use crate::deploy::{Action, Deploy, DeployState, Desired, Goal, Origin, Outcome, Serving, Strategy};
use crate::engine::{Container, ContainerState, Health, Probe, ProbeAnswer};
use crate::name::{ContainerName, ReleaseId, ServiceName};
use crate::router::RUSH;
use crate::server::core::Core;
use crate::store::StoreError;

const PERIOD: Duration = Duration::from_secs(1);

/// Between two looks at the store while another deploy is under way.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A service may die once of a passing cause; twice in so short a time is a pattern.
const MOST_RESTARTS: u32 = 2;

/// So many looks at a container in a row must be bad, so that a single slow answer takes no release away.
const BAD_LOOKS: u32 = 3;

/// So many deploys of a service are looked through for the one that made a release live.
const LATEST: u32 = 50;

impl Core {
    /// Watches in the background where there is a release to go back to.
    pub(super) fn watch_over(self: &Arc<Self>, deploy: &Deploy, desired: &Desired) {
        self.watch_for(self.config.deploy.watch, deploy, desired);
    }

    /// Takes up the watches that the last stop of the server ended.
    pub(super) fn resume_watches(self: &Arc<Self>) -> Result<(), Problem> {
        for record in self.store.services()? {
            if let Some((deploy, left)) = self.watched(&record.name)?
                && let Err(problem) = self.resume_watch(&deploy, left)
            {
                tracing::warn!(deploy = %deploy.id, problem = problem.message, "the release is no longer watched");
            }
        }
        Ok(())
    }

    fn resume_watch(self: &Arc<Self>, deploy: &Deploy, left: Duration) -> Result<(), Problem> {
        let Some(to) = deploy.to else { return Ok(()) };
        let release = self.release(&deploy.service, to)?;
        let desired = self.desire_dry(deploy.id, &deploy.service, &deploy.action, Some(&release))?;
        self.watch_for(left, deploy, &desired);
        Ok(())
    }

    /// The deploy whose new release may still be taken back for the one before it, and how much longer it is watched.
    pub(super) fn watched(&self, service: &ServiceName) -> Result<Option<(Deploy, Duration)>, StoreError> {
        let record = self.store.service(service)?.filter(|record| !record.stopped);
        let Some(live) = record.and_then(|record| record.live) else { return Ok(None) };
        let newest_first = self.store.deploys::<Deploy>(Some(service), LATEST)?;
        let brings_release = |deploy: &Deploy| succeeded(deploy) && changes_release(&deploy.action);
        let Some(at) = newest_first.iter().position(brings_release) else { return Ok(None) };
        let (later, made_live) = (&newest_first[..at], &newest_first[at]);
        let left = left(self.config.deploy.watch, made_live, later, Timestamp::now());
        let is_watched = !left.is_zero() && is_new(&made_live.action) && made_live.to == Some(live);
        Ok(is_watched.then(|| (made_live.clone(), left)))
    }

    fn watch_for(self: &Arc<Self>, time: Duration, deploy: &Deploy, desired: &Desired) {
        let (Some(before), Goal::Serving(serving)) = (deploy.from, &desired.goal) else { return };
        if !is_new(&deploy.action) || before == serving.template.release || time.is_zero() {
            return;
        }
        let (core, deploy, serving) = (Arc::clone(self), deploy.clone(), serving.clone());
        let watching = async move { core.watch_until_sure(time, &deploy, &serving, before).await };
        self.in_background(watching);
    }

    async fn watch_until_sure(self: &Arc<Self>, time: Duration, deploy: &Deploy, serving: &Serving, before: ReleaseId) {
        let (mut left, mut bad_looks) = (time, BadLooks::default());
        let calm = Instant::now() + rush(serving);
        let mut changes = self.changed.subscribe();
        while !left.is_zero() {
            let began = Instant::now();
            sleep(PERIOD).await;
            changes.mark_unchanged();
            match self.stands(&deploy.service, serving.template.release) {
                Stands::Alone => {}
                Stands::WhileDeploying => {
                    bad_looks = BadLooks::default();
                    // Its end may be written late, while the disk is full.
                    let _ = timeout(LONGEST_PAUSE, changes.changed()).await;
                    continue;
                }
                Stands::NoMore => return,
            }
            let mut troubles = self.troubles_of(deploy, serving).await;
            troubles.retain(|trouble| trouble.is_crash_loop() || began >= calm);
            if let Some(trouble) = bad_looks.count(troubles)
                && self.bring_back(deploy, serving.template.release, before, &trouble).is_break()
            {
                return;
            }
            // In the rush little can be told, so it is no part of the time.
            if began >= calm {
                left = left.saturating_sub(began.elapsed());
            }
        }
    }

    /// Whether a release is still what serves.
    fn stands(&self, service: &ServiceName, release: ReleaseId) -> Stands {
        let found = || -> Result<Stands, StoreError> {
            let deploying = self.store.unfinished_deploys::<Deploy>()?;
            if deploying.iter().any(|deploy| deploy.service == *service) {
                return Ok(Stands::WhileDeploying);
            }
            let record = self.store.service(service)?;
            let is_live = record.is_some_and(|record| record.live == Some(release) && !record.stopped);
            Ok(if is_live { Stands::Alone } else { Stands::NoMore })
        };
        found().unwrap_or_else(|error| {
            tracing::warn!(%service, %error, "the release is no longer watched");
            Stands::NoMore
        })
    }

    /// An engine that does not answer is no fault of the release.
    async fn troubles_of(&self, deploy: &Deploy, serving: &Serving) -> Vec<Trouble> {
        let containers = self.engine.containers(Some(&deploy.service)).await.unwrap_or_default();
        let new = containers.iter().filter(|container| container.is_of(serving.template.release));
        let looks = join_all(new.map(|container| self.look_at(container, &serving.readiness.probe)));
        looks.await.into_iter().flatten().collect()
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

    /// Goes on when another deploy came meanwhile.
    fn bring_back(
        self: &Arc<Self>,
        deploy: &Deploy,
        release: ReleaseId,
        before: ReleaseId,
        trouble: &Trouble,
    ) -> ControlFlow<()> {
        let service = &deploy.service;
        let origin = Origin::server();
        let action = Action::Rollback { to: before };
        let work = Work::Change { action: action.clone() };
        // Whoever asked for something since the look knows better what is to serve.
        let stands_alone = || match self.stands(service, release) {
            Stands::Alone => Ok(()),
            Stands::WhileDeploying | Stands::NoMore => {
                let message = format!("another deploy of {service} came meanwhile");
                Err(Problem::new(ProblemCode::Conflict, message))
            }
        };
        let why = format!("{service} went back to {before} by itself: {}", trouble.told());
        let accepted = self
            .check_accepting()
            .and_then(|()| self.release(service, before))
            .and_then(|_| self.admit(service, action, work, origin, Some(why.clone()), stands_alone));
        match accepted {
            Ok(_) => tracing::warn!(deploy = %deploy.id, "{why}"),
            Err(problem) => {
                let (problem, trouble) = (problem.message, trouble.told());
                tracing::warn!(deploy = %deploy.id, %service, trouble, problem, "it does not go back by itself");
                if self.stands(service, release) != Stands::Alone {
                    return ControlFlow::Continue(());
                }
            }
        }
        ControlFlow::Break(())
    }
}

/// Whether a release that is watched is what serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// And nobody is about to change that.
    Alone,
    /// It may be another soon; containers may come and go meanwhile.
    WhileDeploying,
    NoMore,
}

enum Trouble {
    CrashLoop { name: ContainerName, restarts: u32 },
    Unhealthy { name: ContainerName, detail: String },
}

/// How often in a row each container was in trouble.
#[derive(Default)]
struct BadLooks(BTreeMap<ContainerName, u32>);

impl BadLooks {
    /// The first trouble that is no passing one.
    fn count(&mut self, troubles: Vec<Trouble>) -> Option<Trouble> {
        self.0.retain(|name, _| troubles.iter().any(|trouble| trouble.container() == name));
        for trouble in &troubles {
            *self.0.entry(trouble.container().clone()).or_default() += 1;
        }
        let is_sure = |trouble: &Trouble| trouble.is_crash_loop() || self.0[trouble.container()] >= BAD_LOOKS;
        troubles.into_iter().find(is_sure)
    }
}

/// For so long containers may only be too busy to tell that they are well: all come at once that were held.
fn rush(serving: &Serving) -> Duration {
    if serving.strategy == Strategy::Roll || serving.urls.is_empty() { Duration::ZERO } else { RUSH }
}

impl Trouble {
    fn container(&self) -> &ContainerName {
        match self {
            Trouble::CrashLoop { name, .. } | Trouble::Unhealthy { name, .. } => name,
        }
    }

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

/// How much of a watch is left. The time in which later deploys, the newest first, were under way does not count.
fn left(watch: Duration, made_live: &Deploy, later: &[Deploy], now: Timestamp) -> Duration {
    let mut left = watch;
    let mut seen = finished(made_live).unwrap_or(now);
    for deploy in later.iter().rev() {
        left = left.saturating_sub(between(seen, deploy.accepted));
        let Some(ended) = finished(deploy) else { return left };
        seen = seen.max(ended);
    }
    left.saturating_sub(between(seen, now))
}

fn finished(deploy: &Deploy) -> Option<Timestamp> {
    match deploy.state {
        DeployState::Finished { finished, .. } => Some(finished),
        _ => None,
    }
}

/// A clock that was set back makes no watch longer.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// It brings a release of its own.
fn is_new(action: &Action) -> bool {
    matches!(action, Action::Push | Action::Redeploy)
}

fn changes_release(action: &Action) -> bool {
    is_new(action) || matches!(action, Action::Rollback { .. })
}

fn succeeded(deploy: &Deploy) -> bool {
    matches!(&deploy.state, DeployState::Finished { outcome: Outcome::Succeeded, .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::DeployId;

    fn deploy(accepted: i64, ended: Option<i64>) -> Deploy {
        let at = |second| Timestamp::from_second(second).unwrap();
        let finished = |ended| DeployState::Finished {
            started: None,
            finished: at(ended),
            outcome: Outcome::Superseded { by: DeployId::new(9) },
        };
        Deploy {
            id: DeployId::new(1),
            service: "web".parse().unwrap(),
            action: Action::Push,
            from: None,
            to: None,
            origin: Origin { who: String::new(), key: None, folder: None, commit: None },
            accepted: at(accepted),
            state: ended.map_or(DeployState::Queued, finished),
        }
    }

    /// Of thirty seconds from second 100 on, at second 120; later deploys from and to these seconds, the oldest first.
    fn left_after(later: &[(i64, Option<i64>)]) -> u64 {
        let later: Vec<_> = later.iter().rev().map(|(accepted, ended)| deploy(*accepted, *ended)).collect();
        let now = Timestamp::from_second(120).unwrap();
        left(Duration::from_secs(30), &deploy(90, Some(100)), &later, now).as_secs()
    }

    #[test]
    fn a_watch_stands_still_while_later_deploys_are_under_way() {
        assert_eq!(left_after(&[]), 10);
        assert_eq!(left_after(&[(105, Some(115))]), 20);
        assert_eq!(left_after(&[(105, Some(110)), (112, Some(119))]), 22);
        assert_eq!(left_after(&[(105, Some(115)), (107, Some(110))]), 20, "one waited for the other");
        assert_eq!(left_after(&[(105, None)]), 25);
        assert_eq!(left_after(&[(105, None), (106, Some(107))]), 25, "the one that waited was cancelled");
        assert_eq!(left_after(&[(95, Some(150))]), 30, "the clock was set back");
    }

    #[test]
    fn a_slow_answer_of_one_container_and_then_of_another_is_no_trouble_that_lasts() {
        let unwell = |slot: u32| Trouble::Unhealthy {
            name: ContainerName::from_engine(&format!("web.r2.{slot}")),
            detail: String::new(),
        };
        let mut looks = BadLooks::default();
        for slots in [vec![1], vec![2], vec![3, 1], vec![], vec![1, 2], vec![2]] {
            assert!(looks.count(slots.into_iter().map(unwell).collect()).is_none());
        }
        assert_eq!(looks.count(vec![unwell(1), unwell(2)]).unwrap().container().as_str(), "web.r2.2");
    }

    #[test]
    fn a_watch_that_has_ended_is_not_taken_up_for_a_deploy_long_after() {
        let made_live = deploy(0, Some(10));
        let now = Timestamp::from_second(1010).unwrap();
        assert_eq!(left(Duration::from_secs(30), &made_live, &[deploy(1000, Some(1005))], now), Duration::ZERO);
    }
}
