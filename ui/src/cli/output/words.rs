//! The words for states, actions and outcomes, the same everywhere.

use jiff::Timestamp;
use mypaas::api::{
    Action, Commit, ContainerState, ContainerView, Deploy, DeployState, Exit, Health, Outcome, ProbeAnswer,
    ServiceState, Standing, state_word,
};
use mypaas::name::{ReleaseId, ServiceName};

use super::paint::Style;
use super::units;

/// What is shown where there is nothing.
pub(crate) const NONE: &str = "-";

pub(crate) fn service_state(state: ServiceState) -> (&'static str, Style) {
    match state {
        ServiceState::Running => ("running", Style::Good),
        ServiceState::Degraded => ("degraded", Style::Warning),
        ServiceState::Down => ("down", Style::Bad),
        ServiceState::Stopped => ("stopped", Style::Muted),
        ServiceState::NeverLive => ("never live", Style::Bad),
    }
}

pub(crate) fn container_state(container: &ContainerView) -> (String, Style) {
    match &container.state {
        ContainerState::Created => ("created".to_owned(), Style::Muted),
        ContainerState::Running { health: None, .. } => ("running".to_owned(), Style::Good),
        ContainerState::Running { health: Some(Health::Healthy), .. } => ("healthy".to_owned(), Style::Good),
        ContainerState::Running { health: Some(Health::Starting), .. } => ("starting".to_owned(), Style::Warning),
        ContainerState::Running { health: Some(Health::Unhealthy), .. } => ("unhealthy".to_owned(), Style::Bad),
        ContainerState::Restarting { exit: how } => (format!("restarting, {}", exit(how)), Style::Bad),
        ContainerState::Exited { exit: how, .. } => (exit(how), Style::Bad),
    }
}

/// How a process ended, as in `exited with code 1`.
pub(crate) fn exit(exit: &Exit) -> String {
    match exit {
        Exit { code, out_of_memory: true } => format!("exited with code {code}, out of memory"),
        Exit { code, .. } => format!("exited with code {code}"),
    }
}

pub(crate) fn probe(answer: &ProbeAnswer) -> String {
    match answer {
        ProbeAnswer::Ready { detail } => format!("ready: {detail}"),
        ProbeAnswer::NotReady { detail } => format!("not ready: {detail}"),
        ProbeAnswer::Exited { exit: how } => exit(how),
    }
}

/// What is done, as in `push` or `scale to 3`.
pub(crate) fn action(action: &Action) -> String {
    match action {
        Action::Rollback { to } => format!("rollback to {to}"),
        Action::Scale { count } => format!("scale to {count}"),
        other => noun(other).to_owned(),
    }
}

/// What is done with which service, as in `push of hello`.
pub(crate) fn deed(action: &Action, service: &ServiceName) -> String {
    match action {
        Action::Rollback { to } => format!("rollback of {service} to {to}"),
        Action::Scale { count } => format!("scaling of {service} to {count}"),
        Action::Remove => format!("removal of {service}"),
        other => format!("{} of {service}", noun(other)),
    }
}

fn noun(action: &Action) -> &'static str {
    match action {
        Action::Push => "push",
        Action::Redeploy => "redeploy",
        Action::Rollback { .. } => "rollback",
        Action::Scale { .. } => "scale",
        Action::Restart => "restart",
        Action::Stop => "stop",
        Action::Start => "start",
        Action::Remove => "remove",
    }
}

pub(crate) fn deploy_state(state: &DeployState) -> (&'static str, Style) {
    let style = match state {
        DeployState::Queued | DeployState::Running { .. } => Style::Strong,
        DeployState::Finished { outcome, .. } => match outcome {
            Outcome::Succeeded => Style::Good,
            Outcome::Failed { .. } | Outcome::Interrupted { .. } => Style::Bad,
            Outcome::Superseded { .. } | Outcome::Cancelled { .. } => Style::Muted,
        },
    };
    (state_word(state), style)
}

/// Why a deploy did not succeed, in one line; empty when there is nothing to say.
pub(crate) fn reason(deploy: &Deploy) -> String {
    match &deploy.state {
        DeployState::Finished { outcome: Outcome::Failed { failure }, .. } => failure.message.clone(),
        DeployState::Finished { outcome: Outcome::Superseded { by }, .. } => format!("by {by}"),
        DeployState::Finished { outcome: Outcome::Cancelled { by }, .. } => format!("by {by}"),
        DeployState::Finished { outcome: Outcome::Interrupted { detail }, .. } => detail.clone(),
        _ => String::new(),
    }
}

/// How a domain stands that is reached by https.
pub(crate) fn certificate(standing: &Standing, now: Timestamp) -> (String, Style) {
    let renewal = |refusal: &Option<String>| match refusal {
        Some(reason) => (format!("; it could not be renewed: {reason}"), Style::Warning),
        None => (String::new(), Style::Plain),
    };
    match standing {
        Standing::Valid { issuer, expires, refusal } => {
            let (trouble, style) = renewal(refusal);
            (format!("certificate by {issuer}, valid for {}{trouble}", units::age(now, *expires)), style)
        }
        Standing::Expired { issuer, expires, refusal } => {
            let (trouble, _) = renewal(refusal);
            (format!("certificate by {issuer} expired {} ago{trouble}", units::age(*expires, now)), Style::Bad)
        }
        Standing::Refused { reason, at } => {
            (format!("no certificate, refused {} ago: {reason}", units::age(*at, now)), Style::Bad)
        }
        Standing::Pending => ("certificate asked for".to_owned(), Style::Muted),
        Standing::None => ("no certificate, as config.toml has no email under [init]".to_owned(), Style::Warning),
    }
}

/// As in `api, web`.
pub(crate) fn names<T: ToString>(names: &[T]) -> String {
    names.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

/// A release, or a dash.
pub(crate) fn release(release: Option<ReleaseId>) -> String {
    release.map_or_else(|| NONE.to_owned(), |release| release.to_string())
}

/// `a1b2c3d+ Fix the sign`; the plus means that not all of it was committed.
pub(crate) fn commit(commit: Option<&Commit>) -> String {
    let Some(commit) = commit else { return NONE.to_owned() };
    format!("{}{} {}", commit.id, if commit.dirty { "+" } else { "" }, commit.subject)
}
