//! The container engine of this machine: installed and started where it is missing. And the router's container.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::command::{self, CommandError};
use crate::engine::{DockerEngine, DockerSettings, Engine, EngineError, EngineInfo};
use crate::name::{ContainerName, InstanceName};

/// A fresh machine may be busy with its own updates, which hold apt's lock.
const APT_LOCK: &str = "DPkg::Lock::Timeout=300";
const INSTALL_LIMIT: Duration = Duration::from_secs(20 * 60);

/// The first start makes bridges and folders.
const START_LIMIT: Duration = Duration::from_secs(90);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
const COMMAND_LIMIT: Duration = Duration::from_secs(120);

/// It outlives the shell, and the session.
const BY_HAND: &str = "command -v dockerd && { setsid dockerd </dev/null >>/var/log/docker.log 2>&1 & }";

/// For requests that Traefik has begun with.
const ROUTER_GRACE: Duration = Duration::from_secs(10);

/// Debian's own, and those that it takes them from.
const PACKAGES: [&str; 2] = ["docker.io", "iptables"];

#[derive(Debug, thiserror::Error)]
pub enum DockerError {
    #[error("Docker could not be installed")]
    Install(#[source] CommandError),
    #[error("Docker could not be started")]
    Start(#[source] CommandError),
    #[error("Docker was started, and does not answer within {START_LIMIT:?}")]
    Silent(#[source] EngineError),
}

impl DockerError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Install(_) => {
                "see what `apt-get install docker.io` says there, or install Docker in another way; then repeat this"
            }
            Self::Start(_) | Self::Silent(_) => {
                "`journalctl -u docker`, or /var/log/docker.log, says why; `docker info` has to work there"
            }
        }
    }
}

/// Whether the engine answers: at `endpoint`, as in `DOCKER_HOST`, or at its default.
pub async fn info(endpoint: Option<&str>) -> Result<EngineInfo, EngineError> {
    engine(InstanceName::default(), endpoint)?.info().await
}

/// Installs Docker by apt. Only root can.
pub async fn install() -> Result<(), DockerError> {
    let apt = async |arguments: &[&str]| {
        let arguments = [&["-q", "-o", APT_LOCK], arguments].concat();
        command::run("apt-get", &arguments, INSTALL_LIMIT).await.map_err(DockerError::Install)
    };
    apt(&["update"]).await?;
    apt(&[&["install", "-y", "--no-install-recommends"], &PACKAGES[..]].concat()).await.map(drop)
}

/// Has an engine that is installed started, unless it answers. Only root can.
pub async fn start() -> Result<EngineInfo, DockerError> {
    if let Ok(info) = info(None).await {
        return Ok(info);
    }
    let start = Instant::now();
    if has_systemd() {
        let arguments = ["enable", "--now", "docker"];
        command::run("systemctl", &arguments, COMMAND_LIMIT).await.map_err(DockerError::Start)?;
    } else if command::run("/etc/init.d/docker", &["start"], COMMAND_LIMIT).await.is_err() {
        // In a container the script may be forbidden the limits that it sets first.
        command::run("sh", &["-c", BY_HAND], COMMAND_LIMIT).await.map_err(DockerError::Start)?;
    }
    loop {
        match info(None).await {
            Ok(info) => return Ok(info),
            Err(silence) if start.elapsed() >= START_LIMIT => return Err(DockerError::Silent(silence)),
            Err(_) => sleep(BETWEEN_LOOKS).await,
        }
    }
}

/// Stops Traefik and starts it again. What it was doing it may finish; new requests are refused for a moment.
pub async fn restart_router(instance: InstanceName, endpoint: Option<&str>) -> Result<(), EngineError> {
    let name = ContainerName::from_engine(&format!("{instance}-router"));
    let engine = engine(instance, endpoint)?;
    engine.stop(&name, ROUTER_GRACE).await?;
    engine.start(&name).await
}

fn engine(instance: InstanceName, endpoint: Option<&str>) -> Result<DockerEngine, EngineError> {
    let endpoint = endpoint.unwrap_or(DockerSettings::DEFAULT_ENDPOINT).to_owned();
    DockerEngine::connect(DockerSettings { endpoint, ..DockerSettings::local(instance) })
}

/// Whether systemd runs this machine.
pub fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}
