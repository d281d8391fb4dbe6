//! Logs of a service.

use serde::{Deserialize, Serialize};

use crate::name::{ContainerName, ReleaseId};

/// Whose lines are read.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogsOf {
    /// Of all containers that are there.
    #[default]
    Service,
    Container(ContainerName),
    /// Of its containers that are there, and what was kept of those that are gone.
    Release(ReleaseId),
}

impl From<Option<ContainerName>> for LogsOf {
    fn from(container: Option<ContainerName>) -> Self {
        container.map_or(LogsOf::Service, LogsOf::Container)
    }
}
