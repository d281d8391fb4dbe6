//! What is there now, as it is shown: of one moment, put together from engine, router and store.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::core::Core;
use super::gauge::Load;
use crate::api::{
    ContainerView, Part, Problem, ReleaseView, ServerView, ServiceDetail, ServiceState, ServiceView, Snapshot,
};
use crate::deploy::{Action, Deploy, Release};
use crate::engine::{Container, ContainerState, Health, Role};
use crate::name::{ContainerName, ReleaseId, ServiceName};
use crate::router::Routes;
use crate::store::ServiceRecord;

/// Deploys that ended which a snapshot still shows.
const RECENT_DEPLOYS: u32 = 30;

const DEPLOYS_OF_SERVICE: u32 = 50;

/// What was read at once, for all services.
struct Sight {
    containers: BTreeMap<ServiceName, Vec<Container>>,
    loads: BTreeMap<ContainerName, Load>,
    routes: HashMap<ServiceName, Routes>,
}

impl Core {
    /// Everything a list of services shows, now.
    pub async fn snapshot(&self) -> Result<Snapshot, Problem> {
        let server = self.server_view().await;
        let sight = self.look().await;
        let records = self.store.services()?;
        let services = records.iter().map(|record| self.service_view(record, &sight)).collect::<Result<_, _>>()?;
        let deploys = self.deploys(None, RECENT_DEPLOYS)?;
        Ok(Snapshot { at: Timestamp::now(), server, services, deploys, alerts: Vec::new() })
    }

    pub(super) async fn server_view(&self) -> ServerView {
        let engine = match self.engine.info().await {
            Ok(info) => Part::Up { info },
            Err(error) => Part::Down { problem: error.into() },
        };
        let router = match self.router.info().await {
            Ok(info) => Part::Up { info },
            // That it does not answer is less than why it could not be started.
            Err(error) => Part::Down { problem: self.trouble().unwrap_or_else(|| error.into()) },
        };
        ServerView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance: self.config.server.instance.clone(),
            started: self.started,
            engine,
            router,
            max_context_bytes: self.max_context_bytes(),
            machine: None,
            limits: None,
        }
    }

    /// Newest first; of all services, or of one.
    pub(super) fn deploys(&self, service: Option<&ServiceName>, limit: u32) -> Result<Vec<Deploy>, Problem> {
        let stored = self.store.deploys(service, limit)?;
        Ok(stored.into_iter().map(|deploy| self.feeds.current(deploy)).collect())
    }

    /// One service with its history.
    pub async fn service_detail(&self, name: &ServiceName) -> Result<ServiceDetail, Problem> {
        let record = self.known(name)?;
        let sight = self.look().await;
        let service = self.service_view(&record, &sight)?;
        let deploys = self.deploys(Some(name), DEPLOYS_OF_SERVICE)?;
        let images: Option<HashSet<_>> =
            self.engine.images().await.ok().map(|images| images.into_iter().map(|image| image.name).collect());
        let releases: Vec<Release> = self.store.releases(name)?;
        let live = releases.iter().find(|release| record.live == Some(release.id));
        let manifest = live.map(|release| release.manifest.clone());
        let pinned = self.store.pinned_releases(name)?;
        let view = |release: Release| ReleaseView {
            pinned: pinned.contains(&release.id),
            live: record.live == Some(release.id),
            // Without word from the engine the image is taken to be where it was put.
            available: images.as_ref().is_none_or(|images| images.contains(&release.image)),
            deploy: deploys.iter().find(|deploy| built(deploy, release.id)).cloned(),
            release,
        };
        let releases = releases.into_iter().map(view).collect();
        Ok(ServiceDetail { service, manifest, releases, deploys })
    }

    /// Parts that do not answer are told by the server's view; here they count as empty.
    async fn look(&self) -> Sight {
        let all = self.engine.containers(None).await.unwrap_or_default();
        let running: Vec<_> = all.iter().filter(|c| c.is_running()).map(|c| c.name.clone()).collect();
        let loads = self.gauge.read(&*self.engine, &running).await;
        let routes = self.router.routes().await.unwrap_or_default();
        let mut containers: BTreeMap<ServiceName, Vec<Container>> = BTreeMap::new();
        for container in all {
            if let Role::Service { service, .. } = &container.role {
                containers.entry(service.clone()).or_default().push(container);
            }
        }
        let routes = routes.into_iter().map(|routes| (routes.service.clone(), routes)).collect();
        Sight { containers, loads, routes }
    }

    fn service_view(&self, record: &ServiceRecord, sight: &Sight) -> Result<ServiceView, Problem> {
        let name = &record.name;
        let live: Option<Release> = match record.live {
            Some(id) => self.store.release(name, id)?,
            None => None,
        };
        let manifest = live.as_ref().map(|release| &release.manifest);
        let routes = sight.routes.get(name);
        let none = Vec::new();
        let there = sight.containers.get(name).unwrap_or(&none);
        let memory_limit = manifest.and_then(|manifest| manifest.max_mem).map(|limit| limit.bytes.unsigned_abs());
        let containers: Vec<_> = there
            .iter()
            .filter_map(|container| view(container, routes, sight.loads.get(&container.name), memory_limit))
            .collect();
        let declared = manifest.map_or(0, |manifest| manifest.scale.count());
        let wanted = if record.stopped || record.live.is_none() { 0 } else { record.scale.unwrap_or(declared) };
        let needs_route = manifest.is_some_and(|manifest| !manifest.urls.is_empty());
        let ready = containers.iter().filter(|c| Some(c.release) == record.live && is_ready(c, needs_route)).count();
        let ready = u32::try_from(ready).unwrap_or(u32::MAX).min(wanted);
        Ok(ServiceView {
            name: name.clone(),
            state: state(record, wanted, ready),
            release: record.live,
            since: record.since,
            scale: manifest.map(|manifest| manifest.scale),
            certificates: self.certificates.views(manifest.map_or(&[], |manifest| &manifest.urls)),
            urls: manifest.map(|manifest| manifest.urls.clone()).unwrap_or_default(),
            containers,
            wanted,
            ready,
            last_deploy: self.deploys(Some(name), 1)?.pop(),
            traffic: None,
        })
    }
}

/// Whether the deploy is the one that built the release.
fn built(deploy: &Deploy, release: ReleaseId) -> bool {
    deploy.to == Some(release) && matches!(deploy.action, Action::Push | Action::Redeploy)
}

fn state(record: &ServiceRecord, wanted: u32, ready: u32) -> ServiceState {
    match (record.live, record.stopped) {
        (None, _) => ServiceState::NeverLive,
        (_, true) => ServiceState::Stopped,
        _ if ready >= wanted => ServiceState::Running,
        _ if ready == 0 => ServiceState::Down,
        _ => ServiceState::Degraded,
    }
}

fn is_ready(container: &ContainerView, needs_route: bool) -> bool {
    let runs = match &container.state {
        ContainerState::Running { health, .. } => !matches!(health, Some(Health::Starting | Health::Unhealthy)),
        _ => false,
    };
    runs && (container.routed || !needs_route)
}

fn view(
    container: &Container,
    routes: Option<&Routes>,
    load: Option<&Load>,
    memory_limit_bytes: Option<u64>,
) -> Option<ContainerView> {
    let Role::Service { release, .. } = &container.role else { return None };
    Some(ContainerView {
        name: container.name.clone(),
        release: *release,
        address: container.address,
        state: container.state.clone(),
        restarts: container.restarts,
        routed: is_routed(routes, container.address),
        cpu_percent: load.and_then(|load| load.cpu_percent),
        memory_bytes: load.map(|load| load.memory_bytes),
        memory_limit_bytes,
    })
}

fn is_routed(routes: Option<&Routes>, address: Ipv4Addr) -> bool {
    routes.is_some_and(|routes| routes.targets.iter().any(|target| *target.ip() == address))
}
