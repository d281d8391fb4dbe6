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

mod audit;
mod deploy;
mod disk;
mod figures;
mod logs;
mod plan;
mod problem;
mod server;
mod service;
pub mod terminal;
mod variable;
mod watch;

pub use audit::{AuditEntry, AuditResult, By};
pub use deploy::{CancelRequest, ContextView, DeployRequest, Target, state_word};
pub use disk::{
    DiskView, FileSystemView, FolderView, Holds, Leftovers, PruneRequest, Pruned, Reclaimable, ReleaseName, Removal,
    ServiceDisk,
};
pub use figures::{Alert, AlertKind, History, HistoryQuery, MachineFigures, Measure, Span, Traffic, WebhookTest};
pub use logs::LogsOf;
pub use plan::{Downtime, OptionChange, PlanRequest, PlanView};
pub use problem::{Problem, ProblemCode};
pub use server::{Limits, Part, ServerView};
pub use service::{
    CertificateView, ContainerView, PinRequest, ReleaseView, ServiceDetail, ServiceState, ServiceView, Snapshot,
};
pub use variable::{VariableChange, VariableView};
pub use watch::{Change, ContainerFigures, ServiceFigures, WatchNews};

// What requests and replies are made of, so that a client needs to know of the wire only.
pub use crate::deploy::event::{Evidence, requests_go_to};
pub use crate::deploy::{Action, Commit, Deploy, DeployState, Event, Failure, Origin, Outcome, Phase, Release, What};
pub use crate::engine::{
    ContainerState, EngineInfo, Exit, Health, LogLine, LogQuery, LogStream, ProbeAnswer, TerminalSize,
};
pub use crate::keys::{Fingerprint, Holder, Role};
pub use crate::router::{RouterInfo, Standing, Unreplaced};

/// The version in the path of every endpoint.
pub const API_VERSION: u32 = 1;

/// Where all endpoints begin.
pub const BASE: &str = "/daemon/v1";
