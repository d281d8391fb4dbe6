//! Who is connected to a container: the engine tells its process, and the kernel the connections of that one's network.

use std::fs;

use super::DockerEngine;
use crate::engine::{Result, sockets};
use crate::name::ContainerName;

impl DockerEngine {
    pub(super) async fn count_connections(&self, name: &ContainerName) -> Result<Option<u32>> {
        let details = self.own(name).await?;
        let pid = details.state.and_then(|state| state.pid).unwrap_or(0);
        if pid == 0 {
            return Ok(Some(0));
        }
        let id = details.id.unwrap_or_default();
        let count = move || is_of(pid, &id).then(|| sockets::connections(pid).ok()).flatten();
        Ok(tokio::task::spawn_blocking(count).await.unwrap_or_default())
    }
}

/// Where the engine runs elsewhere than on this machine, its numbers of processes mean others here.
pub(super) fn is_of(pid: i64, container: &str) -> bool {
    !container.is_empty()
        && fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(|groups| groups.contains(container))
}
