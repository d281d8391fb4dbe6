//! Desired and actual → the steps between them. Pure: no clock, no randomness, no I/O; the same input gives the same
//! plan, and planning again after the plan was carried out gives no steps.
//!
//! ```text
//!   roll:            create · start · await ready · ROUTE to new · keep · drain; stop · remove old
//!   replace, safe:   create · hold · drain · stop old · start · await ready · ROUTE to new · keep; remove old
//! ```
//!
//! The step in capitals is the switch: a failure before it is undone, after it the deploy goes forward. What comes after
//! the semicolon only clears away, and nobody needs to wait for it.

mod held;
mod roll;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::desired::{Command, Desired, Goal, Pace, Serving, Strategy};
use super::step::Step;
use crate::engine::{Container, ContainerSpec, ContainerState, Role};
use crate::name::{ContainerName, DeployId, ReleaseId, ServiceName};
use crate::router::Routes;

/// What is there before the deploy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Actual {
    /// All of the service's.
    pub containers: Vec<Container>,
    pub routes: Option<Routes>,
    /// Addresses reserved for this deploy: one more than containers are wanted, for the release command.
    pub free: Vec<Ipv4Addr>,
}

/// The steps of a deploy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub deploy: DeployId,
    pub service: ServiceName,
    pub steps: Vec<Step>,
    /// Brings back what was before; for a failure before the switch. By how far the deploy came, the earliest first.
    pub undo: Vec<Undo>,
    /// Index of the first step from which on the deploy goes forward.
    pub switch: usize,
    /// Why it is done this way, in sentences.
    pub notes: Vec<String>,
}

/// How to undo a deploy that came so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Undo {
    /// Once this step had begun.
    pub since: usize,
    pub steps: Vec<Step>,
}

/// Why there can be no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("the network of the services has no free address left ({wanted} wanted, {free} free)")]
    NoAddress { wanted: usize, free: usize },
}

pub fn plan(desired: &Desired, actual: &Actual) -> Result<Plan, PlanError> {
    match &desired.goal {
        Goal::Serving(serving) => plan_serving(desired, serving, actual),
        Goal::Stopped => Ok(plan_stopped(desired, actual)),
        Goal::Gone => Ok(plan_gone(desired, actual)),
    }
}

fn plan_serving(desired: &Desired, serving: &Serving, actual: &Actual) -> Result<Plan, PlanError> {
    let cast = Cast::of(desired, serving, actual)?;
    let replaces = !cast.starting().is_empty() && !cast.retired_at_work().is_empty();
    let plan = if serving.strategy != Strategy::Roll && replaces {
        held::plan(desired, serving, actual, &cast)
    } else {
        roll::plan(desired, serving, actual, &cast)
    };
    match &serving.command {
        Some(command) if !cast.added.is_empty() => after_command(plan, command, serving, actual, desired.pace),
        _ => Ok(plan),
    }
}

/// The same plan, with the release command before anything of it.
fn after_command(
    plan: Plan,
    command: &Command,
    serving: &Serving,
    actual: &Actual,
    pace: Pace,
) -> Result<Plan, PlanError> {
    let address = *actual.free.last().ok_or(PlanError::NoAddress { wanted: 1, free: 0 })?;
    let container = serving.template.command(&command.words, address, plan.deploy);
    let remove = Step::Remove { containers: vec![container.name.clone()] };
    // It may be in the middle of something that it can end in order, as a migration.
    let stop = Step::Stop { containers: vec![container.name.clone()], grace: pace.grace };
    let run = Step::Run { container, limit: command.limit };
    let note = "The release command runs first; when it fails, nothing is changed.".to_owned();
    let later = |undo: Undo| Undo {
        since: if undo.since == 0 { 0 } else { undo.since + 2 },
        steps: undo.steps.into_iter().chain([stop.clone(), remove.clone()]).collect(),
    };
    Ok(Plan {
        undo: plan.undo.into_iter().map(later).collect(),
        steps: [run, remove.clone()].into_iter().chain(plan.steps).collect(),
        switch: plan.switch + 2,
        notes: [note].into_iter().chain(plan.notes).collect(),
        ..plan
    })
}

/// Which containers stay, come and go.
struct Cast<'a> {
    /// As wanted, and running.
    kept: Vec<&'a Container>,
    /// As wanted, but not running: only to be started.
    revived: Vec<&'a Container>,
    added: Vec<ContainerSpec>,
    retired: Vec<&'a Container>,
}

impl<'a> Cast<'a> {
    fn of(desired: &Desired, serving: &Serving, actual: &'a Actual) -> Result<Self, PlanError> {
        let wanted = serving.count as usize;
        let (mut fit, mut retired): (Vec<_>, Vec<_>) =
            actual.containers.iter().partition(|container| fits(container, desired, serving));
        fit.sort_by_key(|container| !container.is_running());
        retired.extend(fit.drain(wanted.min(fit.len())..));
        let missing = wanted - fit.len();
        if actual.free.len() < missing {
            return Err(PlanError::NoAddress { wanted: missing, free: actual.free.len() });
        }
        let (kept, revived) = fit.into_iter().partition(|container| container.is_running());
        let added = free_slots(serving, actual)
            .zip(&actual.free)
            .take(missing)
            .map(|(slot, address)| serving.template.container(slot, *address, desired.deploy))
            .collect();
        Ok(Self { kept, revived, added, retired })
    }

    fn starting(&self) -> Vec<ContainerName> {
        let revived = self.revived.iter().map(|container| container.name.clone());
        revived.chain(self.added.iter().map(|spec| spec.name.clone())).collect()
    }

    /// Those that serve in the end.
    fn serving(&self) -> Vec<ContainerName> {
        let there = self.kept.iter().chain(&self.revived).map(|container| &container.name);
        let mut all: Vec<_> = there.chain(self.added.iter().map(|spec| &spec.name)).cloned().collect();
        all.sort();
        all
    }

    /// Where they answer.
    fn targets(&self, serving: &Serving) -> Vec<SocketAddrV4> {
        let there = self.kept.iter().chain(&self.revived).map(|container| container.address);
        let all: BTreeSet<_> = there.chain(self.added.iter().map(|spec| spec.address)).collect();
        all.into_iter().map(|address| serving.template.target(address)).collect()
    }

    fn running_retired(&self) -> Vec<&'a Container> {
        self.retired.iter().copied().filter(|container| container.is_running()).collect()
    }

    /// Those that run, and then those that the engine is about to start again.
    fn retired_at_work(&self) -> Vec<&'a Container> {
        let mut all: Vec<_> = self.retired.iter().copied().filter(|container| !has_ended(container)).collect();
        all.sort_by_key(|container| !container.is_running());
        all
    }
}

/// Whether a container may stay as it is. One that the engine keeps restarting is none to keep.
fn fits(container: &Container, desired: &Desired, serving: &Serving) -> bool {
    let Role::Service { release, deploy, .. } = &container.role else { return false };
    *release == serving.template.release
        && container.digest == serving.template.digest
        && !matches!(container.state, ContainerState::Restarting { .. })
        && (!serving.fresh || *deploy == desired.deploy)
}

fn free_slots(serving: &Serving, actual: &Actual) -> impl Iterator<Item = u32> {
    let taken: BTreeSet<ContainerName> = actual.containers.iter().map(|container| container.name.clone()).collect();
    (1..).filter(move |slot| !taken.contains(&serving.template.name(*slot)))
}

/// The routes in the end; none where the service has no URL.
fn final_routes(desired: &Desired, serving: &Serving, cast: &Cast<'_>) -> Option<Routes> {
    (!serving.urls.is_empty()).then(|| Routes {
        service: desired.service.clone(),
        urls: serving.urls.clone(),
        targets: cast.targets(serving),
        healthcheck: serving.healthcheck.clone(),
        hold: None,
    })
}

/// Back to the routes that were there.
fn reroute_back(before: Option<&Routes>, containers: Vec<ContainerName>) -> Step {
    match before {
        Some(routes) => Step::Route { routes: routes.clone(), containers },
        None => Step::Withdraw,
    }
}

/// The step from the present routes to others, where they differ.
fn reroute(present: Option<&Routes>, wanted: Option<Routes>, containers: Vec<ContainerName>) -> Option<Step> {
    match (present, wanted) {
        (present, Some(routes)) if present != Some(&routes) => Some(Step::Route { routes, containers }),
        (Some(_), None) => Some(Step::Withdraw),
        _ => None,
    }
}

impl Plan {
    /// How long requests wait at most while old containers stop and new ones start; none when they need not wait.
    pub fn hold(&self) -> Option<Duration> {
        self.steps.iter().find_map(|step| match step {
            Step::Hold { routes } => routes.hold,
            _ => None,
        })
    }

    /// What undoes the deploy when this step had begun; none when no step had.
    pub fn undo_after(&self, begun: Option<usize>) -> &[Step] {
        let undo = self.undo.iter().rfind(|undo| undo.since <= begun.unwrap_or(0));
        undo.map(|undo| undo.steps.as_slice()).unwrap_or_default()
    }

    /// From this step on, what was before is only cleared away: what starts serves. None where nothing is to be cleared
    /// away, and where nothing starts, for then what goes is all that is wanted.
    pub fn clears_from(&self) -> Option<usize> {
        let starts = self.steps.iter().any(|step| matches!(step, Step::Start { .. }));
        let clears = |step: &Step| matches!(step, Step::Stop { .. } | Step::Remove { .. });
        let from = self.steps.iter().rposition(|step| !clears(step)).map_or(0, |last| last + 1);
        (starts && from < self.steps.len()).then_some(from)
    }

    /// Whether a failure of this step can still be undone: before the switch, and in the switch itself where that is a
    /// change of the routes which can be taken back.
    pub fn can_undo(&self, index: usize) -> bool {
        let switches = self.steps.get(index).is_some_and(Step::is_switch);
        index < self.switch || (index == self.switch && switches && !self.undo.is_empty())
    }
}

fn plan_stopped(desired: &Desired, actual: &Actual) -> Plan {
    let running: Vec<_> = actual.containers.iter().filter(|c| !has_ended(c)).collect();
    let unrouted = actual.routes.as_ref().map(|routes| Routes { targets: Vec::new(), hold: None, ..routes.clone() });
    let mut steps: Vec<_> = reroute(actual.routes.as_ref(), unrouted, Vec::new()).into_iter().collect();
    steps.extend(drain(&running, actual, desired.pace.drain, desired.pace.drain));
    steps.extend(stop(&running, desired.pace));
    let notes = vec!["The containers and their release stay, so that the service can be started again.".to_owned()];
    forward_only(desired, steps, notes)
}

fn plan_gone(desired: &Desired, actual: &Actual) -> Plan {
    let all: Vec<_> = actual.containers.iter().collect();
    let mut steps: Vec<_> = reroute(actual.routes.as_ref(), None, Vec::new()).into_iter().collect();
    steps.extend(drain(&all, actual, desired.pace.drain, desired.pace.drain));
    steps.extend(stop(&all, desired.pace));
    steps.extend(remove(&all));
    forward_only(desired, steps, vec!["The folders of its volumes stay on the server.".to_owned()])
}

fn forward_only(desired: &Desired, steps: Vec<Step>, notes: Vec<String>) -> Plan {
    Plan { deploy: desired.deploy, service: desired.service.clone(), steps, undo: Vec::new(), switch: 0, notes }
}

/// Stopped by somebody, and not about to be started by the engine.
fn has_ended(container: &Container) -> bool {
    matches!(container.state, ContainerState::Exited { .. } | ContainerState::Created)
}

fn names(containers: &[&Container]) -> Vec<ContainerName> {
    containers.iter().map(|container| container.name.clone()).collect()
}

/// Only containers that took requests have any to finish.
fn drain(leaving: &[&Container], actual: &Actual, limit: Duration, blind: Duration) -> Option<Step> {
    let routed = |container: &&&Container| {
        let routes = actual.routes.as_ref();
        container.is_running()
            && routes.is_none_or(|routes| routes.targets.iter().any(|target| target.ip() == &container.address))
    };
    let containers: Vec<_> = leaving.iter().filter(routed).map(|container| container.name.clone()).collect();
    (!containers.is_empty()).then_some(Step::Drain { containers, limit, blind })
}

fn stop(containers: &[&Container], pace: Pace) -> Option<Step> {
    (!containers.is_empty()).then(|| Step::Stop { containers: names(containers), grace: pace.grace })
}

/// From the switch on, since nobody waits for it then.
fn keep(starting: Vec<ContainerName>) -> Option<Step> {
    (!starting.is_empty()).then_some(Step::Keep { containers: starting })
}

fn create(added: &[ContainerSpec]) -> Option<Step> {
    (!added.is_empty()).then(|| Step::Create { containers: added.to_vec() })
}

fn remove_added(added: &[ContainerSpec]) -> Option<Step> {
    let containers: Vec<_> = added.iter().map(|spec| spec.name.clone()).collect();
    (!containers.is_empty()).then_some(Step::Remove { containers })
}

fn remove(containers: &[&Container]) -> Option<Step> {
    (!containers.is_empty()).then(|| Step::Remove { containers: names(containers) })
}

/// As in `r3`, or `r3, r4` when containers of several releases are there.
fn releases(containers: &[&Container]) -> String {
    let all: BTreeSet<ReleaseId> = containers
        .iter()
        .filter_map(|container| match &container.role {
            Role::Service { release, .. } => Some(*release),
            Role::Router => None,
        })
        .collect();
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
