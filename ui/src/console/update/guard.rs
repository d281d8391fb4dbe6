//! What stands between a yes and its effect: rights, and locked servers.

use mypaas::api::Action;
use mypaas::name::{ContainerName, ReleaseId, ServerName, ServiceName};

use crate::console::command::Command;
use crate::console::effect::Effect;
use crate::console::model::dialog::{Dialog, Guarded, Unlock};
use crate::console::model::fleet::ServiceAt;
use crate::console::model::line::Line;
use crate::console::model::toast::ToastKind;
use crate::console::model::{Model, Page};
use crate::console::words;

use super::{action, dialog, push, typing};

/// Whether the operator's key may change this service there, or what concerns all services; says so when not.
pub(super) fn may_change(model: &mut Model, server: &ServerName, service: Option<&ServiceName>) -> bool {
    let reason = model.fleet.server(server).and_then(|entry| entry.forbids(service));
    match reason {
        Some(reason) => {
            model.toast(ToastKind::Bad, reason);
            false
        }
        None => true,
    }
}

/// Does what the dialog asked, or first has the names of locked servers typed, and how many services are to be removed.
pub(super) fn pass(model: &mut Model) -> Vec<Effect> {
    let Some(open) = &model.dialog else { return Vec::new() };
    let (question, servers) = about(open);
    let (locked, removed) = (locked(model, servers), removed_at_once(open));
    if locked.is_empty() && removed.is_none() {
        return dialog::carry_out(model);
    }
    let Some(open) = model.dialog.take() else { return Vec::new() };
    let then = Guarded::Dialog(Box::new(open));
    model.dialog = Some(Dialog::Unlock(Unlock { removed, ..unlock(locked, question, then) }));
    Vec::new()
}

/// The same for the push that is looked at.
pub(super) fn pass_push(model: &mut Model) -> Vec<Effect> {
    let Page::Push(page) = &model.page else { return Vec::new() };
    let (server, folder) = (page.server.clone(), page.looked_at().map(|folder| folder.display().to_string()));
    let question = format!("Push {} to {server}?", folder.unwrap_or_default());
    let locked = locked(model, vec![server]);
    if locked.is_empty() {
        return push::send(model);
    }
    model.dialog = Some(Dialog::Unlock(unlock(locked, question, Guarded::Push)));
    Vec::new()
}

/// The same for a shell, in which anything can be changed.
pub(super) fn pass_shell(model: &mut Model, at: ServiceAt, container: Option<ContainerName>) -> Vec<Effect> {
    let locked = locked(model, vec![at.server.clone()]);
    if locked.is_empty() {
        return action::begin_shell(model, at, container);
    }
    let question = format!("Open a shell in {at}?");
    model.dialog = Some(Dialog::Unlock(unlock(locked, question, Guarded::Shell(at, container))));
    Vec::new()
}

/// The same for a release that is to be pinned, or unpinned.
pub(super) fn pass_pin(model: &mut Model, at: ServiceAt, release: ReleaseId, pinned: bool) -> Vec<Effect> {
    let locked = locked(model, vec![at.server.clone()]);
    if locked.is_empty() {
        return action::begin_pin(model, at, release, pinned);
    }
    let question = format!("{} {release} of {at}?", if pinned { "Pin" } else { "Unpin" });
    model.dialog = Some(Dialog::Unlock(unlock(locked, question, Guarded::Pin(at, release, pinned))));
    Vec::new()
}

pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Accept => open(model),
        Command::Cancel => {
            let Some(Dialog::Unlock(unlock)) = model.dialog.take() else { return Vec::new() };
            // What was asked before is still a question.
            if let Guarded::Dialog(before) = unlock.then {
                model.dialog = Some(*before);
            }
            Vec::new()
        }
        other => typing::edit_by(model, other),
    }
}

fn open(model: &mut Model) -> Vec<Effect> {
    let Some(Dialog::Unlock(unlock)) = &model.dialog else { return Vec::new() };
    if !unlock.is_right() {
        let text = format!("type {} to go on, or leave with esc", unlock.words());
        model.toast(ToastKind::Typed, text);
        return Vec::new();
    }
    let Some(Dialog::Unlock(unlock)) = model.dialog.take() else { return Vec::new() };
    match unlock.then {
        Guarded::Push => push::send(model),
        Guarded::Shell(at, container) => action::begin_shell(model, at, container),
        Guarded::Pin(at, release, pinned) => action::begin_pin(model, at, release, pinned),
        Guarded::Dialog(before) => {
            model.dialog = Some(*before);
            dialog::carry_out(model)
        }
    }
}

fn unlock(servers: Vec<ServerName>, question: String, then: Guarded) -> Unlock {
    Unlock { servers, removed: None, line: Line::default(), question, then }
}

/// How many services a yes would remove, where these are several: too many for one key.
fn removed_at_once(open: &Dialog) -> Option<usize> {
    let Dialog::Confirm(confirm) = open else { return None };
    let aims = confirm.aims.iter().filter(|aim| aim.can_be_done()).count();
    (confirm.action == Action::Remove && aims > 1).then_some(aims)
}

/// Those of the servers that are locked, each once.
fn locked(model: &Model, mut servers: Vec<ServerName>) -> Vec<ServerName> {
    servers.retain(|name| model.fleet.server(name).is_some_and(|server| server.lock));
    servers.sort();
    servers.dedup();
    servers
}

/// What a dialog asks, and the servers that would be changed.
fn about(open: &Dialog) -> (String, Vec<ServerName>) {
    match open {
        Dialog::Confirm(confirm) => {
            let aims: Vec<_> = confirm.aims.iter().filter(|aim| aim.can_be_done()).map(|aim| &aim.at).collect();
            let servers = aims.iter().map(|at| at.server.clone()).collect();
            (words::question(&confirm.action, &aims), servers)
        }
        Dialog::CancelDeploy(cancel) => {
            (format!("Cancel {} of {}?", cancel.id, cancel.at), vec![cancel.at.server.clone()])
        }
        Dialog::Variable(confirm) => (words::variable_question(confirm), vec![confirm.server.clone()]),
        Dialog::Prune(confirm) => (words::prune_question(&confirm.server), vec![confirm.server.clone()]),
        // For several services another question follows.
        Dialog::Scale(scale) => match scale.single() {
            Some(at) => {
                let action = Action::Scale { count: scale.to };
                (words::question(&action, &[at]), vec![at.server.clone()])
            }
            None => (String::new(), Vec::new()),
        },
        _ => (String::new(), Vec::new()),
    }
}
