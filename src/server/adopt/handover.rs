//! From the original's router to ours, while requests come in:
//!
//! ```text
//! a second router of ours starts beside the old one, without ports
//! new connections are diverted to it          requests of the old ones end where they are
//! the old router stops, its ports are free
//! our ordinary router starts with the ports
//! the diversion ends                          new connections go to it
//! the second router ends once its own are done
//! ```

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::exchange::{Holder, Routers, exchange};
use super::iptables::{self, Diverted};
use crate::api::Problem;
use crate::engine::{DockerEngine, Foreign};
use crate::router::{Router, Routes, TraefikRouter};

/// For requests that the old router has when new connections come to it no more.
const DRAIN: Duration = Duration::from_secs(5);

/// So long the old router may take to finish them once it was told to stop, in seconds.
const OLD_GRACE: i32 = 30;

/// The same for the one beside.
const GRACE: Duration = Duration::from_secs(30);

/// Connections that nobody uses are not waited for any longer.
const LAST_CONNECTIONS: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(250);

pub(super) struct Handover<'a> {
    pub(super) engine: &'a DockerEngine,
    pub(super) router: &'a TraefikRouter,
    pub(super) routes: &'a [Routes],
    /// Of http and https, on this machine.
    pub(super) ports: [u16; 2],
}

impl Handover<'_> {
    /// Where no router is in the way. Ends what an interrupted handover left.
    pub(super) async fn start(&self) -> Result<(), Problem> {
        self.router.ensure_running().await?;
        for routes in self.routes {
            self.router.apply(routes).await?;
        }
        iptables::end_all().await;
        Ok(self.router.remove_beside(GRACE).await?)
    }

    /// How long the ports were nobody's; none: at no time.
    pub(super) async fn from(&self, old: &Foreign) -> Result<Option<Duration>, Problem> {
        let beside = self.router.start_beside(self.routes).await?;
        let diverted = match self.divert(beside).await {
            Ok(diverted) => Some(diverted),
            Err(problem) => {
                tracing::warn!(problem = problem.message, causes = ?problem.causes, "the ports are nobody's for a moment");
                None
            }
        };
        if diverted.is_some() {
            sleep(DRAIN).await;
        }
        let begin = Instant::now();
        let holder = exchange(&Exchanged { handover: self, old }).await;
        let gap = diverted.is_none().then(|| begin.elapsed());
        if let Holder::Nobody(problem) = holder {
            // New connections stay with the one beside, as long as they are diverted: it is all that answers.
            return Err(problem.hint("Adopt again once the cause is gone: `mypaas server adopt`."));
        }
        if let Some(diverted) = diverted {
            diverted.end().await;
        }
        if holder == Holder::Ours {
            self.until_unused().await;
        }
        let removed = self.router.remove_beside(GRACE).await;
        if let Holder::Old(problem) = holder {
            return Err(problem);
        }
        removed?;
        Ok(gap)
    }

    async fn divert(&self, beside: Ipv4Addr) -> Result<Diverted, Problem> {
        let [http, https] = self.ports;
        Diverted::to(beside, &[(http, 80), (https, 443)]).await
    }

    async fn until_unused(&self) {
        let begin = Instant::now();
        while begin.elapsed() < LAST_CONNECTIONS {
            if matches!(self.router.connections_beside().await, Ok(Some(0)) | Err(_)) {
                return;
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

/// The routers of a handover.
struct Exchanged<'a> {
    handover: &'a Handover<'a>,
    old: &'a Foreign,
}

impl Routers for Exchanged<'_> {
    async fn stop_old(&self) -> Result<(), Problem> {
        Ok(self.handover.engine.stop_foreign(&self.old.id, OLD_GRACE).await?)
    }

    async fn start_old(&self) -> Result<(), Problem> {
        Ok(self.handover.engine.start_foreign(&self.old.id).await?)
    }

    async fn start_ours(&self) -> Result<(), Problem> {
        self.handover.router.ensure_running().await?;
        Ok(self.handover.router.await_certificates(self.handover.routes).await?)
    }

    async fn stop_ours(&self) -> Result<(), Problem> {
        Ok(self.handover.router.remove(GRACE).await?)
    }
}
