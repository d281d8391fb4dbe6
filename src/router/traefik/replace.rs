//! From a router of other settings to the wanted one, while requests come in. The old one goes only once there is
//! somebody to take its place, and comes back where that one does not come up.
//!
//! ```text
//! try out      a trial, without ports and routes: its image starts with these settings, and answers
//! make         …-router-next, which does not run yet
//! stop         the old one takes no new connections, and finishes the requests that it has
//! names        old → …-router-before, next → …-router
//! start        until it answers, on its port too       ─ it does not → the old one is …-router again, and starts
//! end          the old one goes
//! ```
//!
//! How far it came is seen from the names of the containers that are there. So whoever comes after a server that was killed
//! meanwhile can end it ([`Keeper::end_replacement`]): forward where the new one answers, back where not.

use std::error::Error;
use std::iter;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::TraefikSettings;
use super::api::Api;
use super::container::{GRACE, HTTP, Keeper, endpoint_at, make_file};
use super::files::{Files, TRIAL};
use super::published;
use super::spec::Wanted;
use crate::engine::{Container, ContainerSpec, Restart, SpecDigest};
use crate::name::ContainerName;
use crate::router::{Result, RouterError, Unreplaced};

/// Between two looks whether a port answers, and how long each may take.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const LOOK: Duration = Duration::from_secs(2);

/// One that could not take the place of the one that serves. It is not tried again: each try would cut off requests.
#[derive(Debug)]
pub(super) struct Refused {
    digest: SpecDigest,
    why: Unreplaced,
}

impl Keeper {
    /// Puts the wanted one in the place of the old one, which serves. Where that fails the old one serves on, and
    /// [`Keeper::unreplaced`] tells why; an error means that nobody serves.
    pub(super) async fn replace(&self, files: &Files, old: &Container, wanted: &Wanted, api: &Api) -> Result<()> {
        if self.refused().as_ref().is_some_and(|refused| refused.digest == wanted.spec.digest) {
            return Ok(());
        }
        tracing::info!(image = %wanted.spec.image, "the router is replaced by one of other settings");
        let tried = self.try_out(files).await;
        let Err(error) = (match tried {
            Ok(()) => self.take_over(old, &wanted.spec, api).await,
            failed => failed,
        }) else {
            // From here on nobody goes back: the new one serves.
            self.conclude().await?;
            return self.replaced(files, wanted).await;
        };
        let why = unreplaced(&error);
        tracing::error!(error = &error as &dyn Error, "the router could not be replaced; the one of before serves on");
        self.go_back().await?;
        self.engine.start(&self.name).await?;
        self.await_answer(api).await?;
        *self.refused() = Some(Refused { digest: wanted.spec.digest.clone(), why });
        Ok(())
    }

    /// Why the one that serves is not of the present settings; none: it is.
    pub(super) fn unreplaced(&self) -> Option<Unreplaced> {
        self.refused().as_ref().map(|refused| refused.why.clone())
    }

    /// The wanted one serves: nobody comes back to what was before it.
    pub(super) async fn replaced(&self, files: &Files, wanted: &Wanted) -> Result<()> {
        *self.refused() = None;
        files.forget_setups(&wanted.setup).await
    }

    /// Ends what a server left that was killed meanwhile.
    pub(super) async fn end_replacement(&self, files: &Files) -> Result<()> {
        let new = self.there(&self.name).await?;
        if self.there(&self.named(BEFORE)).await?.is_some() {
            match new {
                Some(new) if new.is_running() && self.has_come_up(&new, files).await => self.conclude().await?,
                _ => self.go_back().await?,
            }
        }
        self.engine.remove(&self.named(NEXT)).await?;
        Ok(self.engine.remove(&self.named(TRIAL)).await?)
    }

    async fn has_come_up(&self, new: &Container, files: &Files) -> bool {
        match self.api_of(new, files).await {
            Ok(api) => self.await_answer(&api).await.is_ok(),
            Err(_) => false,
        }
    }

    /// Whether one of these settings comes up, in so far as that can be known without its ports.
    async fn try_out(&self, files: &Files) -> Result<()> {
        let trial = self.trial(files).await?;
        let network = self.engine.ensure_network().await?;
        let address = trial.address(&network, None).await?;
        let wanted = trial.wanted(files, address).await?;
        let api = Api::new(endpoint_at(address), files.password().await?)?;
        let came_up = trial.bring_up(&wanted, &api).await;
        // It has no requests.
        let removed = trial.engine.remove(&trial.name).await;
        came_up?;
        Ok(removed?)
    }

    /// It sees no routes, and certificates neither: so it asks for none, and writes to no file that the one that serves
    /// writes to.
    async fn trial(&self, files: &Files) -> Result<Self> {
        let storage = files.make_trial().await?;
        let making = storage.clone();
        files.on_thread("make", storage.clone(), move || make_file(&making)).await?;
        let settings = TraefikSettings { storage, ..self.settings.clone() };
        let (name, engine) = (self.named(TRIAL), Arc::clone(&self.engine));
        Ok(Self { name, is_published: false, routes: TRIAL, ..Self::new(engine, settings) })
    }

    async fn take_over(&self, old: &Container, wanted: &ContainerSpec, api: &Api) -> Result<()> {
        let next = self.named(NEXT);
        self.engine.create(&ContainerSpec { name: next.clone(), ..wanted.clone() }).await?;
        // Where the machine keeps even itself from it, nothing is known by that.
        let was_reached = reaches(old).await;
        self.engine.stop(&self.name, GRACE).await?;
        self.engine.rename(&self.name, &self.named(BEFORE)).await?;
        self.engine.rename(&next, &self.name).await?;
        self.engine.start(&self.name).await?;
        self.await_answer(api).await?;
        if was_reached { self.await_port().await } else { Ok(()) }
    }

    async fn await_port(&self) -> Result<()> {
        let (start, limit) = (Instant::now(), self.settings.patience.start);
        while !reaches(&self.inspect().await?).await {
            if start.elapsed() >= limit {
                let reason = format!("it took no request on its port within {limit:?}");
                return Err(self.not_started(reason, None).await);
            }
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// The new one stays.
    async fn conclude(&self) -> Result<()> {
        self.engine.set_restart(&self.name, Restart::UnlessStopped).await?;
        Ok(self.engine.remove(&self.named(BEFORE)).await?)
    }

    /// Nothing but the old one is there, under its name; whether it runs is another matter.
    async fn go_back(&self) -> Result<()> {
        self.engine.remove(&self.named(NEXT)).await?;
        if self.there(&self.named(BEFORE)).await?.is_some() {
            self.remove(GRACE).await?;
            self.engine.rename(&self.named(BEFORE), &self.name).await?;
        }
        Ok(())
    }

    fn named(&self, ending: &str) -> ContainerName {
        ContainerName::from_engine(&format!("{}-{ending}", self.name))
    }

    fn refused(&self) -> MutexGuard<'_, Option<Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const NEXT: &str = "next";
const BEFORE: &str = "before";

/// Whether a request to its port comes to it. Any answer will do.
async fn reaches(router: &Container) -> bool {
    let (Some(port), Some(address)) = (published(router, HTTP), bound(router)) else { return false };
    let Ok(client) = crate::http::plain().timeout(LOOK).redirect(reqwest::redirect::Policy::none()).build() else {
        return false;
    };
    client.head(format!("http://{}/", SocketAddr::new(address, port))).send().await.is_ok()
}

/// An address of this machine that it takes requests on.
fn bound(router: &Container) -> Option<IpAddr> {
    let published = router.published.iter().find(|published| published.container_port == HTTP.get())?;
    Some(match published.address {
        address if !address.is_unspecified() => address,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    })
}

fn unreplaced(error: &RouterError) -> Unreplaced {
    let (reason, log) = match error {
        RouterError::NotStarted { reason, log, .. } => (reason.clone(), log.clone()),
        other => (chain(other), Vec::new()),
    };
    Unreplaced { reason, log }
}

/// As in `could not pull it: no such image`.
fn chain(error: &dyn Error) -> String {
    iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
