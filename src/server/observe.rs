//! What is there now, as it is shown: of one moment, put together from engine, router and store.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::core::Core;
use super::figures::{Board, Load};
use crate::api::{
    ContainerView, Part, Problem, ReleaseView, ServerView, ServiceDetail, ServiceState, ServiceView, Snapshot, Traffic,
};
use crate::deploy::{Action, Deploy, Release};
use crate::engine::{Container, ContainerState, EngineInfo, Health, Role};
use crate::name::{ReleaseId, ServiceName};
use crate::router::{RouterError, RouterInfo, Routes};
use crate::store::ServiceRecord;

/// Deploys that ended which a snapshot still shows.
const RECENT_DEPLOYS: u32 = 30;

const DEPLOYS_OF_SERVICE: u32 = 50;

/// What was read at once, for all services.
struct Sight {
    containers: BTreeMap<ServiceName, Vec<Container>>,
    board: Board,
    routes: HashMap<ServiceName, Routes>,
}

/// How engine and router were when they were last asked, for those who watch.
#[derive(Debug, Default)]
pub(super) struct Parts {
    engine: Mutex<Option<Part<EngineInfo>>>,
    router: Mutex<Option<Part<RouterInfo>>>,
    /// Looks in a row, until now, at which the router said nothing.
    silences: AtomicU32,
}

/// So many in a row are no mere delay: while thousands of requests come at once, a router answers late.
const SILENCES: u32 = 2;

impl Parts {
    /// Says whether that is news.
    pub(super) fn note_router(&self, router: Part<RouterInfo>) -> bool {
        replace_if_other(&self.router, router)
    }

    /// Counts a look at the router. False where it says nothing of it: one that was up may only be busy.
    pub(super) fn is_word_of_router(&self, info: &Result<RouterInfo, RouterError>) -> bool {
        if !info.as_ref().is_err_and(RouterError::is_silence) {
            self.silences.store(0, Ordering::Relaxed);
            return true;
        }
        let silences = self.silences.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        !self.is_router_up() || silences >= SILENCES
    }

    /// Whether it was looked at.
    pub(super) fn knows_router(&self) -> bool {
        locked(&self.router).is_some()
    }

    pub(super) fn is_router_up(&self) -> bool {
        matches!(&*locked(&self.router), Some(Part::Up { .. }))
    }

    pub(super) fn is_engine_up(&self) -> bool {
        matches!(&*locked(&self.engine), Some(Part::Up { .. }))
    }

    fn note_engine(&self, engine: Part<EngineInfo>) -> bool {
        replace_if_other(&self.engine, engine)
    }
}

fn replace_if_other<T: PartialEq>(known: &Mutex<Option<T>>, new: T) -> bool {
    let mut known = locked(known);
    let is_other = known.as_ref() != Some(&new);
    *known = Some(new);
    is_other
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    /// Everything a list of services shows, asked for now.
    pub async fn snapshot(&self) -> Result<Snapshot, Problem> {
        let server = self.server_view().await;
        let containers = self.containers_now(None).await;
        let sight = self.sight(containers).await;
        self.assemble(server, &sight)
    }

    /// The same from what was seen and told of late, which costs next to nothing.
    pub(super) async fn seen_snapshot(&self) -> Result<Snapshot, Problem> {
        let (engine, router) = (locked(&self.parts.engine).clone(), locked(&self.parts.router).clone());
        let server = match (engine, router) {
            (Some(engine), Some(router)) => self.server_of(engine, router),
            _ => self.server_view().await,
        };
        let containers = self.roster.of(None);
        let sight = self.sight(containers).await;
        self.assemble(server, &sight)
    }

    /// With the figures of now, and else as it was.
    pub(super) fn refreshed(&self, seen: &Snapshot) -> Snapshot {
        let board = self.figures.board();
        let mut snapshot = seen.clone();
        snapshot.server.machine = board.machine;
        for service in &mut snapshot.services {
            service.traffic = traffic(service.urls.is_empty(), &service.name, &board);
            for container in &mut service.containers {
                let load = board.loads.get(&container.name);
                container.cpu_percent = load.and_then(|load| load.cpu_percent);
                container.memory_bytes = load.map(|load| load.memory_bytes);
            }
        }
        snapshot
    }

    fn assemble(&self, server: ServerView, sight: &Sight) -> Result<Snapshot, Problem> {
        let records = self.store.services()?;
        let services = records.iter().map(|record| self.service_view(record, sight)).collect::<Result<_, _>>()?;
        let deploys = self.deploys(None, RECENT_DEPLOYS)?;
        Ok(Snapshot { at: Timestamp::now(), server, services, deploys, alerts: self.alerts.current() })
    }

    async fn server_view(&self) -> ServerView {
        let router = self.router_now().await;
        self.server_of(self.engine_part().await, router)
    }

    /// The same for who only wants to know whom it talks to. An engine that goes down ends its events, which is seen at
    /// once; to be asked how it is takes Docker longer than anything else that a push asks for.
    pub(super) async fn known_server_view(&self) -> ServerView {
        let known = locked(&self.parts.engine).clone().filter(|engine| engine.up().is_some());
        let router = self.router_now().await;
        let engine = match known {
            Some(engine) => engine,
            None => self.engine_part().await,
        };
        self.server_of(engine, router)
    }

    fn server_of(&self, engine: Part<EngineInfo>, router: Part<RouterInfo>) -> ServerView {
        ServerView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance: self.config.server.instance.clone(),
            started: self.started,
            engine,
            router,
            max_context_bytes: self.max_context_bytes(),
            machine: self.figures.board().machine,
            limits: None,
            unreached: self.network.unreached(),
        }
    }

    /// Asks the engine how it is.
    pub(super) async fn look_at_parts(&self) {
        let was_up = self.parts.is_engine_up();
        if self.parts.note_engine(self.engine_part().await) {
            self.roster.mark_changed();
        }
        if was_up && let Some(Part::Down { problem }) = &*locked(&self.parts.engine) {
            tracing::warn!(causes = ?problem.causes, "the engine does not answer: {}", problem.message);
        } else if !was_up && self.parts.is_engine_up() {
            tracing::info!("the engine answers");
        }
    }

    async fn engine_part(&self) -> Part<EngineInfo> {
        match self.engine.info().await {
            Ok(info) => {
                if let Some(folder) = &info.data_root {
                    // It does not move while the engine runs.
                    self.data_root.get_or_init(|| folder.clone());
                }
                Part::Up { info }
            }
            Err(error) => Part::Down { problem: error.into() },
        }
    }

    /// One that says nothing is as it was when it was last looked at; the next look tells.
    async fn router_now(&self) -> Part<RouterInfo> {
        let info = self.router.info().await;
        let known = locked(&self.parts.router).clone().filter(|known| known.up().is_some());
        match known {
            Some(known) if info.as_ref().is_err_and(RouterError::is_silence) => known,
            _ => self.router_part(info),
        }
    }

    pub(super) fn router_part(&self, info: Result<RouterInfo, RouterError>) -> Part<RouterInfo> {
        match info {
            Ok(info) => Part::Up { info },
            // That it does not answer is less than why it could not be started.
            Err(error) => Part::Down { problem: self.trouble().unwrap_or_else(|| error.into()) },
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
        let containers = self.containers_now(Some(name)).await;
        let sight = self.sight(containers).await;
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
    async fn sight(&self, all: Vec<Container>) -> Sight {
        let routes = self.router.routes().await.unwrap_or_default();
        let mut containers: BTreeMap<ServiceName, Vec<Container>> = BTreeMap::new();
        for container in all {
            if let Role::Service { service, .. } = &container.role {
                containers.entry(service.clone()).or_default().push(container);
            }
        }
        let routes = routes.into_iter().map(|routes| (routes.service.clone(), routes)).collect();
        Sight { containers, board: self.figures.board(), routes }
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
        let containers: Vec<_> = there
            .iter()
            .filter_map(|container| view(container, routes, sight.board.loads.get(&container.name)))
            .collect();
        let wanted = wanted(record, live.as_ref());
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
            traffic: traffic(manifest.is_none_or(|manifest| manifest.urls.is_empty()), name, &sight.board),
            urls: manifest.map(|manifest| manifest.urls.clone()).unwrap_or_default(),
            containers,
            wanted,
            ready,
            last_deploy: self.deploys(Some(name), 1)?.pop(),
        })
    }
}

/// So many containers of the live release are to run.
pub(super) fn wanted(record: &ServiceRecord, live: Option<&Release>) -> u32 {
    let declared = live.map_or(0, |release| release.manifest.scale.count());
    if record.stopped || record.live.is_none() { 0 } else { record.scale.unwrap_or(declared) }
}

/// A service without a URL gets no requests that anybody counts.
fn traffic(is_hidden: bool, service: &ServiceName, board: &Board) -> Option<Traffic> {
    if is_hidden { None } else { board.traffic.get(service).copied() }
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

fn view(container: &Container, routes: Option<&Routes>, load: Option<&Load>) -> Option<ContainerView> {
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
        memory_limit_bytes: container.max_mem.map(|limit| limit.bytes.unsigned_abs()),
        cpu_limit: container.max_cpu,
    })
}

fn is_routed(routes: Option<&Routes>, address: Ipv4Addr) -> bool {
    routes.is_some_and(|routes| routes.targets.iter().any(|target| *target.ip() == address))
}
