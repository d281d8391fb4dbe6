//! Data → words, for everything that is told in more than one place.

use mypaas::api::{
    Action, Deploy, DeployState, Fingerprint, Origin, Outcome, Pruned, ReleaseView, ServiceState, ServiceView,
};
use mypaas::name::{ContainerName, ServerName, ServiceName};

use super::model::fleet::ServiceAt;
use super::model::journal::What;
use super::model::variables::VariableConfirm;
use super::symbols::{ARROW, ELLIPSIS};
use super::view::format;

/// As in `rollback to r3`.
pub(crate) fn action(action: &Action) -> String {
    match action {
        Action::Push => "push".into(),
        Action::Redeploy => "redeploy".into(),
        Action::Rollback { to } => format!("rollback to {to}"),
        Action::Scale { count } => format!("scale to {count}"),
        Action::Restart => "restart".into(),
        Action::Stop => "stop".into(),
        Action::Start => "start".into(),
        Action::Remove => "remove".into(),
    }
}

/// With the release that it makes live, where the words do not say it: `push → r14`.
pub(crate) fn deed(deploy: &Deploy) -> String {
    match (&deploy.action, deploy.to) {
        (Action::Push | Action::Redeploy, Some(to)) => format!("{} {ARROW} {to}", action(&deploy.action)),
        (other, _) => action(other),
    }
}

/// A container's name without its service's, where that is said already: `r14.2`.
pub(crate) fn short<'a>(container: &'a ContainerName, service: &ServiceName) -> &'a str {
    let name = container.as_str();
    let own = name.split_once(&service.flat()).and_then(|(_, rest)| rest.strip_prefix('.'));
    own.filter(|rest| !rest.is_empty()).unwrap_or(name)
}

/// What this console asked for.
pub(crate) fn asked(what: &What) -> String {
    match what {
        What::Action(it) => action(it),
        What::Cancel(id) => format!("cancel {id}"),
        What::SetVariable(name) => format!("set {name}"),
        What::UnsetVariable(name) => format!("unset {name}"),
        What::Pin(release) => format!("pin {release}"),
        What::Unpin(release) => format!("unpin {release}"),
        What::Prune => "prune".into(),
        What::Shell => "shell".into(),
    }
}

/// As a title that asks: `Roll back api on local to r3?`, `Restart 3 services on 2 servers?`
pub(crate) fn question(action: &Action, about: &[&ServiceAt]) -> String {
    let at = match about {
        [at] => at.to_string(),
        _ => format!("{} on {}", services(about.len()), servers(about)),
    };
    match action {
        Action::Push => format!("Push {at}?"),
        Action::Redeploy => format!("Redeploy {at}?"),
        Action::Rollback { to } => format!("Roll back {at} to {to}?"),
        Action::Scale { count } => format!("Scale {at} to {count}?"),
        Action::Restart => format!("Restart {at}?"),
        Action::Stop => format!("Stop {at}?"),
        Action::Start => format!("Start {at}?"),
        Action::Remove => format!("Remove {at}?"),
    }
}

/// What the button says that does it.
pub(crate) fn button(action: &Action) -> &'static str {
    match action {
        Action::Push => "Push",
        Action::Redeploy => "Redeploy",
        Action::Rollback { .. } => "Roll back",
        Action::Scale { .. } => "Scale",
        Action::Restart => "Restart",
        Action::Stop => "Stop",
        Action::Start => "Start",
        Action::Remove => "Remove",
    }
}

/// `local`, or `3 servers`.
fn servers(about: &[&ServiceAt]) -> String {
    let mut names: Vec<_> = about.iter().map(|at| &at.server).collect();
    names.sort();
    names.dedup();
    match names[..] {
        [name] => name.to_string(),
        _ => counted(names.len(), "server", "servers"),
    }
}

/// Exactly what an action does to this service, as known before the server was asked. Of the release that it makes live
/// again, `meant`, so many containers will run as that one says, however many run now.
pub(crate) fn effect(action: &Action, service: &ServiceView, meant: Option<&ReleaseView>) -> String {
    let name = &service.name;
    let there = containers(service.containers.len());
    let wanted = containers(service.wanted as usize);
    let live = service.release.map_or_else(|| "no release".to_owned(), |release| release.to_string());
    match action {
        Action::Push | Action::Redeploy => format!("A new release is built and takes the place of {live}."),
        Action::Rollback { to } => match meant {
            Some(meant) => {
                let count = containers(meant.release.manifest.scale.count() as usize);
                format!("{to} takes the place of {live}, with {count}.")
            }
            None => format!("{to} takes the place of {live}."),
        },
        Action::Scale { count } => {
            format!("{name} runs {} of {live} instead of {}.", containers(*count as usize), service.wanted)
        }
        Action::Restart if is_stopped(service) => format!("{name} is stopped: this starts it again, with {live}."),
        Action::Restart => format!("{wanted} of {live} will be made anew, of the same release."),
        Action::Stop => {
            format!("{there} of {live} will end. Requests to {name} are answered with 503 until it is started.")
        }
        // How many ran before it was stopped the server knows; the steps of its plan name them.
        Action::Start => format!("{name} starts again, with {live}."),
        Action::Remove => {
            format!("{there}, the routes, all releases of {name} and their images are deleted. This cannot be undone.")
        }
    }
}

/// The same for several services at once.
pub(crate) fn effect_on_all(action: &Action, about: &[&ServiceView]) -> String {
    let of = services(about.len());
    let there = containers(about.iter().map(|service| service.containers.len()).sum());
    let wanted = containers(about.iter().map(|service| service.wanted as usize).sum());
    match action {
        Action::Push | Action::Redeploy => {
            format!("A new release of each of {of} is built and takes the place of the live one.")
        }
        Action::Rollback { to } => format!("{to} of each of {of} takes the place of the live release."),
        Action::Scale { count } => {
            format!("Each of {of} runs {}; together they run {wanted} now.", containers(*count as usize))
        }
        Action::Restart => match about.iter().filter(|service| is_stopped(service)).count() {
            0 => format!("{wanted} of {of} will be made anew, of the same releases."),
            stopped => {
                let start = if stopped == 1 { "is stopped and starts" } else { "are stopped and start" };
                let started = format!("{} {start} again.", services(stopped));
                match about.len() - stopped {
                    0 => started,
                    running => {
                        let running = services(running);
                        format!("{wanted} of {running} will be made anew, of the same releases; {started}")
                    }
                }
            }
        },
        Action::Stop => {
            format!("{there} of {of} will end. Requests to them are answered with 503 until they are started.")
        }
        Action::Start => format!("{of} start again."),
        Action::Remove => {
            format!("{there}, the routes, all releases of {of} and their images are deleted. This cannot be undone.")
        }
    }
}

fn is_stopped(service: &ServiceView) -> bool {
    service.state == ServiceState::Stopped
}

pub(crate) fn services(count: usize) -> String {
    counted(count, "service", "services")
}

/// `1 container`, `3 containers`.
pub(crate) fn containers(count: usize) -> String {
    counted(count, "container", "containers")
}

pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What is done and cannot be taken back, or takes a service away.
pub(crate) fn is_dangerous(action: &Action) -> bool {
    matches!(action, Action::Stop | Action::Remove)
}

/// How a deploy ended, in one line; none while it has not.
pub(crate) fn ending(deploy: &Deploy) -> Option<String> {
    let DeployState::Finished { outcome, .. } = &deploy.state else { return None };
    let by = by(&deploy.origin);
    Some(match outcome {
        Outcome::Succeeded => match (&deploy.action, deploy.to) {
            (Action::Stop, _) => format!("stopped, by {by}"),
            (Action::Remove, _) => format!("removed, by {by}"),
            (Action::Scale { count }, _) => format!("scaled to {count}, by {by}"),
            (_, Some(release)) => format!("{release} live, by {by}"),
            (other, None) => format!("{} done, by {by}", action(other)),
        },
        Outcome::Failed { failure } => match (&deploy.action, deploy.to) {
            (Action::Push, Some(release)) => format!("{release}, pushed by {by}, failed: {}", failure.message),
            (other, _) => format!("{} by {by} failed: {}", action(other), failure.message),
        },
        Outcome::Superseded { by: newer } => format!("{} gave way to {newer}", action(&deploy.action)),
        Outcome::Cancelled { .. } => format!("{} was cancelled", action(&deploy.action)),
        Outcome::Interrupted { .. } => format!("{} was interrupted", action(&deploy.action)),
    })
}

/// Who asked for it: `ada@laptop with key SHA256:9Jm1o3Zf…`.
pub(crate) fn by(origin: &Origin) -> String {
    match &origin.key {
        Some(holder) if holder.comment.is_empty() => format!("the holder of key {}", key(&holder.fingerprint)),
        Some(holder) => format!("{} with key {}", holder.comment, key(&holder.fingerprint)),
        None => origin.who.clone(),
    }
}

/// As much of a key's fingerprint as tells keys apart, the same as everywhere: `SHA256:9Jm1o3Zf…`.
pub(crate) fn key(fingerprint: &Fingerprint) -> String {
    format!("{}{ELLIPSIS}", fingerprint.short())
}

/// What pruning gave, that first: it is told where there is little room.
pub(crate) fn pruned(server: &ServerName, pruned: &Pruned) -> String {
    if pruned.removed.is_empty() {
        return format!("nothing was removed from {server}");
    }
    format!("{server} has {} back: removed {}", format::bytes(pruned.freed_bytes), pruned.removed.in_words())
}

/// As a title that asks.
pub(crate) fn prune_question(server: &ServerName) -> String {
    format!("Prune {server}?")
}

/// As a title that asks: `Set DATABASE_PASSWORD on shop?`
pub(crate) fn variable_question(confirm: &VariableConfirm) -> String {
    let verb = if confirm.value.is_some() { "Set" } else { "Unset" };
    format!("{verb} {} on {}?", confirm.name, confirm.server)
}

/// Exactly what changing a variable does.
pub(crate) fn variable_effect(confirm: &VariableConfirm) -> String {
    let name = &confirm.name;
    let names: Vec<_> = confirm.used_by.iter().map(ToString::to_string).collect();
    let users = match names.len() {
        0 => "No service uses it now.".to_owned(),
        1 => format!("{} uses it", names[0]),
        count => format!("{count} services use it ({})", names.join(", ")),
    };
    let (take, run, are) = if names.len() == 1 { ("takes", "runs", "it is") } else { ("take", "run", "they are") };
    match (&confirm.value, confirm.had_value, names.is_empty()) {
        (Some(_), false, true) => format!("{name} gets a value. {users}"),
        (Some(_), true, true) => format!("The value of {name} is replaced by the one you typed. {users}"),
        (Some(_), false, false) => format!("{name} gets a value. {users}, and {take} it at the next start."),
        (Some(_), true, false) => {
            let replaced = format!("The value of {name} is replaced by the one you typed.");
            format!("{replaced} {users}, and {take} the new one at the next start.")
        }
        (None, _, true) => format!("The value of {name} is deleted. {users}"),
        (None, _, false) => {
            format!("The value of {name} is deleted. {users}, {run} on as {are}, and cannot be deployed without it.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;

    #[test]
    fn a_rollback_says_how_many_containers_its_release_has() {
        let mut api = fixture::service("api");
        api.wanted = 1;
        let detail = fixture::detail("api");
        let meant = detail.releases.iter().find(|release| !release.live).unwrap();
        let rollback = Action::Rollback { to: meant.release.id };
        assert_eq!(effect(&rollback, &api, Some(meant)), "r13 takes the place of r14, with 3 containers.");
        assert_eq!(effect(&rollback, &api, None), "r13 takes the place of r14.", "not known is not said");
    }

    #[test]
    fn that_a_stopped_service_starts_is_said_without_a_number_that_is_zero() {
        let (api, stopped) = (fixture::service("api"), fixture::service("old-site"));
        assert_eq!(effect(&Action::Start, &stopped, None), "old-site starts again, with r2.");
        let restarted = effect(&Action::Restart, &stopped, None);
        assert_eq!(restarted, "old-site is stopped: this starts it again, with r2.");
        let both = effect_on_all(&Action::Restart, &[&api, &stopped]);
        let told = "3 containers of 1 service will be made anew, of the same releases; 1 service is stopped and starts";
        assert_eq!(both, format!("{told} again."));
        let alone = effect_on_all(&Action::Restart, &[&stopped, &stopped]);
        assert_eq!(alone, "2 services are stopped and start again.");
    }
}
