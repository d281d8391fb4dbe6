//! A server of the test's own, and how a test looks at it.
//!
//! ```text
//! settings.rs   its config.toml
//! process.rs    `mypaas serve` as a child that is heard of: ready, stopping, its log
//! command.rs    any other mypaas command, to its end or line by line
//! project.rs    folders to push, with the example services' program
//! web.rs        requests through Traefik
//! operator.rs   somebody at a machine of their own, with keys
//! authority.rs  certificates of the operator's own
//! sshd.rs       an sshd on the loopback
//! pebble.rs     a certificate authority of the test's own
//! objects.rs    what is in Docker, and what the server holds: before and after
//! ```

pub(crate) mod authority;
mod command;
mod objects;
pub(crate) mod operator;
pub(crate) mod pebble;
mod process;
mod project;
mod settings;
pub(crate) mod sshd;
mod web;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use mypaas::api::{Deploy, DeployState, Failure, Outcome, Part, RouterInfo, ServerView, ServiceDetail};
use mypaas::client::Client;
use mypaas::server::socket_path;
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

pub(crate) use self::command::Told;
pub(crate) use self::objects::docker;
use self::process::Process;
pub(crate) use self::settings::Settings;
pub(crate) use self::web::ask;
use crate::sweep::Sweep;

/// So many servers at once are what a machine with two processors bears.
const MOST_SERVERS: u32 = 3;
static PLACES: Semaphore = Semaphore::const_new(MOST_SERVERS as usize);

/// What belongs to one test. When it is dropped, also by a panic, its server dies and its objects go.
pub(crate) struct Stage {
    process: Option<Process>,
    /// As in DOCKER_HOST, for every command from now on; none: this machine's Docker.
    pub(crate) docker_host: Option<String>,
    sweep: Sweep,
    folder: TempDir,
    _place: SemaphorePermit<'static>,
}

impl Stage {
    /// With a server that is ready.
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let mut stage = Self::without_server(settings).await;
        stage.start().await;
        stage
    }

    /// With the machine to itself, for measurements under load.
    pub(crate) async fn alone(settings: Settings) -> Self {
        let mut stage = Self::set(settings, MOST_SERVERS).await;
        stage.start().await;
        stage
    }

    /// Only the server folder, with its configuration.
    pub(crate) async fn without_server(settings: Settings) -> Self {
        Self::set(settings, 1).await
    }

    async fn set(settings: Settings, places: u32) -> Self {
        let place = PLACES.acquire_many(places).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let stage = Self { process: None, docker_host: None, sweep: Sweep::new(), folder, _place: place };
        fs::create_dir_all(stage.home()).unwrap();
        stage.configure(&settings);
        stage
    }

    /// Writes the server's configuration anew; a server that runs does not see it.
    pub(crate) fn configure(&self, settings: &Settings) {
        fs::write(self.home().join("config.toml"), settings.text(self.instance())).unwrap();
    }

    pub(crate) async fn start(&mut self) {
        let mut process = Process::spawn(self);
        process.until_told("READY=1").await;
        self.process = Some(process);
    }

    /// Does not wait until it is ready.
    pub(crate) fn begin_start(&mut self) {
        self.process = Some(Process::spawn(self));
    }

    pub(crate) fn process(&mut self) -> &mut Process {
        self.process.as_mut().unwrap()
    }

    /// As its service manager would: SIGTERM, and wait.
    pub(crate) async fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        process.terminate();
        assert_eq!(process.end().await, Some(0), "{}", process.log());
    }

    /// SIGKILL.
    pub(crate) async fn kill(&mut self) {
        self.process.take().unwrap().kill().await;
    }

    pub(crate) fn instance(&self) -> &str {
        &self.sweep.instance
    }

    /// The server folder.
    pub(crate) fn home(&self) -> PathBuf {
        self.user_home().join("_mypaas")
    }

    pub(crate) fn user_home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn client(&self) -> Client {
        Client::unix(&socket_path(&self.home())).unwrap()
    }

    pub(crate) async fn view(&self) -> ServerView {
        self.client().server().await.unwrap()
    }

    pub(crate) async fn service(&self, name: &str) -> ServiceDetail {
        self.client().service(&name.parse().unwrap()).await.unwrap()
    }

    /// The last deploy of the service, which has failed.
    pub(crate) async fn failure(&self, name: &str) -> Failure {
        match self.last_deploy(name).await.state {
            DeployState::Finished { outcome: Outcome::Failed { failure }, .. } => failure,
            other => panic!("the last deploy of {name} did not fail: {other:?}"),
        }
    }

    pub(crate) async fn last_deploy(&self, name: &str) -> Deploy {
        self.service(name).await.deploys.swap_remove(0)
    }

    /// Where Traefik takes http requests.
    pub(crate) async fn router(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.ports().await.http_port).into()
    }

    pub(crate) async fn https_port(&self) -> u16 {
        self.ports().await.https_port
    }

    async fn ports(&self) -> RouterInfo {
        match self.view().await.router {
            Part::Up { info } => info,
            Part::Down { problem } => panic!("there is no router: {problem:?}"),
        }
    }
}
