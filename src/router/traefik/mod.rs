//! Traefik as the router: it runs in a container and follows files that only mypaas writes. It needs no access to the
//! container engine.
//!
//! ```text
//! setup.rs      Traefik's own settings, and what all routes share
//! config.rs     routes → a service's file, and back; pure
//! path.rs       a URL's path as Traefik compares it
//! files.rs      the folder that Traefik watches
//! api.rs        asks Traefik what it follows
//! metrics.rs    what Traefik counted
//! switch.rs     write, confirm, put back: how routes change
//! container.rs  Traefik's container; spec.rs: what it is made from
//! replace.rs    one of other settings takes its place, or does not
//! beside.rs     a second one, while another program has the ports
//! issued.rs     certificates that Traefik got, and why it got none
//! own.rs        the operator's own certificates
//! fallback.rs   the certificate for domains that there is none for
//! visit.rs      a visitor of the server's own API
//! fake.rs       a stand-in for Traefik's API, for tests
//! ```

pub mod api;
mod beside;
pub mod config;
mod container;
#[cfg(test)]
mod fake;
mod fallback;
pub mod files;
mod issued;
mod metrics;
mod own;
mod path;
mod replace;
pub mod setup;
mod spec;
pub mod switch;
mod visit;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

#[cfg(fuzzing)]
pub use self::issued::refused_domains;
#[cfg(fuzzing)]
pub use self::metrics::added_up;

use self::api::{Api, Run};
use self::container::{HTTP, HTTPS, Keeper, ended};
use self::files::Files;
use self::own::Usable;
use self::switch::{Patience, Switch};
use super::{ApiRoute, Certificate, Certificates, Counts, Refusal, Result, Router, RouterError, RouterInfo, Routes};
use crate::engine::{Container, Engine, LogQuery};
use crate::name::{ImageName, InstanceName, ServiceName};

pub use self::setup::Acme;

/// The image that runs where the settings name no other.
pub const DEFAULT_IMAGE: &str = "traefik:v3.7.15";

/// Of Traefik's log, at one look.
const LINES_AT_ONCE: u32 = 2_000;

/// Domains whose refusals are remembered.
const MOST_REFUSED: usize = 1_000;

/// How Traefik is to run.
#[derive(Debug, Clone)]
pub struct TraefikSettings {
    pub instance: InstanceName,
    /// The router's own folder, made when it is missing.
    pub folder: PathBuf,
    pub image: ImageName,
    /// The server's address that takes requests.
    pub bind: IpAddr,
    /// 0: the engine chooses a free one, and [`Router::info`] tells which.
    pub http_port: u16,
    pub https_port: u16,
    /// None: https is served with a certificate that nobody trusts, unless the operator has one.
    pub acme: Option<Acme>,
    /// The file that Traefik keeps its certificates in.
    pub storage: PathBuf,
    /// The folder of the operator's own certificates.
    pub own_certificates: PathBuf,
    pub patience: Patience,
}

/// Traefik, in a container of the engine.
#[derive(Debug)]
pub struct TraefikRouter {
    keeper: Arc<Keeper>,
    files: Files,
    /// Where Traefik answers; none until it was started or found.
    api: Mutex<Option<Api>>,
    seen: Mutex<Option<Seen>>,
    known: Mutex<Known>,
    /// Wait for the end of a rush; end with the router.
    calming: Mutex<JoinSet<()>>,
}

/// A Traefik that answered, and what was told of it.
#[derive(Debug, Clone)]
struct Seen {
    api: Api,
    run: Run,
    info: RouterInfo,
}

/// What was learned of certificates so far.
#[derive(Debug, Default)]
struct Known {
    /// The newest refusal of each domain.
    refused: BTreeMap<String, Refusal>,
    /// Traefik's log was read up to here.
    read_until: Option<Timestamp>,
}

impl TraefikRouter {
    /// Opens the router's folder; starts nothing.
    pub async fn new(engine: Arc<dyn Engine>, settings: TraefikSettings) -> Result<Self> {
        let files = Files::open(settings.folder.clone()).await?;
        Ok(Self {
            keeper: Arc::new(Keeper::new(engine, settings)),
            files,
            api: Mutex::default(),
            seen: Mutex::default(),
            known: Mutex::default(),
            calming: Mutex::default(),
        })
    }

    /// The first caller starts Traefik if need be, the others wait for it.
    async fn api(&self) -> Result<Api> {
        let mut known = self.api.lock().await;
        if let Some(api) = &*known {
            return Ok(api.clone());
        }
        let api = self.keeper.ensure(&self.files).await?;
        Ok(known.insert(api).clone())
    }

    /// None also while the first caller starts it.
    fn known_api(&self) -> Option<Api> {
        self.api.try_lock().ok().and_then(|known| known.clone())
    }

    /// What was told before, where the same Traefik still answers: its container gets ports when it starts, and keeps them.
    async fn unchanged(&self) -> Option<RouterInfo> {
        let Seen { api, run, info } = self.seen.lock().await.clone()?;
        (run.start.is_some() && api.run().await.ok()? == run).then_some(info)
    }

    async fn switch(&self) -> Result<Switch> {
        let settings = &self.keeper.settings;
        let resolver = settings.acme.as_ref().map(|_| setup::RESOLVER);
        Ok(Switch {
            files: self.files.clone(),
            api: self.api().await?.patient(),
            patience: settings.patience,
            resolver,
        })
    }

    /// Certificates that there are to serve.
    async fn held(&self) -> Result<Vec<Certificate>> {
        let own = self.keeper.serve_own(&self.files).await?;
        self.with_issued(own.usable).await
    }

    async fn with_issued(&self, own: Usable) -> Result<Vec<Certificate>> {
        let storage = self.keeper.settings.storage.clone();
        let issued = self.files.on_thread("read", storage.clone(), move || issued::read(&storage)).await?;
        Ok(issued.into_iter().chain(own.into_values().map(|(certificate, _)| certificate)).collect())
    }

    /// Reads on in Traefik's log, and tells all refusals so far.
    async fn refusals(&self) -> Result<Vec<Refusal>> {
        let mut known = self.known.lock().await;
        let query = LogQuery { tail: Some(LINES_AT_ONCE), since: known.read_until, follow: false };
        let mut lines = self.keeper.engine.logs(&self.keeper.name, &query).await?;
        while let Some(line) = lines.try_next().await? {
            // A clock that was ahead for a while hides nothing that comes after.
            known.read_until = known.read_until.max(Some(line.at)).min(Some(Timestamp::now()));
            for refusal in issued::refusals(&line) {
                if known.refused.len() < MOST_REFUSED || known.refused.contains_key(&refusal.domain) {
                    known.refused.insert(refusal.domain.clone(), refusal);
                }
            }
        }
        Ok(known.refused.values().cloned().collect())
    }

    /// Brings the files that an earlier version or other settings wrote up to date.
    async fn refresh(&self) -> Result<()> {
        let resolver = self.keeper.settings.acme.as_ref().map(|_| setup::RESOLVER);
        for Routes { service, .. } in self.files.routes().await? {
            let up_to_date = move |text: &str| Some(config::rendered(text, resolver)?.text);
            self.files.rewrite(&service, up_to_date).await?;
        }
        Ok(())
    }

    /// Sees to the end of a rush, if requests to the service are in one.
    async fn calm_later(&self, switch: Switch, service: ServiceName) {
        let mut calming = self.calming.lock().await;
        while calming.try_join_next().is_some() {}
        calming.spawn(async move {
            let mut told = false;
            // What cannot be written now may be after as long again.
            while let Err(error) = switch.calm_when_due(&service).await {
                let error = &error as &dyn std::error::Error;
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%service, error, "requests may wait longer for a container than usual");
                }
            }
        });
    }
}

#[async_trait]
impl Router for TraefikRouter {
    async fn ensure_running(&self) -> Result<RouterInfo> {
        self.refresh().await?;
        let api = self.keeper.ensure(&self.files).await?;
        *self.api.lock().await = Some(api);
        for Routes { service, .. } in self.files.routes().await? {
            self.calm_later(self.switch().await?, service).await;
        }
        self.info().await
    }

    async fn apply(&self, routes: &Routes) -> Result<()> {
        let switch = self.switch().await?;
        let applied = switch.apply(routes).await;
        self.calm_later(switch, routes.service.clone()).await;
        applied
    }

    async fn withdraw(&self, service: &ServiceName) -> Result<()> {
        self.switch().await?.withdraw(service).await
    }

    async fn routes(&self) -> Result<Vec<Routes>> {
        self.files.routes().await
    }

    async fn traffic(&self) -> Result<BTreeMap<ServiceName, Counts>> {
        // Not started for this, nor waited for while it is: that is for whoever keeps it.
        match self.known_api() {
            Some(api) => api.traffic().await,
            None => Ok(BTreeMap::new()),
        }
    }

    async fn certificates(&self) -> Result<Certificates> {
        let own = self.keeper.serve_own(&self.files).await?;
        let refused = self.refusals().await?;
        Ok(Certificates {
            asked_for: self.keeper.settings.acme.is_some(),
            held: self.with_issued(own.usable).await?,
            refused: refused.into_iter().chain(own.unusable).collect(),
        })
    }

    async fn expose(&self, api: &ApiRoute) -> Result<IpAddr> {
        let container = self.keeper.inspect().await?;
        let resolver = self.keeper.settings.acme.as_ref().map(|_| setup::RESOLVER);
        self.files.write_api(Some(&setup::render_api(api, resolver))).await?;
        Ok(container.address.into())
    }

    async fn ask_api(&self, api: &ApiRoute, path: &str) -> Result<u16> {
        visit::ask(self.keeper.inspect().await?.address, api, path).await
    }

    async fn conceal(&self) -> Result<()> {
        self.files.write_api(None).await
    }

    async fn info(&self) -> Result<RouterInfo> {
        let unreplaced = self.keeper.unreplaced();
        if let Some(info) = self.unchanged().await {
            return Ok(RouterInfo { unreplaced, ..info });
        }
        let container = self.keeper.inspect().await?;
        if !container.is_running() {
            let reason = ended(&container.state).unwrap_or_else(|| "it was not started".to_owned());
            return Err(RouterError::Stopped { reason });
        }
        let api = self.keeper.api_of(&container, &self.files).await?;
        let run = api.run().await?;
        let settings = &self.keeper.settings;
        let info = RouterInfo {
            name: "Traefik".to_owned(),
            version: run.version.clone(),
            http_port: published(&container, HTTP).unwrap_or(settings.http_port),
            https_port: published(&container, HTTPS).unwrap_or(settings.https_port),
            unreplaced,
        };
        *self.seen.lock().await = Some(Seen { api, run, info: info.clone() });
        Ok(info)
    }
}

fn published(container: &Container, port: NonZeroU16) -> Option<u16> {
    container.published.iter().find(|published| published.container_port == port.get()).map(|found| found.host_port)
}
