//! Traefik as the router: it runs in a container and follows files that only mypaas writes. It needs no access to the
//! container engine.
//!
//! ```text
//! setup.rs      Traefik's own settings, and what all routes share
//! config.rs     routes → a service's file, and back; pure
//! path.rs       a URL's path as Traefik compares it
//! files.rs      the folder that Traefik watches
//! api.rs        asks Traefik what it follows
//! switch.rs     write, confirm, put back: how routes change
//! container.rs  Traefik's container
//! fake.rs       a stand-in for Traefik's API, for tests
//! ```

pub mod api;
pub mod config;
mod container;
#[cfg(test)]
mod fake;
pub mod files;
mod path;
pub mod setup;
pub mod switch;

use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use self::api::Api;
use self::container::{HTTP, HTTPS, Keeper};
use self::files::Files;
use self::switch::{Patience, Switch};
use super::{ApiRoute, Result, Router, RouterInfo, Routes};
use crate::engine::{Container, Engine};
use crate::name::{ImageName, InstanceName, ServiceName};

pub use self::setup::Acme;

/// The image that runs where the settings name no other.
pub const DEFAULT_IMAGE: &str = "traefik:v3.7.15";

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
    /// None: https is served with a certificate that nobody trusts.
    pub acme: Option<Acme>,
    pub patience: Patience,
}

/// Traefik, in a container of the engine.
#[derive(Debug)]
pub struct TraefikRouter {
    keeper: Keeper,
    files: Files,
    /// Where Traefik answers; none until it was started or found.
    api: Mutex<Option<Api>>,
}

impl TraefikRouter {
    /// Opens the router's folder; starts nothing.
    pub async fn new(engine: Arc<dyn Engine>, settings: TraefikSettings) -> Result<Self> {
        let files = Files::open(settings.folder.clone()).await?;
        Ok(Self { keeper: Keeper::new(engine, settings), files, api: Mutex::new(None) })
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

    async fn switch(&self) -> Result<Switch> {
        let settings = &self.keeper.settings;
        let resolver = settings.acme.as_ref().map(|_| setup::RESOLVER);
        Ok(Switch { files: self.files.clone(), api: self.api().await?, patience: settings.patience, resolver })
    }

    /// Brings the files that an earlier version or other settings wrote up to date.
    async fn refresh(&self) -> Result<()> {
        let resolver = self.keeper.settings.acme.as_ref().map(|_| setup::RESOLVER);
        for routes in self.files.routes().await? {
            let text = config::render(&routes, resolver).text;
            if self.files.read(&routes.service).await?.as_ref() != Some(&text) {
                self.files.put(&routes.service, Some(&text)).await?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Router for TraefikRouter {
    async fn ensure_running(&self) -> Result<RouterInfo> {
        self.refresh().await?;
        let api = self.keeper.ensure(&self.files).await?;
        *self.api.lock().await = Some(api);
        self.info().await
    }

    async fn apply(&self, routes: &Routes) -> Result<()> {
        self.switch().await?.apply(routes).await
    }

    async fn withdraw(&self, service: &ServiceName) -> Result<()> {
        self.switch().await?.withdraw(service).await
    }

    async fn routes(&self) -> Result<Vec<Routes>> {
        self.files.routes().await
    }

    async fn expose(&self, api: &ApiRoute) -> Result<IpAddr> {
        let container = self.keeper.inspect().await?;
        let resolver = self.keeper.settings.acme.as_ref().map(|_| setup::RESOLVER);
        self.files.write_api(Some(&setup::render_api(api, resolver))).await?;
        Ok(container.address.into())
    }

    async fn conceal(&self) -> Result<()> {
        self.files.write_api(None).await
    }

    async fn info(&self) -> Result<RouterInfo> {
        let container = self.keeper.inspect().await?;
        let version = self.keeper.api_of(&container, &self.files).await?.version().await?;
        let settings = &self.keeper.settings;
        Ok(RouterInfo {
            name: "Traefik".to_owned(),
            version,
            http_port: published(&container, HTTP).unwrap_or(settings.http_port),
            https_port: published(&container, HTTPS).unwrap_or(settings.https_port),
        })
    }
}

fn published(container: &Container, port: NonZeroU16) -> Option<u16> {
    container.published.iter().find(|published| published.container_port == port.get()).map(|found| found.host_port)
}
