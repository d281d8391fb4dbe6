//! Services as they are now: their containers, releases and certificates.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Action, Alert, ContainerState, Deploy, Release, ServerView, Standing, Traffic};
use crate::manifest::{CpuLimit, Manifest, Scale, ServiceUrl};
use crate::name::{ContainerName, ReleaseId, ServiceName};

/// Everything a list of services shows, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub at: Timestamp,
    pub server: ServerView,
    /// Sorted by name.
    pub services: Vec<ServiceView>,
    /// Those that wait or run, and the last few that ended; newest first.
    pub deploys: Vec<Deploy>,
    /// The gravest first.
    #[serde(default)]
    pub alerts: Vec<Alert>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceView {
    pub name: ServiceName,
    pub state: ServiceState,
    /// The live release; none when none ever was.
    pub release: Option<ReleaseId>,
    /// When it became live.
    pub since: Option<Timestamp>,
    pub scale: Option<Scale>,
    pub urls: Vec<ServiceUrl>,
    /// Of the domains of https URLs, sorted.
    #[serde(default)]
    pub certificates: Vec<CertificateView>,
    /// Sorted by name; those of a release that is about to become live too.
    pub containers: Vec<ContainerView>,
    /// How many containers of the live release should run.
    pub wanted: u32,
    /// How many of them do, and take requests.
    pub ready: u32,
    /// The newest deploy of the service.
    pub last_deploy: Option<Deploy>,
    /// None while it is not measured, or has no URL.
    #[serde(default)]
    pub traffic: Option<Traffic>,
}

/// How a domain of an https URL stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateView {
    pub domain: String,
    #[serde(flatten)]
    pub standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// All wanted containers are ready.
    Running,
    /// Some are.
    Degraded,
    /// None is, though some should be.
    Down,
    /// None is, as asked.
    Stopped,
    /// No release was ever live.
    NeverLive,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContainerView {
    pub name: ContainerName,
    pub release: ReleaseId,
    pub address: Ipv4Addr,
    pub state: ContainerState,
    /// How often it was restarted because it died.
    pub restarts: u32,
    /// Requests are sent to it.
    pub routed: bool,
    /// Of one CPU, in percent: 150 is one and a half CPUs. None until it was measured twice.
    pub cpu_percent: Option<f32>,
    pub memory_bytes: Option<u64>,
    /// What it may use, as the engine holds it to now.
    pub memory_limit_bytes: Option<u64>,
    #[serde(default)]
    pub cpu_limit: Option<CpuLimit>,
}

/// One service with its history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceDetail {
    pub service: ServiceView,
    /// Of the live release.
    pub manifest: Option<Manifest>,
    /// Newest first.
    pub releases: Vec<ReleaseView>,
    /// Newest first; the last 50.
    pub deploys: Vec<Deploy>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleaseView {
    #[serde(flatten)]
    pub release: Release,
    pub live: bool,
    /// Its image is still there, so that one can go back to it.
    pub available: bool,
    /// It is kept whatever its age, and does not count among those that are kept.
    #[serde(default)]
    pub pinned: bool,
    /// The deploy that built it.
    pub deploy: Option<Deploy>,
}

impl ServiceDetail {
    /// What one goes back to: the newest release before the live one that was deployed well, that nobody went back from,
    /// and whose image is still there.
    pub fn good_before(&self) -> Option<ReleaseId> {
        let live = self.releases.iter().find(|view| view.live).map(|view| view.release.id).or(self.service.release);
        let earlier = self.releases.iter().filter(|view| live.is_none_or(|live| view.release.id < live));
        let good = earlier.filter(|view| view.available && view.was_good() && !self.was_left(view.release.id));
        good.map(|view| view.release.id).max()
    }

    /// The last that is known of the release is that one went back from it, by hand or because it crashed.
    fn was_left(&self, release: ReleaseId) -> bool {
        let mut known =
            self.deploys.iter().filter(|deploy| deploy.succeeded()).filter_map(|deploy| match deploy.action {
                Action::Rollback { to } if deploy.from == Some(release) && to < release => Some(true),
                _ => (deploy.to == Some(release)).then_some(false),
            });
        known.next() == Some(true)
    }
}

impl ReleaseView {
    fn was_good(&self) -> bool {
        self.deploy.as_ref().is_none_or(Deploy::succeeded)
    }
}

/// Keeps a release whatever its age, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRequest {
    pub pinned: bool,
}
