//! Asking for a deploy, and ending one.

use serde::{Deserialize, Serialize};

use super::{Action, DeployState, Origin, Outcome};
use crate::name::ServiceName;

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
