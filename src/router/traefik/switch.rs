//! Changing the routes of a service: write, wait until Traefik's own view shows it, put back what was there when it
//! does not.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::api::Api;
use super::config::{self, Item, Kind, Rendered};
use super::files::Files;
use crate::name::ServiceName;
use crate::router::{RUSH, Result, RouterError, Routes};

/// How long a change may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// From the write until Traefik's view shows it; and before it, until Traefik answers at all.
    pub limit: Duration,
    /// Between two looks.
    pub poll: Duration,
    /// After so long Traefik is made to look again, in case it missed the write.
    pub nudge: Duration,
    /// From its container's start until Traefik answers.
    pub start: Duration,
    /// From the end of a hold until requests are no longer treated as a rush.
    pub rush: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(30),
            poll: Duration::from_millis(10),
            nudge: Duration::from_secs(2),
            start: Duration::from_secs(20),
            rush: RUSH,
        }
    }
}

/// Changes the files of a Traefik that runs.
#[derive(Debug, Clone)]
pub struct Switch {
    pub files: Files,
    pub api: Api,
    pub patience: Patience,
    /// The certificate resolver of https routes.
    pub resolver: Option<&'static str>,
}

/// What Traefik's view shows of a wanted state.
enum Seen {
    Live,
    NotYet(String),
    Faulty(String),
}

impl Switch {
    /// Makes the routes live; returns once new requests follow them. Where requests were held until now, what waited comes
    /// in a rush then, see [`Switch::rush`].
    pub async fn apply(&self, routes: &Routes) -> Result<()> {
        let before = self.before(&routes.service).await?;
        let was_patient = before.as_deref().is_some_and(|text| config::is_patient(text, self.resolver));
        let is_rush = routes.hold.is_none() && was_patient;
        let render = if is_rush { config::render_for_rush } else { config::render };
        self.replace(&routes.service, before, Some(&render(routes, self.resolver))).await
    }

    /// Takes a service's routes away; returns once new requests no longer follow them.
    pub async fn withdraw(&self, service: &ServiceName) -> Result<()> {
        let before = self.before(service).await?;
        self.replace(service, before, None).await
    }

    /// Ends the rush to the service when its time is over, if requests to it are in one, and unless it has other routes by
    /// then.
    pub async fn calm_when_due(&self, service: &ServiceName) -> Result<()> {
        let rush = self.rush(service).await;
        if matches!(rush, Ok(None)) {
            return Ok(());
        }
        sleep(self.patience.rush).await;
        match rush? {
            Some(routes) => self.calm(&routes).await,
            None => Ok(()),
        }
    }

    /// The service's routes while requests to them are treated as a rush, which somebody has to end.
    async fn rush(&self, service: &ServiceName) -> Result<Option<Routes>> {
        let text = self.files.read(service).await?;
        Ok(text.filter(|text| config::is_for_rush(text, self.resolver)).as_deref().and_then(config::parse))
    }

    async fn calm(&self, routes: &Routes) -> Result<()> {
        let (rush, calm) = (config::render_for_rush(routes, self.resolver), config::render(routes, self.resolver));
        let text = calm.text.clone();
        self.files.rewrite(&routes.service, move |there| (there == rush.text).then_some(text)).await?;
        if self.files.read(&routes.service).await?.as_ref() != Some(&calm.text) {
            return Ok(());
        }
        self.confirm(&routes.service, Some(&calm), self.patience.limit).await
    }

    /// That a router is down is told before anything is touched.
    async fn before(&self, service: &ServiceName) -> Result<Option<String>> {
        self.await_answer().await?;
        self.files.read(service).await
    }

    async fn replace(&self, service: &ServiceName, before: Option<String>, wanted: Option<&Rendered>) -> Result<()> {
        let text = wanted.map(|wanted| wanted.text.as_str());
        if before.as_deref() == text {
            return self.confirm(service, wanted, self.patience.limit).await;
        }
        self.files.put(service, text).await?;
        let confirmed = self.confirm(service, wanted, self.patience.limit).await;
        if confirmed.is_err() {
            self.put_back(service, before).await;
        }
        confirmed
    }

    /// A router that is just being started again is waited for.
    async fn await_answer(&self) -> Result<()> {
        let start = Instant::now();
        loop {
            match self.api.version().await {
                Ok(_) => return Ok(()),
                Err(error) if start.elapsed() >= self.patience.limit => return Err(error),
                Err(_) => sleep(self.patience.poll).await,
            }
        }
    }

    /// The error to report is the one that led here; that the old file could not be put back is only logged.
    async fn put_back(&self, service: &ServiceName, before: Option<String>) {
        let old = before.as_deref().and_then(|text| config::rendered(text, self.resolver));
        let put = self.files.put(service, before.as_deref()).await;
        let confirmed = match put {
            Ok(()) => self.confirm(service, old.as_ref(), self.patience.nudge).await,
            failed => failed,
        };
        if let Err(error) = confirmed {
            tracing::warn!(%service, error = &error as &dyn std::error::Error, "the former routes may not be live");
        }
    }

    async fn confirm(&self, service: &ServiceName, wanted: Option<&Rendered>, limit: Duration) -> Result<()> {
        let start = Instant::now();
        let mut nudged = false;
        loop {
            let seen = self.look(service, wanted).await;
            let waited = start.elapsed();
            match seen {
                Ok(Seen::Live) => return Ok(()),
                Ok(Seen::Faulty(detail)) => return Err(RouterError::Refused { service: service.clone(), detail }),
                Ok(Seen::NotYet(detail)) if waited >= limit => {
                    return Err(RouterError::Unconfirmed { service: service.clone(), limit, detail });
                }
                Err(error) if waited >= limit => return Err(error),
                Ok(Seen::NotYet(_)) | Err(_) => {}
            }
            if !nudged && waited >= self.patience.nudge {
                nudged = true;
                self.files.nudge().await?;
            }
            sleep(self.patience.poll).await;
        }
    }

    async fn look(&self, service: &ServiceName, wanted: Option<&Rendered>) -> Result<Seen> {
        let Some(wanted) = wanted else { return self.look_for_none(service).await };
        let edition = Item { kind: Kind::Middleware, name: wanted.edition.clone() };
        if self.api.report(&edition).await?.is_none() {
            return Ok(Seen::NotYet("it does not know of the change".to_owned()));
        }
        let mut faults = Vec::new();
        for item in &wanted.items {
            match self.api.report(item).await? {
                None => return Ok(Seen::NotYet(format!("it does not know {}", item.name))),
                Some(report) => faults.extend(report.fault().map(|words| format!("{}: {words}", item.name))),
            }
        }
        Ok(if faults.is_empty() { Seen::Live } else { Seen::Faulty(faults.join("; ")) })
    }

    async fn look_for_none(&self, service: &ServiceName) -> Result<Seen> {
        let item = Item { kind: Kind::Service, name: service.flat() };
        let report = self.api.report(&item).await?;
        Ok(report.map_or(Seen::Live, |_| Seen::NotYet("it still knows the service".to_owned())))
    }
}

#[cfg(test)]
mod tests;
