//! Traefik's own container: made, started, and waited for.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::net::Ipv4Addr;
use std::num::NonZeroU16;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::Mutex;
use tokio::task::JoinError;
use tokio::time::{Instant, sleep};

use super::TraefikSettings;
use super::api::Api;
use super::files::{Files, ROUTES};
use super::own::{self, Own, Usable};
use super::replace::Refused;
use super::setup::{Base, render_base};
use super::spec::Wanted;
use crate::engine::{Cause, Container, ContainerState, Engine, EngineError, LogQuery, Network, Restart};
use crate::name::ContainerName;
use crate::router::{Result, RouterError};

pub(super) const HTTP: NonZeroU16 = NonZeroU16::new(80).expect("80 is not 0");
pub(super) const HTTPS: NonZeroU16 = NonZeroU16::new(443).expect("443 is not 0");
pub(super) const API: u16 = 8080;

/// For the requests that one has when it is told to stop; Traefik itself gives them ten seconds.
pub(super) const GRACE: Duration = Duration::from_secs(30);

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
    /// The folder that it watches, beside its settings.
    pub(super) routes: &'static str,
    /// The operator's certificates that Traefik was told of last.
    pub(super) served: Mutex<Option<Usable>>,
    /// Held by whoever starts or replaces it.
    pub(super) ensuring: Mutex<()>,
    /// The one that was to take the place of the one that serves, and could not.
    pub(super) refused: std::sync::Mutex<Option<Refused>>,
}

impl Keeper {
    pub(super) fn new(engine: Arc<dyn Engine>, settings: TraefikSettings) -> Self {
        let name = ContainerName::from_engine(&format!("{}-router", settings.instance));
        Self {
            engine,
            settings,
            name,
            is_published: true,
            routes: ROUTES,
            served: Mutex::default(),
            ensuring: Mutex::default(),
            refused: std::sync::Mutex::default(),
        }
    }

    /// Makes and starts the container as the settings want it; returns once Traefik answers. One that runs so already
    /// stays as it is; one of other settings is replaced, or serves on where that fails.
    ///
    /// It comes to its end also when nobody waits for it any more: a router that is replaced by half serves nobody.
    pub(super) async fn ensure(self: &Arc<Self>, files: &Files) -> Result<Api> {
        let (keeper, files) = (Arc::clone(self), files.clone());
        let ensuring = tokio::spawn(async move {
            let _alone = keeper.ensuring.lock().await;
            keeper.ensure_alone(&files).await
        });
        let ended = |error: JoinError| RouterError::Stopped { reason: format!("mypaas did not bring it up: {error}") };
        ensuring.await.unwrap_or_else(|error| Err(ended(error)))
    }

    async fn ensure_alone(&self, files: &Files) -> Result<Api> {
        self.end_replacement(files).await?;
        let network = self.engine.ensure_network().await?;
        let there = self.there(&self.name).await?;
        let address = self.address(&network, there.as_ref()).await?;
        self.prepare_certificates(files).await?;
        let wanted = self.wanted(files, address).await?;
        self.serve_own(files).await?;
        let api = Api::new(endpoint_at(address), files.password().await?)?;
        match there {
            Some(old) if old.digest != wanted.spec.digest => {
                if old.address == address && self.serves(&api).await {
                    self.replace(files, &old, &wanted, &api).await?;
                    return Ok(api);
                }
                self.engine.stop(&self.name, GRACE).await?;
            }
            _ => {}
        }
        self.bring_up(&wanted, &api).await?;
        // Only now: one that cannot start is not to be tried for ever.
        self.engine.set_restart(&self.name, Restart::UnlessStopped).await?;
        self.replaced(files, &wanted).await?;
        Ok(api)
    }

    /// Makes and starts it, and waits until it answers.
    pub(super) async fn bring_up(&self, wanted: &Wanted, api: &Api) -> Result<()> {
        self.engine.ensure_image(&self.settings.image).await?;
        self.engine.create(&wanted.spec).await?;
        self.engine.start(&self.name).await?;
        self.await_answer(api).await
    }

    /// Whether the one that is there answers, which one that was stopped does after its start.
    async fn serves(&self, api: &Api) -> bool {
        let up = async {
            self.engine.start(&self.name).await?;
            self.await_answer(api).await
        };
        let up = up.await;
        if let Err(error) = &up {
            let error = error as &dyn std::error::Error;
            tracing::warn!(error, "the router of other settings does not serve: it is made anew");
        }
        up.is_ok()
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

    /// The container of that name, if there is one.
    pub(super) async fn there(&self, name: &ContainerName) -> Result<Option<Container>> {
        match self.engine.inspect(name).await {
            Ok(container) => Ok(Some(container)),
            Err(EngineError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Where the Traefik in this container answers.
    pub(super) async fn api_of(&self, container: &Container, files: &Files) -> Result<Api> {
        Api::new(endpoint_at(container.address), files.password().await?)
    }

    /// The address it has, or else the first free one after the gateway.
    pub(super) async fn address(&self, network: &Network, there: Option<&Container>) -> Result<Ipv4Addr> {
        if let Some(there) = there.filter(|there| network.subnet.contains(there.address)) {
            return Ok(there.address);
        }
        let used = self.engine.addresses_in_use().await?;
        let free = network.subnet.hosts().find(|host| *host > network.gateway && !used.contains(host));
        free.ok_or_else(|| {
            let action = format!("find a free address for the router on the network {}", network.name);
            EngineError::Refused { action, source: Cause::from("all are in use") }.into()
        })
    }

    pub(super) async fn await_answer(&self, api: &Api) -> Result<()> {
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

    pub(super) async fn not_started(&self, reason: String, source: Option<Cause>) -> RouterError {
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
pub(super) fn make_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))
}

fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub(super) fn endpoint_at(address: Ipv4Addr) -> String {
    format!("http://{address}:{API}")
}

pub(super) fn ended(state: &ContainerState) -> Option<String> {
    match state {
        ContainerState::Restarting { exit } | ContainerState::Exited { exit, .. } => {
            Some(format!("it ended with code {}", exit.code))
        }
        ContainerState::Created | ContainerState::Running { .. } => None,
    }
}

#[cfg(test)]
mod tests;
