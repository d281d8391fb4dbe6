//! What of a snapshot gives cause for concern, right now. Pure: told the time and what is told already.

use std::collections::BTreeSet;
use std::net::SocketAddrV4;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::book::Book;
use super::restarts::Restarts;
use crate::api::{
    AlertKind, CertificateView, ContainerState, ContainerView, Deploy, DeployState, Health, MachineFigures, Outcome,
    Part, Phase, Problem, RouterInfo, ServiceState, ServiceView, Snapshot, Standing, Unreplaced,
};
use crate::deploy::{Action, Origin};
use crate::name::{ContainerName, ServiceName};

/// In percent: from where on it is too much, and below what it is well again.
const DISK: (u64, u64) = (90, 87);
const MACHINE_MEMORY: (u64, u64) = (95, 90);
const CONTAINER_MEMORY: (u64, u64) = (92, 85);

/// So many restarts within the window are a loop.
const LOOP: usize = 3;

/// Which cause it is: the same one has the same key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) kind: AlertKind,
    pub(super) service: Option<ServiceName>,
    pub(super) container: Option<ContainerName>,
    /// Tells apart what is alike else: a domain, a part.
    pub(super) detail: String,
}

impl Default for Key {
    fn default() -> Self {
        Self { kind: AlertKind::Other, service: None, container: None, detail: String::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) key: Key,
    /// Where that is known better than by when it was first seen.
    pub(super) since: Option<Timestamp>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) restarts: &'a Restarts,
    /// Containers that fail the router's health check.
    pub(super) unwell: &'a BTreeSet<SocketAddrV4>,
    /// A certificate that is valid for less is about to lapse.
    pub(super) certificate_time: Duration,
    /// What is told already: that takes more to be over than it took to begin.
    pub(super) active: &'a Book,
}

pub(super) fn causes(sight: &Sight<'_>, now: Timestamp) -> Vec<Cause> {
    let server = &sight.snapshot.server;
    let mut causes = Vec::new();
    causes.extend(part("engine", &server.engine));
    causes.extend(part("router", &server.router));
    causes.extend(server.router.up().and_then(unreplaced));
    causes.extend(server.unreached.as_ref().map(|problem| down("domain", problem)));
    if let Some(machine) = &server.machine {
        causes.extend(sight.of_machine(machine));
    }
    // Of containers nothing is known without the engine; that is one cause, and not one for each service.
    if server.engine.up().is_none() {
        causes.extend(sight.active.of_services());
        return causes;
    }
    for service in &sight.snapshot.services {
        causes.extend(sight.of_service(service, now));
    }
    causes
}

fn part<T>(name: &str, part: &Part<T>) -> Option<Cause> {
    match part {
        Part::Up { .. } => None,
        Part::Down { problem } => Some(down(name, problem)),
    }
}

fn down(name: &str, problem: &Problem) -> Cause {
    let Problem { message, hint, .. } = problem.clone();
    let key = Key { kind: AlertKind::Part, detail: name.to_owned(), ..Key::default() };
    Cause { key, since: None, message, hint }
}

/// The router is of settings of before.
fn unreplaced(router: &RouterInfo) -> Option<Cause> {
    let why = router.unreplaced.as_ref()?;
    let key = Key { kind: AlertKind::Part, detail: "router's settings".to_owned(), ..Key::default() };
    Some(Cause { key, since: None, message: why.to_string(), hint: Some(Unreplaced::hint().to_owned()) })
}

/// It has come so far that containers come and go.
fn changes_containers(deploy: &Deploy) -> bool {
    match &deploy.state {
        DeployState::Running { phase, .. } => !matches!(phase, Phase::Queued | Phase::Building | Phase::Preparing),
        DeployState::Queued | DeployState::Finished { .. } => false,
    }
}

impl Sight<'_> {
    fn of_machine(&self, machine: &MachineFigures) -> Vec<Cause> {
        let disk = Key { kind: AlertKind::Disk, ..Key::default() };
        let memory = Key { kind: AlertKind::Memory, ..Key::default() };
        let mut causes = Vec::new();
        if let Some(percent) = self.too_full(&disk, machine.disk_used_bytes, machine.disk_bytes, DISK) {
            let message = format!("the fullest disk is {percent} % full");
            let hint = "`mypaas disk` shows what takes the room, `mypaas prune` makes some.".to_owned();
            causes.push(Cause { key: disk, since: None, message, hint: Some(hint) });
        }
        let used = machine.memory_used_bytes;
        if let Some(percent) = self.too_full(&memory, used, machine.memory_bytes, MACHINE_MEMORY) {
            let message = format!("{percent} % of the machine's memory is in use");
            let hint = "Give services limits (mypaas.maxmem), or run fewer containers.".to_owned();
            causes.push(Cause { key: memory, since: None, message, hint: Some(hint) });
        }
        causes
    }

    fn of_service(&self, service: &ServiceView, now: Timestamp) -> Vec<Cause> {
        let key = |kind| Key { kind, service: Some(service.name.clone()), ..Key::default() };
        let mut causes = Vec::new();
        let is_changed = self.deploys_of(service).any(changes_containers);
        // What a deploy takes away for a moment it brings back. It was not the deploy that took away what was gone before.
        if service.state == ServiceState::Down && (!is_changed || self.active.is_active(&key(AlertKind::Down))) {
            let message = match service.wanted {
                1 => format!("{} is down: its container is not ready", service.name),
                wanted => format!("{} is down: none of its {wanted} containers is ready", service.name),
            };
            let hint = "Its log says what its containers did last; `mypaas rollback` goes back to an earlier release.";
            causes.push(Cause { key: key(AlertKind::Down), since: None, message, hint: Some(hint.to_owned()) });
        }
        causes.extend(failed(service, key(AlertKind::DeployFailed)));
        // A deploy may also have a container of a release that is not live yet: its release command's.
        if !self.deploys_of(service).any(|deploy| !deploy.is_finished()) {
            causes.extend(left_over(service).into_iter().map(|(container, message)| {
                let hint = Some("The server tries to stop it; its log tells why that fails.".to_owned());
                let key = Key { container: Some(container), ..key(AlertKind::Leftover) };
                Cause { key, since: None, message, hint }
            }));
            causes.extend(lacking(service, key(AlertKind::Unhealthy)));
        }
        for container in &service.containers {
            causes.extend(self.of_container(service, container));
        }
        let lapses = |view: &CertificateView| {
            let key = Key { detail: view.domain.clone(), ..key(AlertKind::Certificate) };
            certificate(view, key, self.certificate_time, now)
        };
        causes.extend(service.certificates.iter().filter_map(lapses));
        causes
    }

    /// Those that are shown, in no order: the newest one may wait for the one that changes something.
    fn deploys_of<'s>(&'s self, service: &'s ServiceView) -> impl Iterator<Item = &'s Deploy> {
        let others = self.snapshot.deploys.iter().filter(|deploy| deploy.service == service.name);
        service.last_deploy.iter().chain(others)
    }

    fn of_container(&self, service: &ServiceView, container: &ContainerView) -> Vec<Cause> {
        let name = &container.name;
        let key = |kind| Key {
            kind,
            service: Some(service.name.clone()),
            container: Some(name.clone()),
            detail: String::new(),
        };
        let cause = |kind, message, hint: &str| Cause { key: key(kind), since: None, message, hint: Some(hint.into()) };
        let mut causes = Vec::new();
        let (restarts, is_looping) = (self.restarts.of(name), self.active.is_active(&key(AlertKind::CrashLoop)));
        if restarts >= LOOP || (is_looping && restarts > 0) {
            let last = last_exit(container).map(|code| format!(", last with code {code}")).unwrap_or_default();
            let message = format!("{name} died {restarts} times in ten minutes{last}");
            causes.push(cause(AlertKind::CrashLoop, message, "Its log says why."));
        }
        if let ContainerState::Running { health, .. } = &container.state {
            let fails_router = container.routed && self.unwell.iter().any(|unwell| *unwell.ip() == container.address);
            if *health == Some(Health::Unhealthy) {
                let message = format!("the image's health check fails in {name}");
                causes.push(cause(AlertKind::Unhealthy, message, "Its log may say why."));
            } else if fails_router {
                let message = format!("{name} fails mypaas.healthcheck and gets no requests");
                causes.push(cause(AlertKind::Unhealthy, message, "Its log may say why."));
            }
        }
        if let (Some(used), Some(limit)) = (container.memory_bytes, container.memory_limit_bytes)
            && let Some(percent) = self.too_full(&key(AlertKind::Memory), used, limit, CONTAINER_MEMORY)
        {
            let message = format!("{name} uses {percent} % of the memory that it may use ({} MiB)", limit >> 20);
            causes.push(cause(AlertKind::Memory, message, "Beyond it the kernel kills it; raise mypaas.maxmem."));
        }
        causes
    }

    /// In percent, if it is too much.
    fn too_full(&self, key: &Key, used: u64, total: u64, (begins, ends): (u64, u64)) -> Option<u64> {
        let percent = used.saturating_mul(100) / total.max(1);
        let limit = if self.active.is_active(key) { ends } else { begins };
        (percent >= limit).then_some(percent)
    }
}

/// Containers that run though nothing asks for them, with what to say of each.
fn left_over(service: &ServiceView) -> Vec<(ContainerName, String)> {
    let runs = |container: &&ContainerView| {
        matches!(container.state, ContainerState::Running { .. } | ContainerState::Restarting { .. })
    };
    let (of_live, of_others): (Vec<_>, Vec<_>) =
        service.containers.iter().filter(runs).partition(|container| Some(container.release) == service.release);
    let not_live = of_others.into_iter().map(|container| {
        (container.name.clone(), format!("{} still runs, though {} is not live", container.name, container.release))
    });
    let wanted = service.wanted as usize;
    // Without a URL nobody knows which of them is too many.
    let is_known = wanted > 0 && !service.urls.is_empty();
    let too_many = if is_known { of_live.len().saturating_sub(wanted) } else { 0 };
    let beside = of_live.into_iter().filter(|container| !container.routed).take(too_many).map(|container| {
        (container.name.clone(), format!("{} still runs, beside the {wanted} that are wanted", container.name))
    });
    not_live.chain(beside).collect()
}

/// Containers that somebody took away by hand are not made anew: whoever did that may know why.
fn lacking(service: &ServiceView, key: Key) -> Option<Cause> {
    let of_live = service.containers.iter().filter(|container| Some(container.release) == service.release);
    let (there, wanted) = (of_live.count(), service.wanted as usize);
    let message = format!("{} has only {there} of its {wanted} containers", service.name);
    let hint = format!("`mypaas start SERVER {}` makes what is missing.", service.name);
    (service.state == ServiceState::Degraded && there < wanted).then_some(Cause {
        key,
        since: None,
        message,
        hint: Some(hint),
    })
}

fn last_exit(container: &ContainerView) -> Option<i64> {
    match &container.state {
        ContainerState::Restarting { exit } | ContainerState::Exited { exit, .. } => Some(exit.code),
        ContainerState::Created | ContainerState::Running { .. } => None,
    }
}

fn failed(service: &ServiceView, key: Key) -> Option<Cause> {
    let deploy = service.last_deploy.as_ref()?;
    let DeployState::Finished { finished, outcome, .. } = &deploy.state else { return None };
    if outcome.succeeded() {
        return went_back(deploy, key, *finished);
    }
    let (reason, hint) = match outcome {
        Outcome::Failed { failure } => (&failure.message, failure.hint.clone()),
        Outcome::Interrupted { detail } => (detail, None),
        Outcome::Succeeded | Outcome::Superseded { .. } | Outcome::Cancelled { .. } => return None,
    };
    let message = format!("{} of {} failed: {reason}", deploy.id, service.name);
    Some(Cause { key, since: Some(*finished), message, hint })
}

/// The release that is gone again was pushed by somebody who was told that it was live.
fn went_back(deploy: &Deploy, key: Key, since: Timestamp) -> Option<Cause> {
    let Deploy { id, service, action, from, origin, .. } = deploy;
    let Action::Rollback { to } = action else { return None };
    let failed = from.filter(|_| *origin == Origin::server())?;
    let message = format!("{service} went back from {failed} to {to} by itself ({id})");
    let hint =
        format!("`mypaas releases SERVER {service} --release {failed}` tells what it did last; mend it and push.");
    Some(Cause { key, since: Some(since), message, hint: Some(hint) })
}

fn certificate(view: &CertificateView, key: Key, time: Duration, now: Timestamp) -> Option<Cause> {
    let domain = &view.domain;
    let because = |refusal: &Option<String>| refusal.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let (since, message) = match &view.standing {
        Standing::Refused { reason, at } => (Some(*at), format!("no certificate was given for {domain}: {reason}")),
        Standing::Expired { expires, refusal, .. } => {
            (Some(*expires), format!("the certificate of {domain} has expired{}", because(refusal)))
        }
        Standing::Valid { expires, refusal, .. } if expires.duration_since(now).unsigned_abs() < time => {
            (None, format!("the certificate of {domain} expires at {expires}{}", because(refusal)))
        }
        Standing::Valid { .. } | Standing::Pending | Standing::None => return None,
    };
    let hint = "It is asked for anew by itself once the cause is mended.".to_owned();
    Some(Cause { key, since, message, hint: Some(hint) })
}

#[cfg(test)]
mod tests;
