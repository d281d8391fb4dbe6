//! Traefik's own container: made, started, and waited for.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::TraefikSettings;
use super::api::Api;
use super::files::{AUTHORITY, Files};
use super::own::{self, Own, Usable};
use super::setup::{Base, OWN_CERTIFICATES, Setup, render_base};
use crate::engine::{
    Bind, Cause, Container, ContainerSpec, ContainerState, Engine, EngineError, LogQuery, Network, Restart, Role,
    SpecDigest,
};
use crate::manifest::{Protocol, Publish};
use crate::name::ContainerName;
use crate::router::{Result, RouterError};

pub(super) const HTTP: NonZeroU16 = NonZeroU16::new(80).expect("80 is not 0");
pub(super) const HTTPS: NonZeroU16 = NonZeroU16::new(443).expect("443 is not 0");
const API: u16 = 8080;

const CONFIG_DIR: &str = "/etc/traefik";
const STORAGE: &str = "/acme.json";

/// For connections to containers. A thousand new ones a second, as when all come that were held, use up the 28,000 ports
/// that the kernel has for each container, because it keeps each for a minute after its use: then every further one costs it
/// a search through all of them. The first has it use such a port again after a second, which is what it is for.
const OUTGOING: [(&str, &str); 2] = [("net.ipv4.tcp_tw_reuse", "1"), ("net.ipv4.ip_local_port_range", "10240 65535")];

const START_POLL: Duration = Duration::from_millis(100);
const LAST_LINES: u32 = 10;

/// Keeps Traefik's container.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) settings: TraefikSettings,
    pub(super) name: ContainerName,
    /// It has ports of the server.
    pub(super) is_published: bool,
    /// The operator's certificates that Traefik was told of last.
    pub(super) served: Mutex<Option<Usable>>,
}

impl Keeper {
    pub(super) fn new(engine: Arc<dyn Engine>, settings: TraefikSettings) -> Self {
        let name = ContainerName::from_engine(&format!("{}-router", settings.instance));
        Self { engine, settings, name, is_published: true, served: Mutex::default() }
    }

    /// Makes and starts the container as the settings want it; returns once Traefik answers. One that runs so already
    /// stays as it is.
    pub(super) async fn ensure(&self, files: &Files) -> Result<Api> {
        let network = self.engine.ensure_network().await?;
        self.engine.ensure_image(&self.settings.image).await?;
        let address = self.address(&network).await?;
        let password = files.password().await?;
        let setup = self.setup().render();
        self.prepare_certificates(files).await?;
        files.write_setup(&setup).await?;
        self.serve_own(files).await?;
        self.engine.create(&self.spec(files, address, &setup)).await?;
        self.engine.start(&self.name).await?;
        let api = Api::new(endpoint_at(address), password)?;
        self.await_answer(&api).await?;
        // Only now: one that cannot start is not to be tried for ever.
        self.engine.set_restart(&self.name, Restart::UnlessStopped).await?;
        Ok(api)
    }

    /// Ends the container, giving its requests so long to finish. That it is not there is fine.
    pub(super) async fn remove(&self, grace: Duration) -> Result<()> {
        self.engine.stop(&self.name, grace).await?;
        Ok(self.engine.remove(&self.name).await?)
    }

    /// Makes what Traefik's container is to see of certificates, where it is missing.
    async fn prepare_certificates(&self, files: &Files) -> Result<()> {
        let TraefikSettings { storage, own_certificates, acme, .. } = self.settings.clone();
        let (file, folder) = (storage.clone(), own_certificates.clone());
        files.on_thread("make", storage, move || make_file(&file)).await?;
        files.on_thread("make", own_certificates, move || make_folder(&folder)).await?;
        if let Some(path) = acme.and_then(|acme| acme.ca_file) {
            let reading = path.clone();
            let pem = files.on_thread("read", path, move || fs::read_to_string(reading)).await?;
            files.write_authority(&pem).await?;
        }
        Ok(())
    }

    /// Has Traefik serve the operator's certificates as they are now.
    pub(super) async fn serve_own(&self, files: &Files) -> Result<Own> {
        let folder = self.settings.own_certificates.clone();
        let own = files.on_thread("read", folder.clone(), move || own::read(&folder)).await?;
        let mut served = self.served.lock().await;
        if served.as_ref() != Some(&own.usable) {
            let network = self.engine.ensure_network().await?;
            let base = Base {
                server: network.gateway,
                password: &files.password().await?,
                fallback: &files.fallback().await?,
                https_port: NonZeroU16::new(self.settings.https_port),
                own: &own.names(),
            };
            files.write_base(&render_base(&base)).await?;
            *served = Some(own.usable.clone());
        }
        Ok(own)
    }

    /// The container as it is; starts nothing.
    pub(super) async fn inspect(&self) -> Result<Container> {
        Ok(self.engine.inspect(&self.name).await?)
    }

    /// Where the Traefik in this container answers.
    pub(super) async fn api_of(&self, container: &Container, files: &Files) -> Result<Api> {
        Api::new(endpoint_at(container.address), files.password().await?)
    }

    /// The address it has, or else the first free one after the gateway.
    async fn address(&self, network: &Network) -> Result<Ipv4Addr> {
        match self.engine.inspect(&self.name).await {
            Ok(container) if network.subnet.contains(container.address) => return Ok(container.address),
            Ok(_) | Err(EngineError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let used = self.engine.addresses_in_use().await?;
        let free = network.subnet.hosts().find(|host| *host > network.gateway && !used.contains(host));
        free.ok_or_else(|| {
            let action = format!("find a free address for the router on the network {}", network.name);
            EngineError::Refused { action, source: Cause::from("all are in use") }.into()
        })
    }

    fn setup(&self) -> Setup {
        Setup {
            http: format!(":{HTTP}"),
            https: format!(":{HTTPS}"),
            api: format!(":{API}"),
            routes: format!("{CONFIG_DIR}/routes"),
            certificates: STORAGE.to_owned(),
            authority: format!("{CONFIG_DIR}/{AUTHORITY}"),
            acme: self.settings.acme.clone(),
        }
    }

    fn spec(&self, files: &Files, address: Ipv4Addr, setup: &str) -> ContainerSpec {
        let bind = |server_dir, container_dir: &str, read_only| Bind {
            server_dir,
            container_dir: container_dir.to_owned(),
            read_only,
        };
        let mut spec = ContainerSpec {
            name: self.name.clone(),
            role: Role::Router,
            image: self.settings.image.clone(),
            command: vec![format!("--configFile={CONFIG_DIR}/traefik.toml")],
            env: [].into(),
            binds: vec![
                bind(files.config(), CONFIG_DIR, true),
                bind(self.settings.storage.clone(), STORAGE, false),
                bind(self.settings.own_certificates.clone(), OWN_CERTIFICATES, true),
            ],
            publish: [(self.settings.http_port, HTTP), (self.settings.https_port, HTTPS)]
                .into_iter()
                .filter(|_| self.is_published)
                .map(|(port, inside)| self.publish(port, inside))
                .collect(),
            sysctls: OUTGOING.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            max_cpu: None,
            max_mem: None,
            aliases: vec![],
            address,
            digest: SpecDigest(String::new()),
        };
        spec.digest = digest(&spec, setup);
        spec
    }

    /// All addresses of the server means those of IPv6 too.
    fn publish(&self, host_port: u16, container_port: NonZeroU16) -> Publish {
        let address = Some(self.settings.bind).filter(|bind| *bind != IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Publish { address, host_port: NonZeroU16::new(host_port), container_port, protocol: Protocol::Tcp }
    }

    async fn await_answer(&self, api: &Api) -> Result<()> {
        let start = Instant::now();
        let limit = self.settings.patience.start;
        loop {
            let Err(silence) = api.version().await else { return Ok(()) };
            if let Some(reason) = ended(&self.engine.inspect(&self.name).await?.state) {
                return Err(self.not_started(reason, None).await);
            }
            if start.elapsed() >= limit {
                let reason = format!("it did not answer within {limit:?}");
                return Err(self.not_started(reason, Some(silence.into())).await);
            }
            sleep(START_POLL).await;
        }
    }

    async fn not_started(&self, reason: String, source: Option<Cause>) -> RouterError {
        let query = LogQuery { tail: Some(LAST_LINES), ..LogQuery::default() };
        let mut log = Vec::new();
        // What it wrote helps to find the reason; without it the reason is still known.
        if let Ok(mut lines) = self.engine.logs(&self.name, &query).await {
            while let Some(Ok(line)) = lines.next().await {
                log.push(line.text);
            }
        }
        RouterError::NotStarted { reason, log, source }
    }
}

/// Traefik wants it to be its owner's alone.
fn make_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))
}

fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn endpoint_at(address: Ipv4Addr) -> String {
    format!("http://{address}:{API}")
}

fn ended(state: &ContainerState) -> Option<String> {
    match state {
        ContainerState::Restarting { exit } | ContainerState::Exited { exit, .. } => {
            Some(format!("it ended with code {}", exit.code))
        }
        ContainerState::Created | ContainerState::Running { .. } => None,
    }
}

fn digest(spec: &ContainerSpec, setup: &str) -> SpecDigest {
    let json = serde_json::to_string(spec).expect("a specification is texts, numbers and lists");
    let hash = Sha256::new().chain_update(json).chain_update(setup).finalize();
    SpecDigest(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests;
