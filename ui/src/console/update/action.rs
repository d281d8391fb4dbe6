//! What can be done to a service.

use mypaas::api::{Action, PlanRequest, ServiceState};
use mypaas::name::ReleaseId;

use crate::console::command::Command;
use crate::console::effect::{Effect, TerminalEffect};
use crate::console::model::detail::Tab;
use crate::console::model::dialog::{Choice, Confirm, Dialog, Load, Rollback, Scale, ScaleStage, Stage};
use crate::console::model::fleet::{Connection, ServiceAt};
use crate::console::model::list::Item;
use crate::console::model::toast::ToastKind;
use crate::console::model::{Focus, Model, Page};

use super::{deploy, logs, push};

/// A command about the selected service.
pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    if command == Command::Push {
        return push::open(model);
    }
    let Some(at) = model.selected_service().cloned() else {
        model.toast(ToastKind::Note, "no service is selected");
        return Vec::new();
    };
    match command {
        Command::Redeploy => confirm(model, at, Action::Redeploy),
        Command::Restart => confirm(model, at, Action::Restart),
        Command::Remove => confirm(model, at, Action::Remove),
        Command::StopOrStart => stop_or_start(model, at),
        Command::Rollback => roll_back(model, &at),
        Command::ScaleUp => scale(model, at, |count| count.saturating_add(1)),
        Command::ScaleDown => scale(model, at, |count| count.saturating_sub(1)),
        Command::Describe => describe(model),
        Command::Logs => read_logs(model, at),
        Command::Watch => watch(model, at),
        Command::CopyUrl => copy_url(model, &at),
        Command::CopyName => copy(model, at.service.to_string()),
        Command::CopyContainer => copy_container(model, &at),
        _ => Vec::new(),
    }
}

/// Whether the server can be asked for something; says so when not. A stale one may be asked: perhaps it hears.
fn can_ask(model: &mut Model, at: &ServiceAt) -> bool {
    let silent = model
        .fleet
        .server(&at.server)
        .is_none_or(|server| matches!(server.connection, Connection::Connecting | Connection::Unreachable { .. }));
    if silent {
        model.toast(ToastKind::Bad, format!("{} does not answer", at.server));
    }
    !silent
}

fn ask_plan(at: &ServiceAt, action: &Action, ticket: crate::console::model::Ticket) -> Effect {
    let request = PlanRequest::Service { service: at.service.clone(), action: action.clone() };
    Effect::Plan { ticket, server: at.server.clone(), request }
}

/// Asks the operator, and the server what would happen.
pub(super) fn confirm(model: &mut Model, at: ServiceAt, action: Action) -> Vec<Effect> {
    if !can_ask(model, &at) {
        return Vec::new();
    }
    let ticket = model.ticket();
    let effect = ask_plan(&at, &action, ticket);
    let stage = Stage::Deciding(Choice::Cancel);
    model.dialog = Some(Dialog::Confirm(Confirm { at, action, plan: Load::Waiting, ticket, stage, scroll: 0 }));
    vec![effect]
}

fn stop_or_start(model: &mut Model, at: ServiceAt) -> Vec<Effect> {
    let stopped = model.fleet.service(&at).is_some_and(|service| service.state == ServiceState::Stopped);
    confirm(model, at, if stopped { Action::Start } else { Action::Stop })
}

/// Lets the operator choose a release.
fn roll_back(model: &mut Model, at: &ServiceAt) -> Vec<Effect> {
    if !can_ask(model, at) {
        return Vec::new();
    }
    let ticket = model.ticket();
    let rollback = Rollback { at: at.clone(), releases: Load::Waiting, cursor: 0, plan: Load::Waiting, ticket };
    model.dialog = Some(Dialog::Rollback(rollback));
    fill_rollback(model, at)
}

/// Gives an open choice of a release what there is to choose from, once it is known.
pub(super) fn fill_rollback(model: &mut Model, at: &ServiceAt) -> Vec<Effect> {
    let Some(Dialog::Rollback(rollback)) = &mut model.dialog else { return Vec::new() };
    if rollback.at != *at || !matches!(rollback.releases, Load::Waiting) {
        return Vec::new();
    }
    rollback.releases = match model.details.get(at) {
        None => return Vec::new(),
        Some(known) => match (known.detail(), known.problem()) {
            (Some(detail), _) => Load::Ready(detail.releases.iter().filter(|release| !release.live).cloned().collect()),
            (None, Some(problem)) => Load::Failed(problem.clone()),
            (None, None) => return Vec::new(),
        },
    };
    preview_rollback(model)
}

/// Asks what going back to the selected release would do.
pub(super) fn preview_rollback(model: &mut Model) -> Vec<Effect> {
    let ticket = model.ticket();
    let Some(Dialog::Rollback(rollback)) = &mut model.dialog else { return Vec::new() };
    rollback.ticket = ticket;
    rollback.plan = Load::Waiting;
    let Some(release) = rollback.selected() else { return Vec::new() };
    vec![ask_plan(&rollback.at, &Action::Rollback { to: release.release.id }, ticket)]
}

pub(super) fn roll_back_to(model: &mut Model, at: ServiceAt, to: ReleaseId) -> Vec<Effect> {
    confirm(model, at, Action::Rollback { to })
}

/// Opens the choice of how many containers run.
pub(super) fn scale(model: &mut Model, at: ServiceAt, change: impl FnOnce(u32) -> u32) -> Vec<Effect> {
    if !can_ask(model, &at) {
        return Vec::new();
    }
    let Some(service) = model.fleet.service(&at) else { return Vec::new() };
    let declared = service.scale.map_or(1, mypaas::manifest::Scale::count);
    let from = if service.wanted > 0 { service.wanted } else { declared };
    let ticket = model.ticket();
    let mut dialog =
        Scale { at, from, to: from, is_typed: false, plan: Load::Waiting, ticket, stage: ScaleStage::Deciding };
    dialog.set(change(from));
    model.dialog = Some(Dialog::Scale(dialog));
    preview_scale(model)
}

/// Asks what the chosen number of containers would take.
pub(super) fn preview_scale(model: &mut Model) -> Vec<Effect> {
    let ticket = model.ticket();
    let Some(Dialog::Scale(scale)) = &mut model.dialog else { return Vec::new() };
    scale.ticket = ticket;
    scale.plan = Load::Waiting;
    if scale.to == scale.from {
        return Vec::new();
    }
    vec![ask_plan(&scale.at, &Action::Scale { count: scale.to }, ticket)]
}

fn describe(model: &mut Model) -> Vec<Effect> {
    model.pane.tab = Tab::Overview;
    model.page = Page::Services;
    model.focus = Focus::Pane { whole: true };
    Vec::new()
}

fn read_logs(model: &mut Model, at: ServiceAt) -> Vec<Effect> {
    let container = match &model.list.selected {
        Some(Item::Container(_, name)) => Some(name.clone()),
        _ => None,
    };
    logs::open(model, at, container);
    Vec::new()
}

fn watch(model: &mut Model, at: ServiceAt) -> Vec<Effect> {
    match model.fleet.service(&at).and_then(|service| service.last_deploy.clone()) {
        Some(newest) => deploy::open(model, at, newest),
        None => model.toast(ToastKind::Note, format!("{at} was never deployed")),
    }
    Vec::new()
}

fn copy(model: &mut Model, text: String) -> Vec<Effect> {
    model.toast(ToastKind::Note, format!("copied {text}"));
    vec![TerminalEffect::Copy(text).into()]
}

fn copy_url(model: &mut Model, at: &ServiceAt) -> Vec<Effect> {
    match model.fleet.service(at).and_then(|service| service.urls.first()) {
        Some(url) => copy(model, url.to_string()),
        None => {
            model.toast(ToastKind::Note, format!("{at} has no URL"));
            Vec::new()
        }
    }
}

/// The selected container, or the service's first one.
fn copy_container(model: &mut Model, at: &ServiceAt) -> Vec<Effect> {
    let selected = match &model.list.selected {
        Some(Item::Container(_, name)) => Some(name.clone()),
        _ => None,
    };
    let first = || model.fleet.service(at)?.containers.first().map(|container| container.name.clone());
    match selected.or_else(first) {
        Some(name) => copy(model, name.to_string()),
        None => {
            model.toast(ToastKind::Note, format!("{at} has no container"));
            Vec::new()
        }
    }
}
