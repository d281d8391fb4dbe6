//! Probing a container: first whether it runs at all, then as the probe says.

use bollard::models::{Health as DockerHealth, HealthStatusEnum};

use super::DockerEngine;
use super::container::state;
use super::error::Asked;
use crate::engine::{ContainerState, Probe, ProbeAnswer, Result, probe};
use crate::name::ContainerName;

impl DockerEngine {
    pub(super) async fn ask(&self, name: &ContainerName, how: &Probe) -> Result<ProbeAnswer> {
        let details = self.own(name).await?;
        let docker_state = details.state.clone().unwrap_or_default();
        match state(&docker_state) {
            ContainerState::Exited { exit, .. } | ContainerState::Restarting { exit } => {
                return Ok(ProbeAnswer::Exited { exit });
            }
            ContainerState::Created => return Ok(ProbeAnswer::NotReady { detail: "not started".to_owned() }),
            ContainerState::Running { .. } => {}
        }
        let address = self.read(&details).map(|container| container.address);
        let no_address = || Asked::container("probe", name.as_str()).refused("it has no address on our network");
        Ok(match how {
            Probe::Running => ProbeAnswer::Ready { detail: "running".to_owned() },
            Probe::ImageHealth => image_health(docker_state.health.as_ref()),
            Probe::Http { port, path, timeout } => {
                self.prober.http(address.ok_or_else(no_address)?, *port, path, *timeout).await
            }
            Probe::Connect { port, timeout } => probe::connect(address.ok_or_else(no_address)?, *port, *timeout).await,
        })
    }
}

fn image_health(health: Option<&DockerHealth>) -> ProbeAnswer {
    let Some(health) = health else {
        return ProbeAnswer::Ready { detail: "running, without a health check".to_owned() };
    };
    match health.status {
        Some(HealthStatusEnum::HEALTHY) => ProbeAnswer::Ready { detail: "healthy".to_owned() },
        Some(HealthStatusEnum::NONE | HealthStatusEnum::EMPTY) | None => {
            ProbeAnswer::Ready { detail: "running, without a health check".to_owned() }
        }
        Some(status) => {
            let result = health.log.as_ref().and_then(|log| log.last());
            let said = result.and_then(|result| result.output.as_deref()).unwrap_or_default().trim();
            let detail = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
            ProbeAnswer::NotReady { detail }
        }
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::HealthcheckResult;

    use super::*;

    fn health(status: HealthStatusEnum, said: &[&str]) -> DockerHealth {
        let results =
            said.iter().map(|&output| HealthcheckResult { output: Some(output.to_owned()), ..Default::default() });
        DockerHealth { status: Some(status), log: Some(results.collect()), ..Default::default() }
    }

    fn detail(health: &DockerHealth) -> (bool, String) {
        match image_health(Some(health)) {
            ProbeAnswer::Ready { detail } => (true, detail),
            ProbeAnswer::NotReady { detail } => (false, detail),
            ProbeAnswer::Exited { .. } => panic!("health says nothing of exits"),
        }
    }

    #[test]
    fn an_unhealthy_container_tells_what_its_check_said_last() {
        let told = detail(&health(HealthStatusEnum::UNHEALTHY, &["old", "no database\n"]));
        assert_eq!(told, (false, "unhealthy: no database".to_owned()));
        assert_eq!(detail(&health(HealthStatusEnum::STARTING, &[])), (false, "starting".to_owned()));
        assert_eq!(detail(&health(HealthStatusEnum::HEALTHY, &["fine"])), (true, "healthy".to_owned()));
    }

    #[test]
    fn an_image_without_a_check_is_ready_when_it_runs() {
        assert_eq!(image_health(None), ProbeAnswer::Ready { detail: "running, without a health check".into() });
    }
}
