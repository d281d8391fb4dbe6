//! A server, and what of it may be down.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{EngineInfo, MachineFigures, Problem, Role, RouterInfo};
use crate::name::{InstanceName, ServiceName};

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
    /// Why requests to its own domain do not come to it; none: they do, or it has none.
    #[serde(default)]
    pub unreached: Option<Problem>,
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
