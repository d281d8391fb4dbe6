//! Docker's containers → ours.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use bollard::models::{
    ContainerInspectResponse, ContainerState as DockerState, ContainerStateStatusEnum as Status, HealthStatusEnum,
    PortBinding, RestartPolicyNameEnum,
};
use bollard::query_parameters::{InspectContainerOptions, ListContainersOptionsBuilder};
use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use super::error::Asked;
use super::label::{self, Labels};
use super::{DockerEngine, QUICK};
use crate::engine::{Container, ContainerState, EngineError, Exit, Health, PublishedPort, Restart, Result};
use crate::manifest::{CpuLimit, MemoryLimit, Protocol};
use crate::name::{ContainerName, ImageName, ServiceName};

/// How many containers are asked about at a time.
const AT_A_TIME: usize = 16;

impl DockerEngine {
    pub(super) async fn list(&self, service: Option<&ServiceName>) -> Result<Vec<Container>> {
        let mut labels = vec![self.own_label(), label::service_filter()];
        labels.extend(service.map(|name| format!("{}={name}", label::SERVICE)));
        let mut ids: Vec<String> = self.summaries(labels).await?.into_iter().filter_map(|found| found.id).collect();
        ids.extend(self.adopted.ids(service).cloned());
        let mut looks = stream::iter(ids).map(|id| async move { self.look(&id).await }).buffer_unordered(AT_A_TIME);
        let mut containers = Vec::new();
        while let Some(looked) = looks.next().await {
            match looked {
                Ok(details) => containers.extend(self.readable(&details)),
                // Removed since it was listed.
                Err(EngineError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(containers)
    }

    /// Summaries of the containers, in any state, that carry all of these labels.
    pub(super) async fn summaries(&self, labels: Vec<String>) -> Result<Vec<bollard::models::ContainerSummary>> {
        let filters = [("label".to_owned(), labels)].into();
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let asked = Asked { verb: "list", what: "containers of", name: self.instance.as_str() };
        self.call(asked, QUICK, self.docker.list_containers(Some(options))).await
    }

    /// The container of that name, if it is ours.
    pub(super) async fn own(&self, name: &ContainerName) -> Result<Box<ContainerInspectResponse>> {
        let found = self.look(name.as_str()).await?;
        if label::is_our_container(&self.instance, &self.labels(&found)) {
            Ok(found)
        } else {
            Err(EngineError::NotOurs { what: "container", name: name.to_string() })
        }
    }

    /// As [`own`](Self::own); none when there is no container of that name.
    pub(super) async fn own_if_there(&self, name: &ContainerName) -> Result<Option<Box<ContainerInspectResponse>>> {
        match self.own(name).await {
            Ok(found) => Ok(Some(found)),
            Err(EngineError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The container's labels; of one that was taken over, those that it would have.
    pub(super) fn labels<'a>(&self, details: &'a ContainerInspectResponse) -> Cow<'a, Labels> {
        match details.id.as_deref().and_then(|id| self.adopted.labels(&self.instance, id)) {
            Some(labels) => Cow::Owned(labels),
            None => Cow::Borrowed(labels(details)),
        }
    }

    /// What Docker tells of a container takes kilobytes, and whoever asks would have room for it on its stack.
    pub(super) async fn look(&self, name_or_id: &str) -> Result<Box<ContainerInspectResponse>> {
        let asked = Asked::container("inspect", name_or_id);
        let inspect = self.docker.inspect_container(name_or_id, None::<InspectContainerOptions>);
        Box::pin(self.call(asked, QUICK, inspect)).await.map(Box::new)
    }

    /// One container that cannot be read must not hide the others.
    fn readable(&self, details: &ContainerInspectResponse) -> Option<Container> {
        let container = self.read(details);
        if container.is_none() {
            tracing::warn!(container = details.name, "a container's labels or settings cannot be read; it is ignored");
        }
        container
    }

    pub(super) fn read(&self, details: &ContainerInspectResponse) -> Option<Container> {
        let host = details.host_config.as_ref()?;
        let labels = self.labels(details);
        Some(Container {
            name: ContainerName::from_engine(details.name.as_deref()?),
            id: details.id.clone()?,
            role: label::role(&labels)?,
            image: ImageName::foreign(details.config.as_ref()?.image.as_deref()?),
            digest: label::digest(&labels),
            address: self.configured_address(details)?,
            max_cpu: limit(host.nano_cpus).map(|nano_cpus| CpuLimit { nano_cpus }),
            max_mem: limit(host.memory).map(|bytes| MemoryLimit { bytes }),
            published: published(details),
            restart: restart(host.restart_policy.as_ref().and_then(|policy| policy.name)),
            restarts: details.restart_count.and_then(|count| count.try_into().ok()).unwrap_or(0),
            created: time(details.created.as_deref()),
            state: state(details.state.as_ref()?),
        })
    }

    /// The fixed address, which a container has also while it does not run.
    pub(super) fn configured_address(&self, details: &ContainerInspectResponse) -> Option<Ipv4Addr> {
        let networks = details.network_settings.as_ref()?.networks.as_ref()?;
        networks.get(&self.network_name())?.ipam_config.as_ref()?.ipv4_address.as_deref()?.parse().ok()
    }
}

/// Docker writes 0 for no limit.
fn limit(value: Option<i64>) -> Option<i64> {
    value.filter(|value| *value > 0)
}

/// Known while it runs: Docker chooses a free port anew at each start.
fn published(details: &ContainerInspectResponse) -> Vec<PublishedPort> {
    let ports = details.network_settings.as_ref().and_then(|settings| settings.ports.as_ref());
    let mut published: Vec<_> = ports
        .into_iter()
        .flatten()
        .flat_map(|(port, bindings)| bindings.iter().flatten().filter_map(|binding| published_port(port, binding)))
        .collect();
    published.sort();
    published
}

/// The port is written as in `80/tcp`.
fn published_port(port: &str, binding: &PortBinding) -> Option<PublishedPort> {
    let (number, protocol) = port.split_once('/')?;
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "sctp" => Protocol::Sctp,
        _ => return None,
    };
    Some(PublishedPort {
        container_port: number.parse().ok()?,
        protocol,
        address: binding.host_ip.as_deref()?.parse().ok()?,
        host_port: binding.host_port.as_deref()?.parse().ok()?,
    })
}

pub(super) fn labels(details: &ContainerInspectResponse) -> &Labels {
    label::present(details.config.as_ref().and_then(|config| config.labels.as_ref()))
}

fn restart(policy: Option<RestartPolicyNameEnum>) -> Restart {
    match policy {
        Some(RestartPolicyNameEnum::ALWAYS | RestartPolicyNameEnum::UNLESS_STOPPED) => Restart::UnlessStopped,
        _ => Restart::Never,
    }
}

pub(super) fn state(state: &DockerState) -> ContainerState {
    let exit = || Exit { code: state.exit_code.unwrap_or(0), out_of_memory: state.oom_killed.unwrap_or(false) };
    match state.status {
        Some(Status::CREATED) => ContainerState::Created,
        Some(Status::RUNNING | Status::PAUSED) => {
            ContainerState::Running { since: time(state.started_at.as_deref()), health: health(state) }
        }
        Some(Status::RESTARTING) => ContainerState::Restarting { exit: exit() },
        _ => ContainerState::Exited { exit: exit(), at: time(state.finished_at.as_deref()) },
    }
}

fn health(state: &DockerState) -> Option<Health> {
    match state.health.as_ref()?.status? {
        HealthStatusEnum::STARTING => Some(Health::Starting),
        HealthStatusEnum::HEALTHY => Some(Health::Healthy),
        HealthStatusEnum::UNHEALTHY => Some(Health::Unhealthy),
        HealthStatusEnum::EMPTY | HealthStatusEnum::NONE => None,
    }
}

/// Docker's times are always there and well-formed; the epoch stands for one that is not.
pub(super) fn time(text: Option<&str>) -> Timestamp {
    text.and_then(|text| text.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}
