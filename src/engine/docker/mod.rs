//! [`Engine`] by Docker's API.
//!
//! Only objects that carry this instance's labels are listed, changed or removed: each call on a name looks first whose
//! it is. Each call has a time limit.
//!
//! ```text
//! label.rs       the labels by which our objects are known again
//! error.rs       Docker's answers → EngineError
//! spec.rs        ContainerSpec → what Docker makes a container from
//! container.rs   Docker's containers → ours; whose they are
//! events.rs      what happens to them
//! announce.rs    a container that has started tells its neighbours where it is
//! lifecycle.rs   create, start, restart policy, rename, stop, remove
//! image.rs       images that are here, pulling, removing
//! build.rs       building an image from a streamed context
//! login.rs       what `docker login` left for the server's user
//! limit.rs       what a build may use
//! request.rs     what the library cannot say
//! mark.rs        our labels on each layer of a build
//! storage.rs     how images lie on the disk: whose they are, and which layers they share
//! output.rs      a build's output, piece by piece → lines
//! network.rs     the instance's network and the addresses on it
//! logs.rs        reading and following what containers write
//! frame.rs       Docker's pieces of a log → lines
//! usage.rs       CPU and memory, from cgroup files where they can be read
//! sockets.rs     connections that others hold open, from the kernel's tables where they can be read
//! exec.rs        commands on a terminal in a container
//! ask.rs         probing a container
//! adopted.rs     containers that were taken over, not made
//! foreign.rs     containers of the Python original, to be taken over
//! ```

#[cfg(fuzzing)]
pub use self::frame::log_lines;

mod adopted;
mod announce;
mod ask;
mod build;
mod container;
mod error;
mod events;
mod exec;
mod foreign;
mod frame;
mod image;
mod label;
mod lifecycle;
mod limit;
mod login;
mod logs;
mod mark;
mod network;
mod output;
mod request;
mod sockets;
mod spec;
mod storage;
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::stream::BoxStream;

use self::adopted::Register;
pub use self::adopted::{Adopted, adopted, retain_adopted, write_adopted};
use self::error::{Asked, is_full, words};
pub use self::foreign::Foreign;
use self::login::Keychain;
use self::usage::Gauges;
use super::probe::Prober;
use super::{
    Build, Cause, Container, ContainerSpec, Engine, EngineError, EngineInfo, Exec, ExecSession, Image, LogLine,
    LogQuery, Network, Probe, ProbeAnswer, Restart, Result, Storage, Subnet, Usage,
};
use crate::name::{ContainerName, ImageName, InstanceName, ServiceName};

/// For questions that Docker answers from memory.
const QUICK: Duration = Duration::from_secs(30);

/// For work on a container: file systems are mounted, processes are killed, directories are removed.
const WORK: Duration = Duration::from_secs(90);

/// The library's own limit, out of the way of ours.
const LIBRARY_LIMIT_SECONDS: u64 = 24 * 60 * 60;

/// Which Docker, and what is ours in it.
#[derive(Debug, Clone)]
pub struct DockerSettings {
    pub instance: InstanceName,
    /// For the instance's network; none: the first free one of a list.
    pub subnet: Option<Subnet>,
    /// A unix socket, as in `unix:///var/run/docker.sock`: the value of `DOCKER_HOST`, or the default.
    pub endpoint: String,
    /// The file that names containers that were taken over ([`Adopted`]); none: there are none.
    pub adopted: Option<PathBuf>,
    /// The file in which `docker login` keeps logins to registries, `config.json`; none: nothing is known of any.
    pub logins: Option<PathBuf>,
}

impl DockerSettings {
    pub const DEFAULT_ENDPOINT: &'static str = "unix:///var/run/docker.sock";

    /// The machine's own Docker, at its usual place.
    pub fn local(instance: InstanceName) -> Self {
        Self { instance, subnet: None, endpoint: Self::DEFAULT_ENDPOINT.to_owned(), adopted: None, logins: None }
    }
}

/// A Docker engine on this machine.
#[derive(Debug)]
pub struct DockerEngine {
    docker: Docker,
    instance: InstanceName,
    subnet: Option<Subnet>,
    endpoint: String,
    prober: Prober,
    gauges: Gauges,
    adopted: Register,
    keychain: Keychain,
    /// Docker makes two networks of one name when asked twice at once.
    making_network: tokio::sync::Mutex<()>,
}

impl DockerEngine {
    /// Prepares to talk to the engine; whether it answers is seen at the first call.
    ///
    /// # Errors
    /// `Unreachable` when the endpoint is no unix socket of this machine; `Refused` when the file of containers that were
    /// taken over cannot be read.
    pub fn connect(settings: DockerSettings) -> Result<Self> {
        let DockerSettings { instance, subnet, endpoint, adopted, logins } = settings;
        let unreachable = |source| EngineError::Unreachable { endpoint: endpoint.clone(), source };
        if !endpoint.starts_with("unix://") && !endpoint.starts_with('/') {
            return Err(unreachable("only a unix socket will do, as in unix:///var/run/docker.sock".into()));
        }
        let docker = Docker::connect_with_unix(&endpoint, LIBRARY_LIMIT_SECONDS, API_DEFAULT_VERSION)
            .map_err(|error| unreachable(words(error)))?;
        let register = adopted.as_deref().map(Register::read).transpose().map_err(|error| EngineError::Refused {
            action: format!("read {}", adopted.as_deref().unwrap_or_else(|| Path::new("")).display()),
            source: error.into(),
        })?;
        Ok(Self {
            docker,
            instance,
            subnet,
            prober: Prober::new()?,
            gauges: Gauges::new(),
            adopted: register.unwrap_or_default(),
            keychain: Keychain { file: logins, programs: None },
            making_network: tokio::sync::Mutex::default(),
            endpoint,
        })
    }

    /// One call to Docker, with its limit and its errors in our words.
    async fn call<T>(
        &self,
        asked: Asked<'_>,
        limit: Duration,
        call: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T> {
        match tokio::time::timeout(limit, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.explain(asked, error).await),
            Err(_) => Err(asked.timed_out(limit)),
        }
    }

    /// Docker's answer in our words.
    async fn explain(&self, asked: Asked<'_>, error: bollard::errors::Error) -> EngineError {
        match asked.explain(error, &self.endpoint) {
            EngineError::Refused { source, .. } if is_full(&source.to_string()) => self.full(source).await,
            explained => explained,
        }
    }

    async fn full(&self, source: Cause) -> EngineError {
        let info = tokio::time::timeout(QUICK, self.docker.info()).await;
        let folder = info.ok().and_then(|info| info.ok()?.docker_root_dir);
        EngineError::Full { folder: folder.unwrap_or_else(|| "Docker's folder".to_owned()), source }
    }

    /// A filter for Docker's lists: what carries this instance's label.
    fn own_label(&self) -> String {
        format!("{}={}", label::INSTANCE, self.instance)
    }
}

#[async_trait]
impl Engine for DockerEngine {
    async fn info(&self) -> Result<EngineInfo> {
        let asked = Asked { verb: "ask", what: "engine at", name: &self.endpoint };
        let info = self.call(asked, QUICK, self.docker.info()).await?;
        Ok(EngineInfo {
            name: "Docker".to_owned(),
            version: info.server_version.unwrap_or_default(),
            cpus: info.ncpu.and_then(|count| count.try_into().ok()).unwrap_or(0),
            memory_bytes: info.mem_total.and_then(|bytes| bytes.try_into().ok()).unwrap_or(0),
            data_root: info.docker_root_dir.filter(|path| !path.is_empty()).map(PathBuf::from),
        })
    }

    async fn ensure_network(&self) -> Result<Network> {
        self.find_or_make_network().await
    }

    async fn containers(&self, service: Option<&ServiceName>) -> Result<Vec<Container>> {
        self.list(service).await
    }

    async fn events(&self) -> Result<BoxStream<'static, Result<ContainerName>>> {
        self.follow_events().await
    }

    async fn inspect(&self, name: &ContainerName) -> Result<Container> {
        let details = self.own(name).await?;
        let unreadable = "its labels or its network settings were changed; remove it and deploy anew";
        self.read(&details).ok_or_else(|| Asked::container("read", name.as_str()).refused(unreadable))
    }

    async fn addresses_in_use(&self) -> Result<BTreeSet<Ipv4Addr>> {
        self.taken_addresses().await
    }

    async fn build(&self, build: Build, output: &mut (dyn FnMut(String) + Send)) -> Result<Image> {
        self.build_image(build, output).await
    }

    async fn image(&self, name: &ImageName) -> Result<Option<Image>> {
        self.find_image(name).await
    }

    async fn images(&self) -> Result<Vec<Image>> {
        self.own_images().await
    }

    async fn storage(&self) -> Result<Storage> {
        self.look_at_storage().await
    }

    async fn ensure_image(&self, name: &ImageName) -> Result<Image> {
        self.find_or_pull_image(name).await
    }

    async fn remove_image(&self, name: &ImageName) -> Result<()> {
        self.remove_own_image(name).await
    }

    async fn remove_leftover(&self, id: &str) -> Result<()> {
        self.remove_own_leftover(id).await
    }

    async fn remove_nameless(&self, service: &ServiceName) -> Result<()> {
        self.remove_own_nameless(service).await
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<()> {
        self.create_container(spec).await
    }

    async fn start(&self, name: &ContainerName) -> Result<()> {
        self.start_container(name).await
    }

    async fn set_restart(&self, name: &ContainerName, restart: Restart) -> Result<()> {
        self.update_restart(name, restart).await
    }

    async fn readdress(&self, name: &ContainerName, address: Ipv4Addr, aliases: &[String]) -> Result<()> {
        self.move_container(name, address, aliases).await
    }

    async fn rename(&self, from: &ContainerName, to: &ContainerName) -> Result<()> {
        self.rename_container(from, to).await
    }

    async fn stop(&self, name: &ContainerName, grace: Duration) -> Result<()> {
        self.stop_container(name, grace).await
    }

    async fn remove(&self, name: &ContainerName) -> Result<()> {
        self.remove_container(name).await
    }

    async fn logs(&self, name: &ContainerName, query: &LogQuery) -> Result<BoxStream<'static, Result<LogLine>>> {
        self.read_logs(name, query).await
    }

    async fn usage(&self, names: &[ContainerName]) -> Result<BTreeMap<ContainerName, Usage>> {
        self.read_usage(names).await
    }

    async fn connections(&self, name: &ContainerName) -> Result<Option<u32>> {
        self.count_connections(name).await
    }

    async fn exec(&self, name: &ContainerName, exec: &Exec) -> Result<ExecSession> {
        self.run_exec(name, exec).await
    }

    async fn probe(&self, name: &ContainerName, probe: &Probe) -> Result<ProbeAnswer> {
        self.ask(name, probe).await
    }
}
