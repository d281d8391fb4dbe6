//! What runs containers, as a port: [`Engine`]. Everything an engine makes carries our labels, and nothing without
//! them is ever touched.
//!
//! ```text
//! image.rs    images, and what they are built from
//! registry.rs where images come from, and with which logins
//! storage.rs  how images lie on the disk, and share it
//! log.rs      what containers write
//! docker/     Docker's API, by bollard
//! memory/     the in-memory twin, with faults on request; held to the same contract tests
//! exec.rs     commands on a terminal in a container
//! usage.rs    CPU and memory read from cgroup files (v1 and v2)
//! probe.rs    asking a container whether it is ready
//! sockets.rs  how many connections others hold open to a container
//! subnet.rs   the network that containers get their addresses from
//! ```

mod docker;
mod exec;
mod image;
mod log;
mod memory;
mod probe;
mod registry;
mod sockets;
mod storage;
mod subnet;
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[cfg(fuzzing)]
pub use docker::log_lines;
pub use docker::{Adopted, DockerEngine, DockerSettings, Foreign, adopted, retain_adopted, write_adopted};
pub use exec::{Exec, ExecInput, ExecOutput, ExecSession, TerminalSize};
pub use image::{Build, BuildLimits, Image};
pub use log::{LogLine, LogQuery, LogStream};
pub use memory::{
    Behaviour, BuildRecord, BuildScript, Call, Fault, FaultPlan, MemoryEngine, Moment, OnSigterm, StartScript,
};
pub use registry::{Logins, Registry, Repository, Sources, Standing};
pub use storage::{LayerId, Storage, StoredImage, Whose};
pub use subnet::{Subnet, SubnetError};

use crate::manifest::{CpuLimit, MemoryLimit, Protocol, Publish};
use crate::name::{ContainerName, DeployId, ImageName, ReleaseId, ServiceName};

pub type Result<T, E = EngineError> = std::result::Result<T, E>;

/// Why the engine did not do as told.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nobody answers: the engine is down, or its socket may not be opened.
    #[error("the container engine at {endpoint} does not answer")]
    Unreachable { endpoint: String, source: Cause },
    #[error("there is no {what} {name}")]
    NotFound { what: &'static str, name: String },
    /// The instruction that failed and what it printed are in the build's output.
    #[error("the image could not be built: {message}")]
    Build { message: String },
    #[error("the build was killed: it used more memory than the {} MiB that it may use", limit.bytes >> 20)]
    BuildOutOfMemory { limit: MemoryLimit, source: Cause },
    #[error("the image {image} could not be pulled")]
    Pull { image: ImageName, source: Cause },
    /// While an image was pulled, or built on another one.
    #[error("the registry {registry} refused an image")]
    Denied { registry: Registry, standing: Standing, source: Cause },
    #[error("port {port} of this server is taken")]
    PortTaken { port: String, source: Cause },
    /// Another container of the network runs with it.
    #[error("the address {address} is taken")]
    AddressTaken { address: Ipv4Addr, source: Cause },
    /// The name belongs to somebody else's object, which is left alone.
    #[error("the {what} {name} was not made by this server, so it is left alone; rename or remove it yourself")]
    NotOurs { what: &'static str, name: String },
    /// There is no room where the engine keeps images and containers.
    #[error("the disk of {folder} is full, where the container engine keeps its images and containers")]
    Full { folder: String, source: Cause },
    #[error("could not {action}")]
    Refused { action: String, source: Cause },
    #[error("{action} took longer than {limit:?}")]
    TimedOut { action: String, limit: Duration },
}

/// The engine's own words, or an operating system's error.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Runs containers. Calls are "ensure" calls: doing one twice is doing it once.
#[async_trait]
pub trait Engine: Send + Sync + fmt::Debug + 'static {
    /// Whether the engine answers, and what it is.
    async fn info(&self) -> Result<EngineInfo>;

    /// The instance's own network, made when it is missing.
    async fn ensure_network(&self) -> Result<Network>;

    /// All of this instance's containers of services, or those of one service; sorted by name.
    async fn containers(&self, service: Option<&ServiceName>) -> Result<Vec<Container>>;

    /// Names of containers of services as something happens to them: they came, went, or are in another state. One that
    /// is gone is named too. What happened before is not told. Ends with an error when the engine goes down; what
    /// happens until it is followed again is missed.
    async fn events(&self) -> Result<BoxStream<'static, Result<ContainerName>>>;

    /// One container of this instance, of a service or not.
    async fn inspect(&self, name: &ContainerName) -> Result<Container>;

    /// Addresses of the instance's network that are given to a container, running or not.
    async fn addresses_in_use(&self) -> Result<BTreeSet<Ipv4Addr>>;

    /// Builds an image. The build's output goes to `output`, a line each, while it runs.
    async fn build(&self, build: Build, output: &mut (dyn FnMut(String) + Send)) -> Result<Image>;

    /// The image when it is here.
    async fn image(&self, name: &ImageName) -> Result<Option<Image>>;

    /// The instance's own images (those that `build` made), sorted by name.
    async fn images(&self) -> Result<Vec<Image>>;

    /// How the images that are here lie on the disk.
    async fn storage(&self) -> Result<Storage>;

    /// Pulls the image unless it is here.
    async fn ensure_image(&self, name: &ImageName) -> Result<Image>;

    /// Removes the name from an image of this instance, and the image when that was its last name. Missing is fine.
    async fn remove_image(&self, name: &ImageName) -> Result<()>;

    /// Removes an image without a name that a build of this instance left ([`Whose::Leftover`]). Missing is fine.
    async fn remove_leftover(&self, id: &str) -> Result<()>;

    /// Removes images of this service that are whole but have no name: whoever had them built was gone right before they
    /// got theirs. None there is fine.
    async fn remove_nameless(&self, service: &ServiceName) -> Result<()>;

    /// Makes the container, not running and without a restart policy. One of that name that was made from the same
    /// spec (by its digest) stays; one made from another spec is replaced.
    async fn create(&self, spec: &ContainerSpec) -> Result<()>;

    /// Starts it; one that runs stays as it is.
    async fn start(&self, name: &ContainerName) -> Result<()>;

    /// From now on the engine restarts it when it dies and after a reboot, or no longer.
    async fn set_restart(&self, name: &ContainerName, restart: Restart) -> Result<()>;

    /// Gives one that does not run another address, and these host names beside its own, from its next start on.
    async fn readdress(&self, name: &ContainerName, address: Ipv4Addr, aliases: &[String]) -> Result<()>;

    /// Gives it another name, running or not. One that has it already is fine.
    async fn rename(&self, from: &ContainerName, to: &ContainerName) -> Result<()>;

    /// SIGTERM, then SIGKILL after the grace time. One that does not run, or is gone, is fine.
    async fn stop(&self, name: &ContainerName, grace: Duration) -> Result<()>;

    /// Kills and removes it. One that is gone is fine.
    async fn remove(&self, name: &ContainerName) -> Result<()>;

    /// What the container wrote, oldest first.
    async fn logs(&self, name: &ContainerName, query: &LogQuery) -> Result<BoxStream<'static, Result<LogLine>>>;

    /// CPU time and memory of the named containers that run; cheap enough for every second.
    async fn usage(&self, names: &[ContainerName]) -> Result<BTreeMap<ContainerName, Usage>>;

    /// How many connections others hold open to what the container listens on, idle ones too; 0 when it does not run.
    /// None where that cannot be seen.
    async fn connections(&self, name: &ContainerName) -> Result<Option<u32>>;

    /// Runs a command in a running container, on a terminal of its own.
    async fn exec(&self, name: &ContainerName, exec: &Exec) -> Result<ExecSession>;

    /// Asks a running container once whether it is ready.
    async fn probe(&self, name: &ContainerName, probe: &Probe) -> Result<ProbeAnswer>;
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// `Docker`.
    pub name: String,
    pub version: String,
    pub cpus: u32,
    pub memory_bytes: u64,
    /// The folder in which it keeps images and containers; none when it does not say.
    #[serde(default)]
    pub data_root: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    pub name: String,
    pub subnet: Subnet,
    /// The server's own address on it.
    pub gateway: Ipv4Addr,
}

/// Everything a container is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerSpec {
    pub name: ContainerName,
    pub role: Role,
    pub image: ImageName,
    /// Empty: the image's own.
    pub command: Vec<String>,
    pub env: BTreeMap<String, Secret>,
    pub binds: Vec<Bind>,
    pub publish: Vec<Publish>,
    /// Of the kernel, for the container's own network, as in `net.ipv4.tcp_tw_reuse`. Empty: the server's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sysctls: BTreeMap<String, String>,
    pub max_cpu: Option<CpuLimit>,
    pub max_mem: Option<MemoryLimit>,
    /// Host names on the instance's network, beside the container's own name.
    pub aliases: Vec<String>,
    /// Fixed: kept through restarts.
    pub address: Ipv4Addr,
    /// Tells two specs apart (kept as a label).
    pub digest: SpecDigest,
}

/// What a container is for; kept as labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub enum Role {
    Service { service: ServiceName, release: ReleaseId, slot: u32, deploy: DeployId },
    Router,
}

/// A hash over what a container is made from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpecDigest(pub String);

/// A value that is never shown: neither printed nor serialized.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: String) -> Self {
        Self(value)
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        <()>::deserialize(deserializer).map(|()| Self::default())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    pub server_dir: PathBuf,
    pub container_dir: String,
    pub read_only: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Restart {
    Never,
    UnlessStopped,
}

/// A container as the engine sees it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    pub name: ContainerName,
    /// The engine's own id.
    pub id: String,
    pub role: Role,
    pub image: ImageName,
    pub digest: SpecDigest,
    pub address: Ipv4Addr,
    /// What it may use now, which need not be what it was made with.
    #[serde(default)]
    pub max_cpu: Option<CpuLimit>,
    #[serde(default)]
    pub max_mem: Option<MemoryLimit>,
    /// While it runs: the ports of the server that lead to it, with those that the engine chose.
    #[serde(default)]
    pub published: Vec<PublishedPort>,
    pub restart: Restart,
    /// How often the engine restarted it by itself.
    pub restarts: u32,
    pub created: Timestamp,
    pub state: ContainerState,
}

impl Container {
    pub fn is_running(&self) -> bool {
        matches!(self.state, ContainerState::Running { .. })
    }

    /// It runs, or the engine is about to start it again.
    pub fn is_at_work(&self) -> bool {
        matches!(self.state, ContainerState::Running { .. } | ContainerState::Restarting { .. })
    }

    pub fn is_of(&self, wanted: ReleaseId) -> bool {
        matches!(self.role, Role::Service { release, .. } if release == wanted)
    }
}

/// A port of the server that leads to a port of a running container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PublishedPort {
    pub container_port: u16,
    pub protocol: Protocol,
    pub address: IpAddr,
    pub host_port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum ContainerState {
    Created,
    Running {
        since: Timestamp,
        /// By the image's HEALTHCHECK; none when it has none.
        health: Option<Health>,
    },
    /// It died, and the engine will start it again.
    Restarting {
        exit: Exit,
    },
    Exited {
        exit: Exit,
        at: Timestamp,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    Starting,
    Healthy,
    Unhealthy,
}

/// How a container's process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    pub code: i64,
    /// Killed for using more memory than it may. An engine overlooks this now and then; the code is 137 all the same.
    pub out_of_memory: bool,
}

/// What a container has used; a rate is the difference of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Since it started.
    pub cpu_time: Duration,
    /// Now, without the page cache that the kernel would give back.
    pub memory_bytes: u64,
}

/// One way of asking whether a container is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "probe", rename_all = "snake_case")]
pub enum Probe {
    /// The image's HEALTHCHECK, as the engine runs it.
    ImageHealth,
    /// The path answers 2xx or 3xx on the container itself.
    Http { port: u16, path: String, timeout: Duration },
    /// The port accepts a connection.
    Connect { port: u16, timeout: Duration },
    /// It runs; that it does so for long enough is for the caller to see.
    Running,
}

/// What a container answered to a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum ProbeAnswer {
    Ready {
        /// As in `HTTP 200`, `connected`, `healthy`.
        detail: String,
    },
    /// Not yet; asking again makes sense.
    NotReady { detail: String },
    /// The container does not run any more; asking again makes no sense.
    Exited { exit: Exit },
}
