//! What both ends of the wire share: paths, requests and replies. JSON, versioned by the path; a field is only ever
//! added within a version, never renamed, removed or given another meaning.
//!
//! ```text
//! GET    /daemon/v1/server                      ServerView
//! GET    /daemon/v1/snapshot                    Snapshot
//! GET    /daemon/v1/watch                       Snapshot, one a line, whenever something changed
//! GET    /daemon/v1/services/{service}          ServiceDetail
//! GET    /daemon/v1/services/{service}/logs     LogLine, one a line         ?tail&since&follow&container
//! GET    /daemon/v1/variables                   Vec<VariableView>
//! POST   /daemon/v1/variables                   VariableChange → VariableView
//! GET    /daemon/v1/services/{service}/shell    upgraded, see terminal    ?container&columns&rows&term
//! POST   /daemon/v1/contexts                    a tar.gz → ContextView
//! POST   /daemon/v1/plans                       PlanRequest → PlanView
//! POST   /daemon/v1/deploys                     DeployRequest → Deploy
//! GET    /daemon/v1/deploys                     Vec<Deploy>, newest first   ?service&limit
//! GET    /daemon/v1/deploys/{deploy}            Deploy
//! POST   /daemon/v1/deploys/{deploy}/cancel      CancelRequest → Deploy
//! GET    /daemon/v1/deploys/{deploy}/events     Event, one a line, until it ended   ?from
//! ```
//!
//! An answer that is not 2xx carries [`Problem`] as its body. A service's name is percent-encoded in a path.

pub mod terminal;

use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::deploy::event::causes;
use crate::manifest::{Diagnostic, Manifest, Scale, ServiceUrl};
use crate::name::{ContainerName, InstanceName, ReleaseId, ServiceName, VariableName};

// What requests and replies are made of, so that a client needs to know of the wire only.
pub use crate::deploy::event::Evidence;
pub use crate::deploy::{Action, Commit, Deploy, DeployState, Event, Failure, Origin, Outcome, Phase, Release, What};
pub use crate::engine::{
    ContainerState, EngineInfo, Exit, Health, LogLine, LogQuery, LogStream, ProbeAnswer, TerminalSize,
};
pub use crate::router::{RouterInfo, Standing};

/// The version in the path of every endpoint.
pub const API_VERSION: u32 = 1;

/// Where all endpoints begin.
pub const BASE: &str = "/daemon/v1";

/// What a server is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerView {
    pub version: String,
    pub instance: InstanceName,
    pub started: Timestamp,
    pub engine: Part<EngineInfo>,
    pub router: Part<RouterInfo>,
    /// The largest context it takes, in bytes before compression.
    pub max_context_bytes: u64,
}

/// A part of the server that may be down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Part<T> {
    Up { info: T },
    Down { problem: Problem },
}

impl<T> Part<T> {
    pub fn up(&self) -> Option<&T> {
        match self {
            Part::Up { info } => Some(info),
            Part::Down { .. } => None,
        }
    }
}

/// Everything a list of services shows, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub at: Timestamp,
    pub server: ServerView,
    /// Sorted by name.
    pub services: Vec<ServiceView>,
    /// Those that wait or run, and the last few that ended; newest first.
    pub deploys: Vec<Deploy>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceView {
    pub name: ServiceName,
    pub state: ServiceState,
    /// The live release; none when none ever was.
    pub release: Option<ReleaseId>,
    /// When it became live.
    pub since: Option<Timestamp>,
    pub scale: Option<Scale>,
    pub urls: Vec<ServiceUrl>,
    /// Of the domains of https URLs, sorted.
    #[serde(default)]
    pub certificates: Vec<CertificateView>,
    /// Sorted by name; those of a release that is about to become live too.
    pub containers: Vec<ContainerView>,
    /// How many containers of the live release should run.
    pub wanted: u32,
    /// How many of them do, and take requests.
    pub ready: u32,
    /// The newest deploy of the service.
    pub last_deploy: Option<Deploy>,
}

/// How a domain of an https URL stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateView {
    pub domain: String,
    #[serde(flatten)]
    pub standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// All wanted containers are ready.
    Running,
    /// Some are.
    Degraded,
    /// None is, though some should be.
    Down,
    /// None is, as asked.
    Stopped,
    /// No release was ever live.
    NeverLive,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContainerView {
    pub name: ContainerName,
    pub release: ReleaseId,
    pub address: Ipv4Addr,
    pub state: ContainerState,
    /// How often it was restarted because it died.
    pub restarts: u32,
    /// Requests are sent to it.
    pub routed: bool,
    /// Of one CPU, in percent: 150 is one and a half CPUs. None until it was measured twice.
    pub cpu_percent: Option<f32>,
    pub memory_bytes: Option<u64>,
    /// What it may use.
    pub memory_limit_bytes: Option<u64>,
}

/// One service with its history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceDetail {
    pub service: ServiceView,
    /// Of the live release.
    pub manifest: Option<Manifest>,
    /// Newest first.
    pub releases: Vec<ReleaseView>,
    /// Newest first; the last 50.
    pub deploys: Vec<Deploy>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleaseView {
    #[serde(flatten)]
    pub release: Release,
    pub live: bool,
    /// Its image is still there, so that one can go back to it.
    pub available: bool,
    /// The deploy that built it.
    pub deploy: Option<Deploy>,
}

/// A variable of the server's environment, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableView {
    pub name: String,
    /// It has a value; one that is used and has none hinders the next deploy.
    pub is_set: bool,
    /// Services whose live release takes it.
    pub used_by: Vec<ServiceName>,
}

/// Gives a variable a value, or takes it away.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableChange {
    pub name: VariableName,
    /// None: it has none any more.
    pub value: Option<String>,
}

impl std::fmt::Debug for VariableChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VariableChange").field("name", &self.name).field("is_set", &self.value.is_some()).finish()
    }
}

/// A context that was received whole and waits for its deploy; forgotten after a while without one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContextView {
    pub id: String,
    /// As received, compressed.
    pub bytes: u64,
    pub files: u64,
    /// `sha256:…` of what was received.
    pub digest: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeployRequest {
    pub target: Target,
    pub origin: Origin,
}

/// Ends a deploy that waits or builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequest {
    /// As in `ada@laptop`.
    pub who: String,
}

/// What to deploy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// The context names its service.
    Context {
        context: String,
    },
    Service {
        service: ServiceName,
        action: Action,
    },
}

/// Asks what a deploy would do, without doing it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PlanRequest {
    /// Pushing a folder with this Dockerfile.
    Dockerfile {
        text: String,
    },
    Service {
        service: ServiceName,
        action: Action,
    },
}

/// What a deploy would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanView {
    pub service: ServiceName,
    pub action: Action,
    pub from: Option<ReleaseId>,
    pub to: Option<ReleaseId>,
    /// Why it is done this way, in sentences.
    pub notes: Vec<String>,
    /// What is done, in order, in words.
    pub steps: Vec<String>,
    pub downtime: Downtime,
    /// Options that differ from the live release's.
    pub changes: Vec<OptionChange>,
    /// What should be known but does not hinder.
    pub warnings: Vec<String>,
    /// Why it would be refused; empty when it would not.
    pub refusals: Vec<Problem>,
}

/// What requests notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "downtime", rename_all = "snake_case")]
pub enum Downtime {
    /// Nothing.
    None,
    /// They wait while the new containers start, up to the limit.
    Held { limit: Duration },
    /// They are answered with 503, or not at all, as asked for.
    Intended,
}

/// An option that another release has otherwise. Values of secrets are not part of options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionChange {
    pub key: String,
    pub old: Vec<String>,
    pub new: Vec<String>,
}

/// Why a request was not done, for the person who reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub code: ProblemCode,
    /// What failed.
    pub message: String,
    /// Why, outermost first.
    #[serde(default)]
    pub causes: Vec<String>,
    /// What to do next.
    #[serde(default)]
    pub hint: Option<String>,
    /// What is wrong in the Dockerfile, when that is it.
    #[serde(default)]
    pub diagnostics: Vec<Diagnostic>,
}

impl Problem {
    pub fn new(code: ProblemCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), causes: Vec::new(), hint: None, diagnostics: Vec::new() }
    }

    /// An error as it is told: its own message, and what lies behind it.
    pub fn of(code: ProblemCode, error: &dyn std::error::Error) -> Self {
        Self { causes: causes(error), ..Self::new(code, error.to_string()) }
    }

    #[must_use]
    pub fn because(mut self, error: &dyn std::error::Error) -> Self {
        self.causes.push(error.to_string());
        self.causes.extend(causes(error));
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    BadRequest,
    NotFound,
    /// It cannot be done in the present state.
    Conflict,
    TooLarge,
    /// The engine or the router is down.
    Unavailable,
    /// The server is about to stop.
    Stopping,
    Internal,
}

/// The state of a deploy in one word, for lists: `queued`, `building`, `succeeded`, …
pub fn state_word(state: &DeployState) -> &'static str {
    match state {
        DeployState::Queued => "queued",
        DeployState::Running { phase, .. } => phase.word(),
        DeployState::Finished { outcome, .. } => match outcome {
            Outcome::Succeeded => "succeeded",
            Outcome::Failed { .. } => "failed",
            Outcome::Superseded { .. } => "superseded",
            Outcome::Cancelled { .. } => "cancelled",
            Outcome::Interrupted { .. } => "interrupted",
        },
    }
}
