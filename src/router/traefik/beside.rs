//! A second Traefik beside the ordinary one, without ports of its own: it serves for as long as another program still
//! holds the ports that the ordinary one wants.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::api::Api;
use super::config::{self, Item, Kind};
use super::container::Keeper;
use super::{TraefikRouter, setup};
use crate::manifest::Scheme;
use crate::name::ContainerName;
use crate::router::{Certificate, Result, RouterError, Routes};

const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl TraefikRouter {
    /// Starts it with these routes, which are those of the ordinary one too from its start on; returns its address once it
    /// follows them.
    pub async fn start_beside(&self, routes: &[Routes]) -> Result<Ipv4Addr> {
        let resolver = self.keeper.settings.acme.as_ref().map(|_| setup::RESOLVER);
        let mut editions = Vec::new();
        for one in routes {
            let rendered = config::render(one, resolver);
            self.files.put(&one.service, Some(&rendered.text)).await?;
            editions.push((one, Item { kind: Kind::Middleware, name: rendered.edition }));
        }
        let beside = self.beside();
        let api = beside.ensure(&self.files).await?;
        let (start, limit) = (Instant::now(), self.keeper.settings.patience.start);
        for (one, edition) in editions {
            while api.report(&edition).await?.is_none() {
                if start.elapsed() > limit {
                    let detail = "it does not follow the file".to_owned();
                    return Err(RouterError::Unconfirmed { service: one.service.clone(), limit, detail });
                }
                sleep(LOOK_AGAIN).await;
            }
        }
        self.await_certificates_of(&api, routes).await?;
        Ok(beside.inspect().await?.address)
    }

    /// Waits until the ordinary one, which has just started, serves these routes with the certificates that are there.
    /// Traefik follows its files before it has read them, and serves one that nobody trusts until then.
    pub async fn await_certificates(&self, routes: &[Routes]) -> Result<()> {
        self.await_certificates_of(&self.api().await?, routes).await
    }

    /// One that is never served is told in the log: clients will tell it too, and the router is to start nevertheless.
    async fn await_certificates_of(&self, api: &Api, routes: &[Routes]) -> Result<()> {
        let (held, now) = (self.held().await?, Timestamp::now());
        let urls = routes.iter().flat_map(|routes| routes.urls.iter());
        let mut missing: Vec<Certificate> = urls
            .filter(|url| url.scheme == Scheme::Https)
            .filter_map(|url| held.iter().filter(|held| held.covers(&url.host)).max_by_key(|held| held.expires))
            .filter(|newest| newest.expires > now)
            .cloned()
            .collect();
        let (start, limit) = (Instant::now(), self.keeper.settings.patience.start);
        while !missing.is_empty() {
            let Some(served) = api.certificates().await? else { return Ok(()) };
            missing.retain(|certificate| !served.iter().any(|served| served.is(certificate)));
            if start.elapsed() > limit {
                for Certificate { domains, .. } in &missing {
                    tracing::warn!(?domains, "Traefik does not serve a certificate that is there");
                }
                return Ok(());
            }
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// How many connections it has; none where that cannot be seen.
    pub async fn connections_beside(&self) -> Result<Option<u32>> {
        Ok(self.keeper.engine.connections(&self.beside().name).await?)
    }

    /// Ends it, giving its requests so long to finish. That it is not there is fine.
    pub async fn remove_beside(&self, grace: Duration) -> Result<()> {
        self.beside().remove(grace).await
    }

    /// The same for the ordinary one, which gives up its ports so.
    pub async fn remove(&self, grace: Duration) -> Result<()> {
        self.keeper.remove(grace).await
    }

    fn beside(&self) -> Arc<Keeper> {
        let Keeper { engine, settings, .. } = &*self.keeper;
        let name = ContainerName::from_engine(&format!("{}-router-beside", settings.instance));
        Arc::new(Keeper { name, is_published: false, ..Keeper::new(Arc::clone(engine), settings.clone()) })
    }
}
