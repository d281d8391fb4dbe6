//! What both ends of the wire share: paths, requests and replies. JSON, versioned by the path; a field is only ever
//! added within a version, never renamed, removed or given another meaning.
//!
//! ```text
//! GET    /daemon/v1/server                      ServerView
//! GET    /daemon/v1/disk                        DiskView                    ?keep
//! POST   /daemon/v1/prune                       PruneRequest → Pruned
//! GET    /daemon/v1/snapshot                    Snapshot
//! GET    /daemon/v1/watch                       WatchNews, one a line, whenever something changed
//! GET    /daemon/v1/history                     History                     ?service&span&points
//! POST   /daemon/v1/alerts/test                 Vec<WebhookTest>
//! GET    /daemon/v1/services/{service}          ServiceDetail
//! GET    /daemon/v1/services/{service}/logs     LogLine, one a line         ?tail&since&follow&container&release
//! GET    /daemon/v1/variables                   Vec<VariableView>
//! POST   /daemon/v1/variables                   VariableChange → VariableView
//! POST   /daemon/v1/services/{service}/releases/{release}/pin   PinRequest → ReleaseView
//! GET    /daemon/v1/services/{service}/shell    upgraded, see terminal    ?container&columns&rows&term
//! POST   /daemon/v1/contexts                    a tar.gz → ContextView
//! POST   /daemon/v1/plans                       PlanRequest → PlanView
//! POST   /daemon/v1/deploys                     DeployRequest → Deploy
//! GET    /daemon/v1/deploys                     Vec<Deploy>, newest first   ?service&limit
//! GET    /daemon/v1/deploys/{deploy}            Deploy
//! POST   /daemon/v1/deploys/{deploy}/cancel      CancelRequest → Deploy
//! GET    /daemon/v1/deploys/{deploy}/events     Event, one a line, until it ended   ?from
//! GET    /daemon/v1/audit                       Vec<AuditEntry>, newest first       ?service&limit
//! ```
//!
//! An answer that is not 2xx carries [`Problem`] as its body. A service's name is percent-encoded in a path. Requests
//! that come over the network are signed, see [`crate::proof`]; those on the server's own socket need not be.

mod disk;
mod figures;
mod logs;
pub mod terminal;
mod watch;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::deploy::event::causes;
use crate::manifest::{CpuLimit, Diagnostic, Manifest, Scale, ServiceUrl};
use crate::name::{ContainerName, DeployId, InstanceName, ReleaseId, ServiceName, VariableName};

pub use disk::{
    DiskView, FileSystemView, FolderView, Holds, Leftovers, PruneRequest, Pruned, Reclaimable, ReleaseName, Removal,
    ServiceDisk,
};
pub use figures::{Alert, AlertKind, History, HistoryQuery, MachineFigures, Measure, Span, Traffic, WebhookTest};
pub use logs::LogsOf;
pub use watch::{Change, ContainerFigures, ServiceFigures, WatchNews};

// What requests and replies are made of, so that a client needs to know of the wire only.
pub use crate::deploy::event::Evidence;
pub use crate::deploy::{Action, Commit, Deploy, DeployState, Event, Failure, Origin, Outcome, Phase, Release, What};
pub use crate::engine::{
    ContainerState, EngineInfo, Exit, Health, LogLine, LogQuery, LogStream, ProbeAnswer, TerminalSize,
};
pub use crate::keys::{Fingerprint, Holder, Role};
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
    /// None while they are not measured.
    #[serde(default)]
    pub machine: Option<MachineFigures>,
    /// What whoever asks is limited to. None: to nothing.
    #[serde(default)]
    pub limits: Option<Limits>,
}

/// What a caller may do at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub role: Role,
    /// None: with all services.
    pub services: Option<BTreeSet<ServiceName>>,
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
    /// The gravest first.
    #[serde(default)]
    pub alerts: Vec<Alert>,
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
    /// None while it is not measured, or has no URL.
    #[serde(default)]
    pub traffic: Option<Traffic>,
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
    /// What it may use, as the engine holds it to now.
    pub memory_limit_bytes: Option<u64>,
    #[serde(default)]
    pub cpu_limit: Option<CpuLimit>,
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
    /// It is kept whatever its age, and does not count among those that are kept.
    #[serde(default)]
    pub pinned: bool,
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

/// Keeps a release whatever its age, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRequest {
    pub pinned: bool,
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

/// Something that was asked of the server, by whom, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub at: Timestamp,
    pub by: By,
    /// Where it came from; none on the server's own socket.
    pub address: Option<IpAddr>,
    /// As in `POST /daemon/v1/deploys`.
    pub request: String,
    /// What it was about, as far as that is known.
    pub service: Option<ServiceName>,
    pub action: Option<Action>,
    pub deploy: Option<DeployId>,
    pub result: AuditResult,
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum By {
    /// A user of the server itself, on its socket.
    Local { user: String },
    /// The holder of a key, proven.
    Key(Holder),
    /// Somebody who proved nothing; perhaps they named a key.
    Nobody { claimed: Option<Fingerprint> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum AuditResult {
    /// It was taken on. What came of a deploy is in the history of deploys.
    Done,
    Refused {
        code: ProblemCode,
        message: String,
    },
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
        /// How much the folder holds, in bytes; none when that is not known yet.
        #[serde(default)]
        context_bytes: Option<u64>,
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
    /// A disk of the server has too little room for it.
    NoRoom,
    /// The engine or the router is down.
    Unavailable,
    /// The server is about to stop.
    Stopping,
    /// The request does not prove whose it is.
    Unauthorized,
    /// It proves it, but the key may not do this.
    Forbidden,
    /// More at once, or in a short time, than the server takes.
    TooMany,
    /// Client and server are of versions that do not understand each other.
    Version,
    Internal,
    /// One that this version does not know.
    #[serde(other)]
    Other,
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
