//! What was asked of a server, and by whom.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Action, Fingerprint, Holder, ProblemCode};
use crate::name::{DeployId, ServiceName};

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
