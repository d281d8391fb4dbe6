//! States → symbol, word and tone. A state is told by all three, so that none of them is needed alone.

use mypaas::api::{
    ContainerState, ContainerView, Deploy, DeployState, Exit, Health, Outcome, ServiceState, ServiceView,
};
use ratatui::text::Span;

use super::pen::Pen;
use crate::console::model::filter::state_word;
use crate::console::symbols::{ACTIVE, DEGRADED, DONE, DOWN, FAILED, NEVER, RUNNING, STOPPED, WAITING};
use crate::console::theme::Tone;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    pub sign: &'static str,
    pub word: String,
    pub tone: Tone,
}

fn look(sign: &'static str, word: impl Into<String>, tone: Tone) -> Look {
    Look { sign, word: word.into(), tone }
}

impl Look {
    pub(crate) fn sign(&self, pen: &Pen<'_>) -> Span<'static> {
        pen.span(self.tone, self.sign)
    }

    pub(crate) fn word(&self, pen: &Pen<'_>) -> Span<'static> {
        pen.span(self.tone, self.word.clone())
    }

    /// As in `● running`.
    pub(crate) fn both(&self, pen: &Pen<'_>) -> Span<'static> {
        pen.span(self.tone, self.text())
    }

    /// The same without its look.
    pub(crate) fn text(&self) -> String {
        format!("{} {}", self.sign, self.word)
    }
}

/// While a deploy of it waits or runs, that is what one wants to see.
pub(crate) fn service(service: &ServiceView) -> Look {
    match running_deploy(service) {
        Some(deploy) => of_deploy(deploy),
        None => state(service.state),
    }
}

pub(crate) fn running_deploy(service: &ServiceView) -> Option<&Deploy> {
    service.last_deploy.as_ref().filter(|deploy| !deploy.is_finished())
}

pub(crate) fn state(state: ServiceState) -> Look {
    let word = state_word(state);
    match state {
        ServiceState::Running => look(RUNNING, word, Tone::Healthy),
        ServiceState::Degraded => look(DEGRADED, word, Tone::Degraded),
        ServiceState::Down => look(DOWN, word, Tone::Failing),
        ServiceState::Stopped => look(STOPPED, word, Tone::Stopped),
        ServiceState::NeverLive => look(NEVER, word, Tone::Stopped),
    }
}

pub(crate) fn container(container: &ContainerView) -> Look {
    match &container.state {
        ContainerState::Created => look(STOPPED, "created", Tone::Stopped),
        ContainerState::Running { health: Some(Health::Starting), .. } => look(ACTIVE, "starting", Tone::Pending),
        ContainerState::Running { health: Some(Health::Unhealthy), .. } => look(DOWN, "unhealthy", Tone::Failing),
        ContainerState::Running { health: Some(Health::Healthy), .. } => look(RUNNING, "healthy", Tone::Healthy),
        ContainerState::Running { health: None, .. } => look(RUNNING, "running", Tone::Healthy),
        ContainerState::Restarting { exit: how } => look(DOWN, format!("restarting, {}", exit(how)), Tone::Failing),
        ContainerState::Exited { exit: how, .. } if how.code == 0 => look(STOPPED, "exited 0", Tone::Stopped),
        ContainerState::Exited { exit: how, .. } => look(DOWN, exit(how), Tone::Failing),
    }
}

pub(crate) fn exit(exit: &Exit) -> String {
    if exit.out_of_memory { "out of memory".into() } else { format!("exited {}", exit.code) }
}

pub(crate) fn of_deploy(deploy: &Deploy) -> Look {
    let word = mypaas::api::state_word(&deploy.state);
    match &deploy.state {
        DeployState::Queued => look(WAITING, word, Tone::Pending),
        DeployState::Running { phase, .. } => look(ACTIVE, phase.word(), Tone::Pending),
        DeployState::Finished { outcome, .. } => match outcome {
            Outcome::Succeeded => look(DONE, word, Tone::Healthy),
            Outcome::Failed { .. } => look(FAILED, word, Tone::Failing),
            Outcome::Superseded { .. } | Outcome::Cancelled { .. } => look(STOPPED, word, Tone::Stopped),
            Outcome::Interrupted { .. } => look(FAILED, word, Tone::Degraded),
        },
    }
}
