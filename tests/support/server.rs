//! `mypaas serve` as a process of the test: with a folder, an instance and ports of its own, and a client to it.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::Docker;
use futures_util::stream::StreamExt;
use mypaas::api::{Deploy, DeployRequest, Origin, Target};
use mypaas::client::{Client, ClientError};
use mypaas::context::{Limits, pack, select};
use mypaas::name::{DeployId, InstanceName};
use mypaas::server::socket_path;
use tokio::time::{sleep, timeout};

use crate::sweep::Sweep;

const START_LIMIT: Duration = Duration::from_secs(90);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// When it is dropped, also by a panic, its process dies and its objects in Docker go.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) client: Client,
    docker: PathBuf,
    process: Option<Process>,
    sweep: Sweep,
    folder: tempfile::TempDir,
}

#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself. What it made in Docker is swept next, so it must be gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Starts nothing. `docker` is the socket of the engine that it is to use; `deploy` is that section of its
    /// configuration.
    pub(crate) fn new(docker: &Path, deploy: &str) -> Self {
        let sweep = Sweep::new();
        let instance = &sweep.instance;
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("server");
        fs::create_dir_all(&home).unwrap();
        let config = format!(
            "[server]\ninstance = {instance:?}\n\
             [router]\nbind = \"127.0.0.1\"\nhttp_port = 0\nhttps_port = 0\n\
             [deploy]\n{deploy}"
        );
        fs::write(home.join("config.toml"), config).unwrap();
        Self {
            client: Client::unix(&socket_path(&home)).unwrap(),
            docker: docker.to_owned(),
            process: None,
            sweep,
            folder,
        }
    }

    /// Returns once it answers, and has dealt with what its last end cut off. One that runs is killed first.
    pub(crate) async fn start(&mut self) {
        self.kill();
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        // Whatever ends the test ends it too.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", env!("CARGO_BIN_EXE_mypaas"), "serve"])
            .env("MYPAAS_HOME", self.home())
            .env("HOME", self.folder.path())
            .env("DOCKER_HOST", format!("unix://{}", self.docker.display()))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.process = Some(Process(child.unwrap()));
        self.until_well().await;
    }

    /// Returns once it answers, and its router too.
    pub(crate) async fn until_well(&mut self) {
        let start = Instant::now();
        while let Err(error) = self.look().await {
            assert!(start.elapsed() < START_LIMIT, "the server is not well: {error}\n{}", self.log());
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn look(&mut self) -> Result<(), String> {
        if let Some(Process(child)) = &mut self.process
            && let Ok(Some(status)) = child.try_wait()
        {
            panic!("the server ended with {status}\n{}", self.log());
        }
        let view = self.client.server().await.map_err(|error| error.to_string())?;
        view.router.up().map(drop).ok_or_else(|| "there is no router".to_owned())
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// Sends the folder, and asks for it to be deployed.
    pub(crate) async fn push(&self, folder: &Path) -> Result<Deploy, ClientError> {
        let selection = select(folder, &Limits::default()).unwrap();
        let context = self.client.upload(pack(selection, None), Arc::default()).await?.id;
        let origin = Origin { who: "ada@laptop".to_owned(), key: None, folder: None, commit: None };
        self.client.deploy(&DeployRequest { target: Target::Context { context }, origin }).await
    }

    /// The deploy at its end; none when it has none within the limit.
    pub(crate) async fn end_of(&self, id: DeployId, limit: Duration) -> Option<Deploy> {
        let ended = async {
            loop {
                match self.client.deploy_state(id).await {
                    Ok(deploy) if deploy.is_finished() => return deploy,
                    _ => self.until_events_end(id).await,
                }
            }
        };
        timeout(limit, ended).await.ok()
    }

    /// They end with the deploy, and with the server.
    async fn until_events_end(&self, id: DeployId) {
        if let Ok(mut events) = self.client.deploy_events(id, 1).await {
            while let Some(Ok(_)) = events.next().await {}
        }
        sleep(LOOK_AGAIN).await;
    }

    /// Where Traefik takes requests on the services' network. Those from outside arrive there too, translated by the
    /// kernel; for those to a port of this machine's loopback Docker has a slow proxy of its own.
    pub(crate) async fn router(&self) -> SocketAddr {
        let docker = Docker::connect_with_unix_defaults().unwrap();
        let found = docker.inspect_container(&format!("{}-router", self.sweep.instance), None).await.unwrap();
        let networks = found.network_settings.unwrap().networks.unwrap();
        let address = networks.into_values().find_map(|network| network.ipam_config?.ipv4_address).unwrap();
        SocketAddr::new(address.parse().unwrap(), 80)
    }

    pub(crate) fn instance(&self) -> InstanceName {
        self.sweep.instance.parse().unwrap()
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}
