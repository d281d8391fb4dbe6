//! A server's core on a stage: real store and contexts in a folder of its own, engine and router in memory.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use mypaas::api::{
    AuditEntry, DeployRequest, PlanRequest, PlanView, Problem, ReleaseView, ServiceState, Snapshot, Target,
};
use mypaas::context::{Limits, pack, select};
use mypaas::deploy::{Action, Deploy, DeployState, Event, Failure, Origin, Outcome, What};
use mypaas::engine::{Behaviour, Container, Engine, MemoryEngine};
use mypaas::machine::MemoryMachine;
use mypaas::name::{DeployId, InstanceName, ReleaseId, ServiceName};
use mypaas::router::{MemoryRouter, Router};
use mypaas::server::config::Config;
use mypaas::server::{Core, Place};
use mypaas::store::Store;

pub(crate) struct Stage {
    pub(crate) engine: Arc<MemoryEngine>,
    pub(crate) router: Arc<MemoryRouter>,
    pub(crate) machine: Arc<MemoryMachine>,
    pub(crate) core: Arc<Core>,
    config: Config,
    folder: tempfile::TempDir,
    user: tempfile::TempDir,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        Self::set(fast_folder(), config).await
    }

    pub(crate) async fn in_folder(folder: tempfile::TempDir) -> Self {
        Self::set(folder, Config::default()).await
    }

    async fn set(folder: tempfile::TempDir, config: Config) -> Self {
        let engine = Arc::new(MemoryEngine::new(InstanceName::default()));
        let router = Arc::new(MemoryRouter::new());
        let machine = Arc::new(MemoryMachine::default());
        let user = fast_folder();
        let core = open([folder.path(), user.path()], &config, &engine, &router, &machine);
        core.recover().await.unwrap();
        Self { engine, router, machine, core, folder, user, config }
    }

    /// The server's own folder.
    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    /// The home directory of its user.
    pub(crate) fn user(&self) -> &Path {
        self.user.path()
    }

    /// The server dies where it is, and starts again on what it left.
    pub(crate) async fn die_and_start(&mut self) {
        self.die().await;
        self.start().await;
    }

    /// The server dies where it is.
    pub(crate) async fn die(&self) {
        self.core.abandon();
        // The dropped tasks let go of the store.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    pub(crate) async fn start(&mut self) {
        self.start_unrecovered();
        self.core.recover().await.unwrap();
    }

    /// What its last stop cut off is not dealt with yet.
    pub(crate) fn start_unrecovered(&mut self) {
        self.core =
            open([self.folder.path(), self.user.path()], &self.config, &self.engine, &self.router, &self.machine);
    }

    /// The file of the store.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.home().join("store.db")).unwrap()
    }

    /// As if the service's program were this from the next build on.
    pub(crate) fn script(&self, service: &str, behaviour: Behaviour) {
        self.engine.script(&service.parse().unwrap(), behaviour);
    }

    pub(crate) async fn accept_push(&self, dockerfile: &str) -> Result<Deploy, Problem> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
        let selection = select(folder.path(), &Limits::default()).unwrap();
        let received = self.core.receive(pack(selection, None)).await?;
        let target = Target::Context { context: received.id.to_string() };
        self.core.accept(DeployRequest { target, origin: origin() }).await
    }

    pub(crate) async fn accept(&self, service: &str, action: Action) -> Result<Deploy, Problem> {
        let target = Target::Service { service: service.parse().unwrap(), action };
        self.core.accept(DeployRequest { target, origin: origin() }).await
    }

    pub(crate) async fn push(&self, dockerfile: &str) -> Ended {
        let deploy = self.accept_push(dockerfile).await.unwrap();
        self.end_of(deploy.id).await
    }

    pub(crate) async fn act(&self, service: &str, action: Action) -> Ended {
        let deploy = self.accept(service, action).await.unwrap();
        self.end_of(deploy.id).await
    }

    /// All events of a deploy, to its end.
    pub(crate) async fn end_of(&self, id: DeployId) -> Ended {
        let events: Vec<Event> = self.core.events(id, 1).map(Result::unwrap).collect().await;
        let Some(What::Finished { outcome }) = events.last().map(|event| event.what.clone()) else {
            panic!("{id} did not end: {events:#?}");
        };
        Ended { outcome, events }
    }

    pub(crate) async fn plan(&self, service: &str, action: Action) -> PlanView {
        let request = PlanRequest::Service { service: service.parse().unwrap(), action };
        self.core.preview(&request).await.unwrap()
    }

    /// What was asked of the server, newest first.
    pub(crate) fn audit(&self) -> Vec<AuditEntry> {
        Store::open(&self.home().join("store.db")).unwrap().audit(usize::MAX, |_| true).unwrap()
    }

    pub(crate) async fn snapshot(&self) -> Snapshot {
        self.core.snapshot().await.unwrap()
    }

    /// The releases there are, newest first; each has its image.
    pub(crate) async fn releases(&self, service: &str) -> Vec<u64> {
        let detail = self.core.service_detail(&service.parse().unwrap()).await.unwrap();
        assert!(detail.releases.iter().all(|view| view.available), "{:?}", detail.releases);
        detail.releases.iter().map(|view| view.release.id.number()).collect()
    }

    pub(crate) async fn pin(&self, service: &str, release: u64, pinned: bool) -> Result<ReleaseView, Problem> {
        self.core.pin(&service.parse().unwrap(), ReleaseId::new(release), pinned).await
    }

    pub(crate) async fn containers(&self, service: &str) -> Vec<Container> {
        let service: ServiceName = service.parse().unwrap();
        self.engine.containers(Some(&service)).await.unwrap()
    }

    /// As in `["web.r2.1", "web.r2.2"]`; those that run.
    pub(crate) async fn running(&self, service: &str) -> Vec<String> {
        let all = self.containers(service).await;
        all.iter().filter(|container| container.is_running()).map(|container| container.name.to_string()).collect()
    }

    /// What must hold whenever no deploy runs: the history has no open end; what the record says is live runs, and
    /// nothing else does; requests go to it; and there is nothing left to do.
    pub(crate) async fn check_settled(&self, service: &str) -> Result<(), String> {
        let snapshot = self.snapshot().await;
        if let Some(open) = snapshot.deploys.iter().find(|deploy| !deploy.is_finished()) {
            return Err(format!("{} never ended: {:?}", open.id, open.state));
        }
        self.check_done_was_done(&snapshot.deploys).await?;
        self.check_images(service).await?;
        let containers = self.containers(service).await;
        let Some(view) = snapshot.services.iter().find(|view| view.name.as_str() == service) else {
            return none_left(&containers, self.routed(service).await);
        };
        let running: Vec<_> = view.containers.iter().filter(|c| Some(c.release) == view.release).collect();
        if running.len() != view.containers.len() {
            return Err(format!("containers of other releases are left: {:?}", names(&containers)));
        }
        match view.state {
            ServiceState::NeverLive => none_left(&containers, self.routed(service).await),
            ServiceState::Running if view.containers.len() == view.wanted as usize => self.nothing_to_do(service).await,
            ServiceState::Stopped if self.running(service).await.is_empty() => Ok(()),
            other => Err(format!("{service} is {other:?} with {:?}, {} wanted", names(&containers), view.wanted)),
        }
    }

    /// Whoever was told that a deploy is done but for clearing away need not come back to see how it ended.
    async fn check_done_was_done(&self, deploys: &[Deploy]) -> Result<(), String> {
        for deploy in deploys {
            let Ended { outcome, events } = self.end_of(deploy.id).await;
            if !outcome.succeeded() && events.iter().any(|event| event.what == What::Done) {
                return Err(format!("{} was told to be done, and then {outcome:?}", deploy.id));
            }
        }
        Ok(())
    }

    /// Each is of a release that one can go back to.
    async fn check_images(&self, service: &str) -> Result<(), String> {
        let detail = self.core.service_detail(&service.parse().unwrap()).await;
        let releases = detail.map(|detail| detail.releases).unwrap_or_default();
        let images = self.engine.images().await.unwrap();
        let own = images.iter().filter(|image| image.name.as_str().starts_with(&format!("mypaas/{service}:")));
        let mut strays = own.filter(|image| releases.iter().all(|known| known.release.image != image.name));
        match strays.next() {
            Some(stray) => Err(format!("the image {} is of no release", stray.name)),
            None => Ok(()),
        }
    }

    async fn nothing_to_do(&self, service: &str) -> Result<(), String> {
        let plan = self.plan(service, Action::Start).await;
        if plan.steps.is_empty() { Ok(()) } else { Err(format!("still to do: {:?}", plan.steps)) }
    }

    pub(crate) async fn routed(&self, service: &str) -> bool {
        self.router.routes().await.unwrap().iter().any(|routes| routes.service.as_str() == service)
    }
}

fn none_left(containers: &[Container], routed: bool) -> Result<(), String> {
    if containers.is_empty() && !routed {
        return Ok(());
    }
    Err(format!("left behind: containers {:?}, routes: {routed}", names(containers)))
}

fn names(containers: &[Container]) -> Vec<&str> {
    containers.iter().map(|container| container.name.as_str()).collect()
}

/// The store syncs to disk at every step; thousands of deploys are quicker in memory.
fn fast_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn open(
    [home, user_home]: [&Path; 2],
    config: &Config,
    engine: &Arc<MemoryEngine>,
    router: &Arc<MemoryRouter>,
    machine: &Arc<MemoryMachine>,
) -> Arc<Core> {
    let place =
        Place { home: home.to_owned(), user_home: user_home.to_owned(), docker_host: None, docker_config: None };
    let store = Arc::new(Store::open(&home.join("store.db")).unwrap());
    let (engine, router) = (Arc::clone(engine), Arc::clone(router));
    Core::new(place, config.clone(), store, engine, router, Arc::clone(machine) as _)
}

fn origin() -> Origin {
    Origin { who: "ada@laptop".to_owned(), key: None, folder: Some("web".to_owned()), commit: None }
}

/// A deploy at its end.
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    pub(crate) events: Vec<Event>,
}

impl Ended {
    pub(crate) fn assert_succeeded(self) -> Self {
        assert_eq!(self.outcome, Outcome::Succeeded, "{:#?}", self.events);
        self
    }

    pub(crate) fn failure(self) -> Failure {
        match self.outcome {
            Outcome::Failed { failure } => failure,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn outcome(deploy: &Deploy) -> &Outcome {
    match &deploy.state {
        DeployState::Finished { outcome, .. } => outcome,
        other => panic!("{} is {other:?}", deploy.id),
    }
}

/// A service without scale, one that rolls, one that is safe; with a URL, and a volume of text to tell releases apart.
pub(crate) const SINGLE: &str = "# mypaas.service=web\n# mypaas.url=http://web.test\nFROM scratch\n";
pub(crate) const ROLLING: &str = "# mypaas.service=web\n# mypaas.url=http://web.test\n# mypaas.scale=2\nFROM scratch\n";
/// Others find it by its name alone.
pub(crate) const UNROUTED: &str = "# mypaas.service=web\n# mypaas.scale=2\nFROM scratch\n";
pub(crate) const UNROUTED_SINGLE: &str = "# mypaas.service=web\nFROM scratch\n";
pub(crate) const SAFE: &str =
    "# mypaas.service=web\n# mypaas.url=http://web.test\n# mypaas.scale=2 safe\nFROM scratch\n";
pub(crate) const MIGRATING: &str = "# mypaas.service=web\n# mypaas.url=http://web.test\n# mypaas.scale=2\n\
     # mypaas.release=[\"/app\", \"migrate\"]\nFROM scratch\n";
