//! What those hear who watch: everything once, and then what changed. Figures of many containers change each second; a
//! change of one costs some twenty bytes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Alert, ContainerView, Deploy, MachineFigures, ServerView, ServiceView, Snapshot, Traffic};
use crate::name::{DeployId, ServiceName};

/// One line of a watch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchNews {
    /// The first line.
    Whole(Box<Snapshot>),
    Change(Box<Change>),
}

/// What became other since the line before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub at: Timestamp,
    /// The server, when anything of it changed but its machine's figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerView>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineFigures>,
    /// Services that are new, or of which anything changed but figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceView>,
    /// Services that are not there any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<ServiceName>,
    /// Of other services of which figures changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<ServiceFigures>,
    /// Deploys that are new or changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deploys: Vec<Deploy>,
    /// All deploys that are shown, in order, when others are than before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploys_shown: Option<Vec<DeployId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Vec<Alert>>,
}

/// Figures of a service as they are now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceFigures {
    pub service: ServiceName,
    pub traffic: Option<Traffic>,
    /// Of those containers whose figures changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<ContainerFigures>,
}

/// Which container of the service, counted from zero; CPU in percent; memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ContainerFigures(pub u32, pub Option<f32>, pub Option<u64>);

impl Change {
    /// What has to be told to whoever knows `old`, so that they know `new`. None when nothing but the time changed.
    pub fn between(old: &Snapshot, new: &Snapshot) -> Option<Self> {
        let blank = Self { at: new.at, ..Self::default() };
        let mut change = blank.clone();
        if old.server != new.server {
            let only_machine = ServerView { machine: new.server.machine, ..old.server.clone() } == new.server;
            match new.server.machine {
                Some(machine) if only_machine => change.machine = Some(machine),
                _ => change.server = Some(new.server.clone()),
            }
        }
        change.note_services(&old.services, &new.services);
        change.note_deploys(&old.deploys, &new.deploys);
        if old.alerts != new.alerts {
            change.alerts = Some(new.alerts.clone());
        }
        (change != blank).then_some(change)
    }

    /// Both are sorted by name.
    fn note_services(&mut self, old: &[ServiceView], new: &[ServiceView]) {
        let find = |name: &ServiceName| old.binary_search_by(|known| known.name.cmp(name)).ok().map(|at| &old[at]);
        for service in new {
            match find(&service.name) {
                Some(known) if known == service => {}
                Some(known) if is_alike(known, service) => self.figures.push(figures(known, service)),
                _ => self.services.push(service.clone()),
            }
        }
        let is_there = |name: &ServiceName| new.binary_search_by(|service| service.name.cmp(name)).is_ok();
        self.gone = old.iter().filter(|known| !is_there(&known.name)).map(|known| known.name.clone()).collect();
    }

    fn note_deploys(&mut self, old: &[Deploy], new: &[Deploy]) {
        if old == new {
            return;
        }
        let known: BTreeMap<DeployId, &Deploy> = old.iter().map(|deploy| (deploy.id, deploy)).collect();
        self.deploys = new.iter().filter(|deploy| known.get(&deploy.id) != Some(deploy)).cloned().collect();
        let ids = |deploys: &[Deploy]| deploys.iter().map(|deploy| deploy.id).collect::<Vec<_>>();
        self.deploys_shown = Some(ids(new)).filter(|shown| *shown != ids(old));
    }
}

impl Snapshot {
    /// As it is after the change.
    pub fn apply(&mut self, change: Change) {
        let Change { at, server, machine, services, gone, figures, deploys, deploys_shown, alerts } = change;
        self.at = at;
        self.server = server.unwrap_or_else(|| self.server.clone());
        self.server.machine = machine.or(self.server.machine);
        self.services.retain(|service| !gone.contains(&service.name));
        for service in services {
            match self.services.binary_search_by(|known| known.name.cmp(&service.name)) {
                Ok(at) => self.services[at] = service,
                Err(at) => self.services.insert(at, service),
            }
        }
        for new in figures {
            if let Ok(at) = self.services.binary_search_by(|known| known.name.cmp(&new.service)) {
                self.services[at].take_figures(new);
            }
        }
        self.apply_deploys(deploys, deploys_shown);
        self.alerts = alerts.unwrap_or_else(|| std::mem::take(&mut self.alerts));
    }

    fn apply_deploys(&mut self, changed: Vec<Deploy>, shown: Option<Vec<DeployId>>) {
        if changed.is_empty() && shown.is_none() {
            return;
        }
        let order = shown.unwrap_or_else(|| self.deploys.iter().map(|deploy| deploy.id).collect());
        let all = std::mem::take(&mut self.deploys).into_iter().chain(changed);
        let mut known: BTreeMap<DeployId, Deploy> = all.map(|deploy| (deploy.id, deploy)).collect();
        self.deploys = order.iter().filter_map(|id| known.remove(id)).collect();
    }

    /// Takes figures back to those of an earlier snapshot where nobody would see the difference, so that they need not
    /// be told.
    pub fn settle_on(&mut self, shown: &Snapshot) {
        if let (Some(new), Some(old)) = (&mut self.server.machine, &shown.server.machine)
            && new.looks_like(old)
        {
            *new = *old;
        }
        for service in &mut self.services {
            let Ok(at) = shown.services.binary_search_by(|known| known.name.cmp(&service.name)) else { continue };
            let known = &shown.services[at];
            if let (Some(new), Some(old)) = (&mut service.traffic, &known.traffic)
                && new.looks_like(old)
            {
                *new = *old;
            }
            for (new, old) in service.containers.iter_mut().zip(&known.containers) {
                if new.name == old.name && looks_alike(new, old) {
                    new.cpu_percent = old.cpu_percent;
                    new.memory_bytes = old.memory_bytes;
                }
            }
        }
    }
}

impl ServiceView {
    fn take_figures(&mut self, figures: ServiceFigures) {
        self.traffic = figures.traffic;
        for ContainerFigures(at, cpu_percent, memory_bytes) in figures.containers {
            if let Some(container) = self.containers.get_mut(at as usize) {
                container.cpu_percent = cpu_percent;
                container.memory_bytes = memory_bytes;
            }
        }
    }
}

/// Whether they differ in figures only.
fn is_alike(one: &ServiceView, other: &ServiceView) -> bool {
    let ServiceView {
        name,
        state,
        release,
        since,
        scale,
        urls,
        certificates,
        containers,
        wanted,
        ready,
        last_deploy,
        traffic: _,
    } = one;
    *name == other.name
        && *state == other.state
        && *release == other.release
        && *since == other.since
        && *scale == other.scale
        && *urls == other.urls
        && *certificates == other.certificates
        && *wanted == other.wanted
        && *ready == other.ready
        && *last_deploy == other.last_deploy
        && containers.len() == other.containers.len()
        && containers.iter().zip(&other.containers).all(|(one, other)| is_same_container(one, other))
}

fn is_same_container(one: &ContainerView, other: &ContainerView) -> bool {
    let ContainerView {
        name,
        release,
        address,
        state,
        restarts,
        routed,
        cpu_percent: _,
        memory_bytes: _,
        memory_limit_bytes,
        cpu_limit,
    } = one;
    *name == other.name
        && *release == other.release
        && *address == other.address
        && *state == other.state
        && *restarts == other.restarts
        && *routed == other.routed
        && *memory_limit_bytes == other.memory_limit_bytes
        && *cpu_limit == other.cpu_limit
}

fn figures(old: &ServiceView, new: &ServiceView) -> ServiceFigures {
    let figures = |view: &ContainerView| (view.cpu_percent, view.memory_bytes);
    let pairs = (0..).zip(old.containers.iter().zip(&new.containers));
    let changed = pairs.filter(|(_, (old, new))| figures(old) != figures(new));
    let containers = changed.map(|(at, (_, new))| ContainerFigures(at, new.cpu_percent, new.memory_bytes)).collect();
    ServiceFigures { service: new.name.clone(), traffic: new.traffic, containers }
}

fn looks_alike(one: &ContainerView, other: &ContainerView) -> bool {
    let same_cpu = match (one.cpu_percent, other.cpu_percent) {
        (Some(one), Some(other)) => near(one.into(), other.into(), 0.05, 0.01),
        (one, other) => one == other,
    };
    let same_memory = match (one.memory_bytes, other.memory_bytes) {
        (Some(one), Some(other)) => near(one as f64, other as f64, 4096.0, 0.004),
        (one, other) => one == other,
    };
    same_cpu && same_memory
}

impl MachineFigures {
    fn looks_like(&self, other: &Self) -> bool {
        let same_cpu = match (self.cpu_percent, other.cpu_percent) {
            (Some(one), Some(other)) => near(one.into(), other.into(), 0.25, 0.01),
            (one, other) => one == other,
        };
        let same_share = |one: u64, other: u64, of: u64| near(one as f64, other as f64, of as f64 / 1000.0, 0.0);
        same_cpu
            && (self.cpus, self.memory_bytes, self.disk_bytes) == (other.cpus, other.memory_bytes, other.disk_bytes)
            && same_share(self.memory_used_bytes, other.memory_used_bytes, self.memory_bytes)
            && same_share(self.disk_used_bytes, other.disk_used_bytes, self.disk_bytes)
    }
}

impl Traffic {
    fn looks_like(&self, other: &Self) -> bool {
        let same_time = |one: Option<std::time::Duration>, other: Option<std::time::Duration>| match (one, other) {
            (Some(one), Some(other)) => near(one.as_secs_f64(), other.as_secs_f64(), 0.000_1, 0.02),
            (one, other) => one == other,
        };
        near(self.requests_per_second.into(), other.requests_per_second.into(), 0.05, 0.01)
            && near(self.error_share.into(), other.error_share.into(), 0.000_5, 0.01)
            && (self.error_share == 0.0) == (other.error_share == 0.0)
            && same_time(self.median, other.median)
            && same_time(self.p95, other.p95)
    }
}

/// Whether they differ by less than so much, or by less than such a share of them. Nothing is not near to something.
fn near(one: f64, other: f64, by: f64, share: f64) -> bool {
    let difference = (one - other).abs();
    difference == 0.0 || difference < by.max(share * one.abs().max(other.abs()))
}

#[cfg(test)]
mod tests;
