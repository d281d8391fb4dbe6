//! A server, its engine behind a proxy, and a service to deploy again and again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mypaas::api::{Deploy, Outcome};
use mypaas::client::ClientError;
use mypaas::name::ReleaseId;

use super::check;
use super::engine::Engine;
use crate::load::{Load, Pressure, Running};
use crate::project::Project;
use crate::proxy::Proxy;
use crate::server::Server;

pub(crate) const SERVICE: &str = "web";
const HOST: &str = "web.test";

const MACHINES: &str = "/var/run/docker.sock";

const QUIET_LIMIT: Duration = Duration::from_secs(180);

/// Short, since nothing in flight takes long here; and nobody watches a release when its deploy is over.
const DEPLOY: &str =
    "ready_deadline = \"20s\"\ndrain = \"500ms\"\nsettle = \"500ms\"\ngrace = \"2s\"\nwatch = \"off\"\n";

/// A way to deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The value of `mypaas.scale`.
    scale: &'static str,
    pub(crate) containers: usize,
}

pub(crate) const CASES: [Case; 3] = [
    Case { name: "roll", scale: "2 roll", containers: 2 },
    Case { name: "safe", scale: "2 safe", containers: 2 },
    Case { name: "replace", scale: "0", containers: 1 },
];

/// When it is dropped, everything of it goes.
pub(crate) struct Stage {
    pub(crate) case: Case,
    pub(crate) server: Server,
    pub(crate) proxy: Proxy,
    /// Where it is not the machine's.
    pub(crate) engine: Option<Arc<Engine>>,
    project: Project,
    edition: u64,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// With a release that serves, on the machine's own engine or on another.
    pub(crate) async fn new(case: Case, engine: Option<Arc<Engine>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("docker.sock");
        let mut server = Server::new(&socket, DEPLOY);
        // The server looks after its router all the time; that is no part of a deploy.
        let router = format!("/{}-router/", server.instance());
        let behind = engine.as_ref().map_or_else(|| PathBuf::from(MACHINES), |engine| engine.socket());
        let proxy = Proxy::start(&socket, &behind, router);
        server.start().await;
        let project = Project::new(server.instance().as_str());
        let mut stage = Self { case, server, proxy, engine, project, edition: 0, _folder: folder };
        let deploy = stage.push().await.unwrap();
        let ended = stage.server.end_of(deploy.id, QUIET_LIMIT).await.map(|deploy| deploy.state);
        check::quiet(&stage).await.unwrap_or_else(|wrong| panic!("{wrong}: {ended:?}\n{}", stage.server.log()));
        stage
    }

    /// Asks for a release that differs from the one before in one file.
    pub(crate) async fn push(&mut self) -> Result<Deploy, ClientError> {
        self.edition += 1;
        let scale = format!("scale={}", self.case.scale);
        let options = [&format!("service={SERVICE}"), &format!("url=http://{HOST}"), &scale];
        self.server.push(self.project.write(self.edition, &options.map(String::as_str), &[])).await
    }

    /// The release that the server says is live.
    pub(crate) async fn live(&self) -> Result<ReleaseId, String> {
        let detail = self.server.client.service(&SERVICE.parse().unwrap()).await;
        let detail = detail.map_err(|error| format!("the server does not know the service: {error}"))?;
        detail.service.release.ok_or_else(|| "the server says that nothing is live".to_owned())
    }

    /// Requests, until they are stopped.
    pub(crate) async fn requests(&self, per_second: u32) -> Running {
        let load = Load {
            server: self.server.router().await,
            host: HOST.to_owned(),
            per_second,
            limit: Duration::from_secs(45),
            pressure: Pressure::Steady,
        };
        load.start()
    }

    pub(crate) fn routes_folder(&self) -> PathBuf {
        self.server.home().join("traefik/config/routes")
    }
}

/// The release that a deploy ought to have left.
pub(crate) fn told(deploy: &Deploy, outcome: &Outcome) -> Option<ReleaseId> {
    match outcome {
        Outcome::Succeeded => deploy.to,
        _ => deploy.from,
    }
}
