//! A container's life: created, started, renamed, stopped, removed. Each call may be done twice.

use std::time::Duration;

use bollard::errors::Error as DockerError;
use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum, ContainerUpdateBody};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, RenameContainerOptionsBuilder, StartContainerOptions,
    StopContainerOptionsBuilder,
};

use super::error::{Asked, Conflict, conflict, is_full, words};
use super::{DockerEngine, QUICK, WORK, label, spec};
use crate::engine::{ContainerSpec, EngineError, Restart, Result};
use crate::name::ContainerName;

/// How often to look whether a container that is being made is there, or one that is being removed is gone.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

const CHANGE_TRIES: u32 = 3;

impl DockerEngine {
    pub(super) async fn create_container(&self, spec: &ContainerSpec) -> Result<()> {
        let asked = Asked::container("create", spec.name.as_str());
        let made = async {
            while !self.make_container(spec, asked).await? {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Ok(())
        };
        tokio::time::timeout(WORK, made).await.unwrap_or_else(|_| Err(asked.timed_out(WORK)))
    }

    /// False when Docker is making it already, for somebody who did not wait for it: then it is not to be seen yet.
    async fn make_container(&self, spec: &ContainerSpec, asked: Asked<'_>) -> Result<bool> {
        if let Some(there) = self.own_if_there(&spec.name).await? {
            let is_the_same = label::digest(&self.labels(&there)) == spec.digest;
            if is_the_same && !is_going(&there) && !self.lost_its_network(&there).await? {
                return Ok(true);
            }
            self.remove_container(&spec.name).await?;
        }
        let options = CreateContainerOptionsBuilder::default().name(spec.name.as_str()).build();
        let body = spec::create_body(&self.instance, &self.network_name(), spec);
        match self.docker.create_container(Some(options), body).await {
            Ok(_) => Ok(true),
            Err(error) if is_name_taken(&error) => Ok(false),
            Err(error) if lacks_image(&error) => {
                Err(EngineError::NotFound { what: "image", name: spec.image.to_string() })
            }
            Err(error) => Err(self.explain(asked, error).await),
        }
    }

    pub(super) async fn start_container(&self, name: &ContainerName) -> Result<()> {
        let there = self.own(name).await?;
        let asked = Asked::container("start", name.as_str());
        let start = self.docker.start_container(name.as_str(), None::<StartContainerOptions>);
        match tokio::time::timeout(WORK, start).await {
            Ok(Ok(())) => {
                self.announce(name).await;
                Ok(())
            }
            Ok(Err(error)) => Err(self.explain_start(error, asked, &there).await),
            Err(_) => Err(asked.timed_out(WORK)),
        }
    }

    async fn explain_start(
        &self,
        error: DockerError,
        asked: Asked<'_>,
        there: &ContainerInspectResponse,
    ) -> EngineError {
        let DockerError::DockerResponseServerError { message, .. } = &error else {
            return self.explain(asked, error).await;
        };
        match (conflict(message), self.read(there)) {
            (Some(Conflict::Port(port)), _) => EngineError::PortTaken { port, source: words(error) },
            (Some(Conflict::Address), Some(ours)) => {
                EngineError::AddressTaken { address: ours.address, source: words(error) }
            }
            _ if is_full(message) => self.full(words(error)).await,
            // The container was there a moment ago: what is missing is its network, and Docker's words say so.
            _ => asked.refused(words(error)),
        }
    }

    /// Docker tells a container's process of any change, and refuses the change when that process ends just then.
    pub(super) async fn update_restart(&self, name: &ContainerName, restart: Restart) -> Result<()> {
        self.own(name).await?;
        let mut tries = 1;
        loop {
            match self.change_restart(name, restart).await {
                Err(EngineError::Refused { .. }) if tries < CHANGE_TRIES => tries += 1,
                changed => return changed,
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn change_restart(&self, name: &ContainerName, restart: Restart) -> Result<()> {
        let change = ContainerUpdateBody { restart_policy: Some(spec::restart_policy(restart)), ..Default::default() };
        let asked = Asked::container("set the restart policy of", name.as_str());
        self.call(asked, QUICK, self.docker.update_container(name.as_str(), change)).await
    }

    pub(super) async fn rename_container(&self, from: &ContainerName, to: &ContainerName) -> Result<()> {
        let there = match self.own(from).await {
            Err(EngineError::NotFound { .. }) if self.own_if_there(to).await?.is_some() => return Ok(()),
            found => found?,
        };
        let id = there.id.as_deref().unwrap_or(from.as_str());
        let options = RenameContainerOptionsBuilder::default().name(to.as_str()).build();
        let asked = Asked::container("rename", from.as_str());
        self.call(asked, QUICK, self.docker.rename_container(id, options)).await
    }

    pub(super) async fn stop_container(&self, name: &ContainerName, grace: Duration) -> Result<()> {
        if self.own_if_there(name).await?.is_none() {
            return Ok(());
        }
        let options = StopContainerOptionsBuilder::default().t(whole_seconds(grace)).build();
        let asked = Asked::container("stop", name.as_str());
        let stopped = self.call(asked, grace + WORK, self.docker.stop_container(name.as_str(), Some(options))).await;
        missing_is_fine(stopped)
    }

    pub(super) async fn remove_container(&self, name: &ContainerName) -> Result<()> {
        let Some(there) = self.own_if_there(name).await? else {
            return Ok(());
        };
        let id = there.id.as_deref().unwrap_or(name.as_str());
        // Volumes that only this container has: nobody could ever reach them again.
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let asked = Asked::container("remove", name.as_str());
        match tokio::time::timeout(WORK, self.docker.remove_container(id, Some(options))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if is_being_removed(&error) => self.until_gone(asked, name).await,
            Ok(Err(error)) => missing_is_fine(Err(self.explain(asked, error).await)),
            Err(_) => Err(asked.timed_out(WORK)),
        }
    }

    async fn until_gone(&self, asked: Asked<'_>, name: &ContainerName) -> Result<()> {
        let gone = async {
            while self.own_if_there(name).await?.is_some() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Ok(())
        };
        tokio::time::timeout(WORK, gone).await.unwrap_or_else(|_| Err(asked.timed_out(WORK)))
    }
}

/// It is still listed, but its removal has begun or has failed halfway.
fn is_going(there: &ContainerInspectResponse) -> bool {
    let status = there.state.as_ref().and_then(|state| state.status);
    matches!(status, Some(ContainerStateStatusEnum::REMOVING | ContainerStateStatusEnum::DEAD))
}

fn lacks_image(error: &DockerError) -> bool {
    matches!(error, DockerError::DockerResponseServerError { status_code: 404, message } if message.contains("image"))
}

fn is_name_taken(error: &DockerError) -> bool {
    matches!(error, DockerError::DockerResponseServerError { status_code: 409, message } if message.contains("already in use"))
}

fn is_being_removed(error: &DockerError) -> bool {
    let DockerError::DockerResponseServerError { status_code: 409, message } = error else {
        return false;
    };
    message.contains("already in progress")
}

fn missing_is_fine(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(EngineError::NotFound { .. }) => Ok(()),
        other => other,
    }
}

/// Docker counts the grace time in seconds; nobody gets less than promised.
fn whole_seconds(grace: Duration) -> i32 {
    let seconds = grace.as_secs() + u64::from(grace.subsec_nanos() > 0);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grace_time_is_rounded_up() {
        for (millis, seconds) in [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2), (u64::MAX, i32::MAX)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds, "{millis} ms");
        }
    }

    #[test]
    fn only_a_removal_in_progress_is_waited_for() {
        let answer =
            |message: &str| DockerError::DockerResponseServerError { status_code: 409, message: message.to_owned() };
        assert!(is_being_removed(&answer("removal of container web is already in progress")));
        assert!(!is_being_removed(&answer("You cannot remove a running container")));
    }
}
