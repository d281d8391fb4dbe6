//! What a deploy would do.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Action, Problem};
use crate::name::{ReleaseId, ServiceName};

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
