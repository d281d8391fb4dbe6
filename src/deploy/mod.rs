//! Making a release live.
//!
//! ```text
//! desired.rs     manifest + release + request → what should be
//! plan.rs        desired + actual → steps, pure; says why, and how to undo
//! step.rs        the steps as data
//! queue.rs       which deploy of a service may run, which waits, which is superseded; pure
//! journal.rs     what was intended and done, for the next start after a crash
//! execute.rs     does the steps, writes the journal, reports events
//! readiness.rs   when a container is ready, and why it is not
//! patience.rs    waiting for what a deploy cannot do without
//! event.rs       what is reported while it happens, and how it ended
//! ```

pub mod desired;
pub mod event;
pub mod execute;
pub mod journal;
pub(crate) mod patience;
pub mod plan;
pub mod queue;
pub mod readiness;
pub mod step;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use desired::{Command, Desired, Goal, Pace, Serving, Strategy, Template};
pub use event::{Event, Evidence, Failure, Outcome, Phase, What};
pub use plan::{Actual, Plan, PlanError, plan};
pub use readiness::Readiness;
pub use step::{Moved, Step};

pub use crate::context::Commit;
use crate::engine::Repository;
use crate::keys::Holder;
use crate::manifest::Manifest;
use crate::name::{DeployId, ImageName, ReleaseId, ServiceName};

/// What an operator may ask for. All of it ends in a deploy, so all of it is queued, journalled and told alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Build a pushed context as a new release and make it live.
    Push,
    /// Build the live release's context again, as a new release.
    Redeploy,
    /// Make an earlier release live again.
    Rollback { to: ReleaseId },
    /// Run so many containers of the live release.
    Scale { count: u32 },
    /// Fresh containers of the live release, with the server's present environment.
    Restart,
    /// No container runs; requests are answered with 503.
    Stop,
    /// Runs again after a stop.
    Start,
    /// The service, its containers and its routes are gone; its releases and their images too.
    Remove,
}

/// Who asked for a deploy, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// As in `ada@laptop`; of a signed request the comment of its key.
    pub who: String,
    /// The key that signed the request; none when it came over the server's own socket. Only the server says so.
    #[serde(default)]
    pub key: Option<Holder>,
    /// The pushed folder, on the machine it was pushed from.
    pub folder: Option<String>,
    pub commit: Option<Commit>,
}

impl Origin {
    /// Nobody asked: the server itself does it.
    pub fn server() -> Self {
        Self { who: "mypaas".to_owned(), key: None, folder: None, commit: None }
    }

    /// Who it was, for people; with the beginning of their key's fingerprint when they came by one.
    pub fn by(&self) -> String {
        match &self.key {
            Some(holder) => format!("{} ({})", self.who, holder.fingerprint.short()),
            None => self.who.clone(),
        }
    }
}

/// An image and its manifest, never changed once made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    pub service: ServiceName,
    pub id: ReleaseId,
    pub image: ImageName,
    /// The engine's id of the image.
    pub image_id: String,
    pub image_bytes: u64,
    /// The image brings a HEALTHCHECK of its own.
    pub image_has_healthcheck: bool,
    /// See [`Image`](crate::engine::Image). Servers before this one wrote neither this nor the volumes.
    #[serde(default)]
    pub image_first_check: Duration,
    #[serde(default)]
    pub image_volumes: Vec<String>,
    /// What keys for some services may pull too, with the logins of the server's user, when they have the service built.
    /// Servers before this one wrote none.
    #[serde(default)]
    pub repositories: BTreeSet<Repository>,
    pub manifest: Manifest,
    pub origin: Origin,
    pub built: Timestamp,
    pub build_seconds: f64,
}

/// One deploy as the history keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deploy {
    pub id: DeployId,
    pub service: ServiceName,
    pub action: Action,
    /// Live before it.
    pub from: Option<ReleaseId>,
    /// To be live after it; none until it is known (a push before its build), or when none is to be (stop, remove).
    pub to: Option<ReleaseId>,
    pub origin: Origin,
    pub accepted: Timestamp,
    pub state: DeployState,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DeployState {
    /// Waits for another deploy of the same service.
    Queued,
    Running {
        started: Timestamp,
        phase: Phase,
    },
    Finished {
        started: Option<Timestamp>,
        finished: Timestamp,
        outcome: Outcome,
    },
}

impl Deploy {
    pub fn is_finished(&self) -> bool {
        matches!(self.state, DeployState::Finished { .. })
    }

    pub fn succeeded(&self) -> bool {
        matches!(&self.state, DeployState::Finished { outcome, .. } if outcome.succeeded())
    }
}
