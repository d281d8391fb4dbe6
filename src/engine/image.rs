//! Images, and what they are built from.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Sources;
use crate::manifest::{CpuLimit, MemoryLimit};
use crate::name::{ImageName, ReleaseId, ServiceName};

/// What an image is built from.
pub struct Build {
    pub name: ImageName,
    pub service: ServiceName,
    pub release: ReleaseId,
    /// A tar, gzipped or not, with the Dockerfile at its root.
    pub context: BoxStream<'static, std::io::Result<Bytes>>,
    /// Ask the registry for newer base images.
    pub pull: bool,
    pub sources: Sources,
    pub limits: BuildLimits,
}

/// What each `RUN` of a build may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildLimits {
    /// Beside a container of a service, which has 1024, when both want more CPU than there is.
    pub cpu_shares: u32,
    pub max_cpu: Option<CpuLimit>,
    pub max_mem: Option<MemoryLimit>,
}

impl Default for BuildLimits {
    /// As much as any container.
    fn default() -> Self {
        Self { cpu_shares: 1024, max_cpu: None, max_mem: None }
    }
}

impl fmt::Debug for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Build").field("name", &self.name).field("pull", &self.pull).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    pub name: ImageName,
    /// `sha256:…`.
    pub id: String,
    pub bytes: u64,
    /// The image has a HEALTHCHECK of its own.
    pub has_healthcheck: bool,
    /// How long until the engine has the answer of the first check: interval and time-out together.
    pub first_check: Duration,
    /// Folders that the image says data is kept in (VOLUME), sorted.
    pub volumes: Vec<String>,
    pub created: Timestamp,
}
