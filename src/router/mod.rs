//! What takes requests to containers, as a port: [`Router`]. The router alone writes its files.
//!
//! ```text
//! traefik/       routes → files for Traefik's file provider; Traefik's container; confirmation through its API
//! memory.rs      the in-memory twin
//! certificate.rs what is known of certificates
//! traffic.rs     what is counted of requests
//! ```

pub mod certificate;
pub mod memory;
pub mod traefik;
mod traffic;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddrV4};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use certificate::{Certificate, Certificates, Refusal, Standing};
pub use memory::MemoryRouter;
pub use traefik::switch::Patience;
pub use traefik::{TraefikRouter, TraefikSettings};
pub use traffic::Counts;

use crate::atomic_file;
use crate::engine::{Cause, EngineError};
use crate::manifest::{HealthCheck, ServiceUrl};
use crate::name::ServiceName;

/// So long after requests were held those that come may meet with a rush. Measured on two cores, where 3,100 requests a
/// second were held: the longest wait, with the gap itself, was 5.1 s (`./dev bench deploy` asks for 1,000).
pub const RUSH: Duration = Duration::from_secs(15);

pub type Result<T, E = RouterError> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum RouterError {
    #[error("the router does not answer at {endpoint}")]
    Unreachable { endpoint: String, source: Cause },
    /// Written, but not seen in the router's own view in time.
    #[error("the router did not take up the routes of {service} within {limit:?}: {detail}")]
    Unconfirmed { service: ServiceName, limit: Duration, detail: String },
    /// The router reports an error in a route.
    #[error("the router refuses the routes of {service}: {detail}")]
    Refused { service: ServiceName, detail: String },
    #[error("could not {action} {path}")]
    File { action: &'static str, path: std::path::PathBuf, source: std::io::Error },
    #[error("the router's container could not be kept running")]
    Container(#[from] EngineError),
    /// Its container is there, and nothing runs in it.
    #[error("the router does not run: {reason}")]
    Stopped { reason: String },
    /// Its container was started, but it does not answer. What it wrote last, oldest first.
    #[error("the router did not start: {reason}{}", last_lines(log))]
    NotStarted { reason: String, log: Vec<String>, source: Option<Cause> },
}

impl RouterError {
    /// What the operator can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            RouterError::Container(EngineError::PortTaken { port, .. }) => Some(format!(
                "stop what listens on port {port} of this server, or set http_port and https_port under [router] in \
                 config.toml"
            )),
            RouterError::Container(EngineError::Denied { registry, standing, .. }) => Some(registry.advice(standing)),
            RouterError::Unconfirmed { .. } => Some(
                "look into the log of the router's container: one file in its folder that it cannot read holds up all \
                 changes"
                    .to_owned(),
            ),
            RouterError::File { path, .. } if self.is_full_disk() => {
                Some(atomic_file::make_room(path.parent().unwrap_or(path)))
            }
            _ => None,
        }
    }

    /// It did not answer, which one that is busy does not do in time either.
    pub fn is_silence(&self) -> bool {
        matches!(self, RouterError::Unreachable { .. })
    }

    pub fn is_full_disk(&self) -> bool {
        matches!(self, RouterError::File { source, .. } if source.kind() == io::ErrorKind::StorageFull)
    }
}

fn last_lines(log: &[String]) -> String {
    log.iter().map(|line| format!("\n  {line}")).collect()
}

/// Takes requests to containers.
#[async_trait]
pub trait Router: Send + Sync + fmt::Debug + 'static {
    /// Starts the router where it does not run, and waits until it answers.
    async fn ensure_running(&self) -> Result<RouterInfo>;

    /// Makes the routes live, in place of those the service had; returns once requests follow them.
    async fn apply(&self, routes: &Routes) -> Result<()>;

    /// Takes the service's routes away; returns once requests no longer follow them. None there is fine.
    async fn withdraw(&self, service: &ServiceName) -> Result<()>;

    /// The routes that were applied last, of all services; sorted by service.
    async fn routes(&self) -> Result<Vec<Routes>>;

    /// What it counted of each service's requests; services that had none may be missing.
    async fn traffic(&self) -> Result<BTreeMap<ServiceName, Counts>>;

    /// The certificates that it has, and those it was refused; serves new ones of the operator's from now on.
    async fn certificates(&self) -> Result<Certificates>;

    /// Takes requests for the server's own API to it, in place of where they went before; returns the address that they
    /// will come from.
    async fn expose(&self, api: &ApiRoute) -> Result<IpAddr>;

    /// Asks for a path of the server's own API as a visitor does, by way of the router; returns the answer's status.
    async fn ask_api(&self, api: &ApiRoute, path: &str) -> Result<u16>;

    /// Takes no requests to the server's own API any more. That none were taken there is fine.
    async fn conceal(&self) -> Result<()>;

    /// Whether the router answers, and where.
    async fn info(&self) -> Result<RouterInfo>;
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterInfo {
    /// `Traefik`.
    pub name: String,
    pub version: String,
    /// Where it takes http requests, on the server.
    pub http_port: u16,
    pub https_port: u16,
    /// It is of settings of before: why it could not be replaced when the server started. Until its next start it stays so.
    #[serde(default)]
    pub unreplaced: Option<Unreplaced>,
}

/// Why a router of the present settings could not take the place of the one that serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreplaced {
    /// What became of it.
    pub reason: String,
    /// What it wrote last, oldest first.
    pub log: Vec<String>,
}

impl fmt::Display for Unreplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.headline(), last_lines(&self.log))
    }
}

impl Unreplaced {
    /// Without what it wrote.
    pub fn headline(&self) -> String {
        format!("a router of the present settings did not come up, and the one of before serves on: {}", self.reason)
    }

    /// What the operator can do about it.
    pub fn hint() -> &'static str {
        "mend what config.toml says of it ([router], [init], [acme]) and restart the server: it is tried once at each start \
         of the server"
    }
}

/// The way to the server's own API: everything under `/daemon/` of its domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRoute {
    /// In lower case, without a port.
    pub domain: String,
    /// With https, and with a redirect from http.
    pub secure: bool,
    /// Where the server listens.
    pub target: SocketAddrV4,
}

/// The routes of one service: its URLs, and the containers behind all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routes {
    pub service: ServiceName,
    pub urls: Vec<ServiceUrl>,
    /// One entry a container; empty answers 503, held or not.
    pub targets: Vec<SocketAddrV4>,
    /// Not done while requests are held: they are to wait for a container that does not answer yet.
    pub healthcheck: Option<HealthCheck>,
    /// Requests that cannot be answered wait for up to so long, and then fail.
    pub hold: Option<Duration>,
}
