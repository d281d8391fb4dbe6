//! What can be done to a service, or to all that are marked.

use mypaas::api::{Action, LogsOf, PlanRequest, ServiceState};
use mypaas::name::{ContainerName, ReleaseId};

use crate::console::command::Command;
use crate::console::effect::{Effect, TerminalEffect};
use crate::console::keymap::Context;
use crate::console::model::detail::Tab;
use crate::console::model::dialog::{Aim, Confirm, Dialog, Load, Rollback, Scale, ScaleStage};
use crate::console::model::fleet::{Connection, ServiceAt};
use crate::console::model::list::Item;
use crate::console::model::logs::Logs;
use crate::console::model::toast::ToastKind;
use crate::console::model::{Focus, Model, Page, Ticket};

use super::{deploy, guard, logs, push};

/// A command about all marked services, or about the selected one: where none is marked, where nobody sees the marks, or
/// where it can be about one only.
pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    if command == Command::Push {
        return push::open(model);
    }
    let sees_marks = model.page_context() == Context::Services;
    if sees_marks && !model.list.marks.is_empty() && can_be_about_several(command) {
        return run_on_marked(model, command);
    }
    // A server too can be described.
    if command == Command::Describe && model.list.selected.is_some() {
        return describe(model);
    }
    match model.selected_service().cloned() {
        Some(at) => run_at(model, at, command),
        None => {
            model.toast(ToastKind::Note, "no service is selected");
            Vec::new()
        }
    }
}

fn can_be_about_several(command: Command) -> bool {
    use Command::{Redeploy, Remove, Restart, Rollback, ScaleDown, ScaleUp, StopOrStart};
    matches!(command, Redeploy | Remove | Restart | Rollback | ScaleDown | ScaleUp | StopOrStart)
}

fn run_on_marked(model: &mut Model, command: Command) -> Vec<Effect> {
    let marked: Vec<ServiceAt> = model.list.marks.iter().cloned().collect();
    match command {
        Command::Redeploy => confirm_all(model, marked, Action::Redeploy),
        Command::Restart => confirm_all(model, marked, Action::Restart),
        Command::Remove => confirm_all(model, marked, Action::Remove),
        Command::StopOrStart => stop_or_start_all(model, marked),
        Command::ScaleUp => scale(model, marked, |count| count.saturating_add(1)),
        Command::ScaleDown => scale(model, marked, |count| count.saturating_sub(1)),
        _ => {
            model.toast(ToastKind::Note, "each service goes back to a release of its own; take them one by one");
            Vec::new()
        }
    }
}

/// A command about one service.
pub(super) fn run_at(model: &mut Model, at: ServiceAt, command: Command) -> Vec<Effect> {
    match command {
        Command::Redeploy => confirm(model, at, Action::Redeploy),
        Command::Restart => confirm(model, at, Action::Restart),
        Command::Remove => confirm(model, at, Action::Remove),
        Command::StopOrStart => stop_or_start(model, at),
        Command::Rollback => roll_back(model, &at),
        Command::ScaleUp => scale(model, vec![at], |count| count.saturating_add(1)),
        Command::ScaleDown => scale(model, vec![at], |count| count.saturating_sub(1)),
        Command::Describe => describe(model),
        Command::Logs => read_logs(model, at),
        Command::Shell => open_shell(model, at),
        Command::Watch => watch(model, at),
        Command::Pin => pin(model, at),
        Command::CopyUrl => copy_url(model, &at),
        Command::CopyName => copy(model, at.service.to_string()),
        Command::CopyContainer => copy_container(model, &at),
        _ => Vec::new(),
    }
}

/// Whether the server can be asked to change something; says so when not. A stale one may be asked: perhaps it hears.
fn can_ask(model: &mut Model, at: &ServiceAt) -> bool {
    let silent = model
        .fleet
        .server(&at.server)
        .is_none_or(|server| matches!(server.connection, Connection::Connecting | Connection::Unreachable { .. }));
    if silent {
        model.toast(ToastKind::Bad, format!("{} does not answer", at.server));
    }
    !silent && guard::may_change(model, &at.server, Some(&at.service))
}

fn ask_plan(at: &ServiceAt, action: &Action, ticket: Ticket) -> Effect {
    let request = PlanRequest::Service { service: at.service.clone(), action: action.clone() };
    Effect::Plan { ticket, server: at.server.clone(), request }
}

/// Asks the operator, and the server what would happen.
pub(super) fn confirm(model: &mut Model, at: ServiceAt, action: Action) -> Vec<Effect> {
    if !can_ask(model, &at) {
        return Vec::new();
    }
    confirm_all(model, vec![at], action)
}

/// The same for several services, without those that the operator's key may not change. A server that is silent says
/// so in its plan's place.
pub(super) fn confirm_all(model: &mut Model, mut ats: Vec<ServiceAt>, action: Action) -> Vec<Effect> {
    let all = ats.len();
    let refused = ats.iter().find(|at| is_forbidden(model, at)).cloned();
    ats.retain(|at| !is_forbidden(model, at));
    if let Some(at) = refused.filter(|_| ats.is_empty()) {
        guard::may_change(model, &at.server, Some(&at.service));
        return Vec::new();
    }
    let forbidden = all - ats.len();
    let aims: Vec<Aim> = ats.into_iter().map(|at| Aim::new(at, model.ticket())).collect();
    let effects = aims.iter().map(|aim| ask_plan(&aim.at, &action, aim.ticket)).collect();
    model.dialog = Some(Dialog::Confirm(Confirm { forbidden, ..Confirm::of(action, aims) }));
    effects
}

fn is_forbidden(model: &Model, at: &ServiceAt) -> bool {
    model.fleet.server(&at.server).is_some_and(|server| server.forbids(Some(&at.service)).is_some())
}

fn is_stopped(model: &Model, at: &ServiceAt) -> bool {
    model.fleet.service(at).is_some_and(|service| service.state == ServiceState::Stopped)
}

fn stop_or_start(model: &mut Model, at: ServiceAt) -> Vec<Effect> {
    let action = if is_stopped(model, &at) { Action::Start } else { Action::Stop };
    confirm(model, at, action)
}

/// Stops those that run; where none does, starts all.
fn stop_or_start_all(model: &mut Model, marked: Vec<ServiceAt>) -> Vec<Effect> {
    let (stopped, running): (Vec<_>, Vec<_>) = marked.into_iter().partition(|at| is_stopped(model, at));
    if running.is_empty() {
        return confirm_all(model, stopped, Action::Start);
    }
    let effects = confirm_all(model, running, Action::Stop);
    if let Some(Dialog::Confirm(confirm)) = &mut model.dialog {
        confirm.left_out = stopped.len();
    }
    effects
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
            (Some(detail), _) => {
                let others: Vec<_> = detail.releases.iter().filter(|release| !release.live).cloned().collect();
                let good = detail.good_before();
                rollback.cursor = others.iter().position(|other| Some(other.release.id) == good).unwrap_or(0);
                Load::Ready(others)
            }
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

/// Opens the choice of how many containers run, of each of these services.
pub(super) fn scale(model: &mut Model, of: Vec<ServiceAt>, change: impl FnOnce(u32) -> u32) -> Vec<Effect> {
    let Some(first) = of.first().filter(|first| of.len() > 1 || can_ask(model, first)) else { return Vec::new() };
    let Some(service) = model.fleet.service(first) else { return Vec::new() };
    let declared = service.scale.map_or(1, mypaas::manifest::Scale::count);
    let from = if service.wanted > 0 { service.wanted } else { declared };
    let ticket = model.ticket();
    let mut dialog =
        Scale { of, from, to: from, is_typed: false, plan: Load::Waiting, ticket, stage: ScaleStage::Deciding };
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
    match scale.single() {
        Some(at) if scale.to != scale.from => vec![ask_plan(at, &Action::Scale { count: scale.to }, ticket)],
        _ => Vec::new(),
    }
}

fn describe(model: &mut Model) -> Vec<Effect> {
    model.pane.tab = Tab::Overview;
    model.page = Page::Services;
    model.focus = Focus::Pane { whole: true };
    Vec::new()
}

/// The one that is selected: in the list, or in the tab with the containers.
pub(super) fn chosen_container(model: &Model) -> Option<ContainerName> {
    if let Some(Item::Container(_, name)) = &model.list.selected {
        return Some(name.clone());
    }
    let in_tab = model.pane.tab == Tab::Containers && model.focus != Focus::List;
    let all = model.pane_containers();
    all.get(model.pane.container.place(&all)).filter(|_| in_tab).cloned()
}

/// The one that is selected among the releases, so that it is read what those wrote that are gone.
fn chosen_release(model: &Model) -> Option<ReleaseId> {
    let in_tab = model.pane.tab == Tab::Releases && model.focus != Focus::List;
    let all = model.pane_releases();
    all.get(model.pane.release.place(&all)).filter(|_| in_tab).copied()
}

fn read_logs(model: &mut Model, at: ServiceAt) -> Vec<Effect> {
    let of = chosen_release(model).map_or_else(|| chosen_container(model).into(), LogsOf::Release);
    logs::open(model, at, of);
    Vec::new()
}

/// In the selected container, or in one that takes requests.
pub(super) fn open_shell(model: &mut Model, at: ServiceAt) -> Vec<Effect> {
    if !can_ask(model, &at) {
        return Vec::new();
    }
    let container = match (&model.page, &model.logs) {
        (Page::Logs, Some(Logs { of: LogsOf::Container(name), .. })) => Some(name.clone()),
        (Page::Services, _) => chosen_container(model),
        _ => None,
    };
    guard::pass_shell(model, at, container)
}

pub(super) fn begin_shell(model: &mut Model, at: ServiceAt, container: Option<ContainerName>) -> Vec<Effect> {
    model.toast(ToastKind::Note, opening_shell(&at));
    model.shell = Some(at.clone());
    vec![Effect::Shell { at, container }]
}

/// What is told until it is there.
pub(super) fn opening_shell(at: &ServiceAt) -> String {
    format!("opening a shell in {at} …")
}

/// Pins the selected release, or unpins it.
fn pin(model: &mut Model, at: ServiceAt) -> Vec<Effect> {
    let chosen = chosen_release(model).and_then(|id| {
        let releases = &model.pane_detail()?.releases;
        releases.iter().find(|view| view.release.id == id).map(|view| (id, view.pinned))
    });
    let Some((release, is_pinned)) = chosen else {
        model.toast(ToastKind::Note, "select a release first, in the tab with the releases");
        return Vec::new();
    };
    if !can_ask(model, &at) {
        return Vec::new();
    }
    guard::pass_pin(model, at, release, !is_pinned)
}

pub(super) fn begin_pin(model: &mut Model, at: ServiceAt, release: ReleaseId, pinned: bool) -> Vec<Effect> {
    vec![Effect::Pin { ticket: model.ticket(), at, release, pinned }]
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
    let selected = chosen_container(model);
    let first = || model.fleet.service(at)?.containers.first().map(|container| container.name.clone());
    match selected.or_else(first) {
        Some(name) => copy(model, name.to_string()),
        None => {
            model.toast(ToastKind::Note, format!("{at} has no container"));
            Vec::new()
        }
    }
}
