//! The pages about all servers: the fleet, its alerts, the journal.

use mypaas::api::LogsOf;
use mypaas::name::DeployId;

use crate::console::command::{Command, Motion};
use crate::console::effect::Effect;
use crate::console::model::about::record_ids;
use crate::console::model::chosen::Chosen;
use crate::console::model::concern::concern_ids;
use crate::console::model::detail::Tab;
use crate::console::model::entries::Record;
use crate::console::model::fleet::ServiceAt;
use crate::console::model::journal::{Answer, Half, JournalPage};
use crate::console::model::list::Item;
use crate::console::model::servers::place_of;
use crate::console::model::toast::ToastKind;
use crate::console::model::{Focus, Model, Page, Typing};

use super::{deploy, disk, logs, push, services, variables};

/// To one of the pages that can be gone to from everywhere, or to a question of one; none when the command does not say
/// to which.
pub(super) fn visit(model: &mut Model, command: Command) -> Option<Vec<Effect>> {
    model.page = match command {
        Command::ShowServices => {
            model.focus = Focus::List;
            Page::Services
        }
        Command::ShowFleet => Page::Fleet(model.selected_server().map(|server| server.name.clone())),
        Command::ShowAlerts => Page::Alerts(Chosen::default()),
        Command::ShowJournal => Page::Journal(JournalPage::default()),
        Command::ShowVariables => return Some(variables::open(model)),
        Command::ShowDisk => return Some(disk::open(model)),
        Command::Prune => return Some(disk::ask_to_prune(model)),
        _ => return None,
    };
    model.typing = None;
    Some(Vec::new())
}

pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    if let Some(motion) = command.motion() {
        go(model, motion);
        return Vec::new();
    }
    match &model.page {
        _ if command == Command::Back => back(model),
        Page::Fleet(_) => return with_server(model, command),
        Page::Alerts(_) => return with_alert(model, command),
        Page::Journal(page) => {
            let half = page.half;
            return with_journal(model, command, half);
        }
        _ => {}
    }
    Vec::new()
}

/// A filter goes first, then the page.
fn back(model: &mut Model) {
    match &model.page {
        Page::Fleet(_) if !model.servers.filter.is_empty() => model.servers.filter.clear(),
        Page::Alerts(_) if !model.alerts.filter.is_empty() => model.alerts.filter.clear(),
        Page::Journal(_) if !model.journal.arrangement.filter.is_empty() => model.journal.arrangement.filter.clear(),
        _ => model.page = Page::Services,
    }
}

fn go(model: &mut Model, motion: Motion) {
    let place = motion.from(place(model), count(model).saturating_sub(1), model.seen.body.page);
    select(model, place);
}

/// The next line, or the one before; round at the ends.
fn go_round(model: &mut Model, forward: bool) {
    let count = count(model).max(1);
    let step = if forward { 1 } else { count - 1 };
    select(model, (place(model) + step) % count);
}

/// How many lines there are to choose from.
fn count(model: &Model) -> usize {
    match &model.page {
        Page::Fleet(_) => model.shown_servers().len(),
        Page::Alerts(_) => model.shown_concerns().len(),
        Page::Journal(journal) => model.shown_records(journal.half).len(),
        _ => 0,
    }
}

/// The number of the selected line.
fn place(model: &Model) -> usize {
    match &model.page {
        Page::Fleet(selected) => place_of(selected.as_ref(), &model.shown_servers()),
        Page::Alerts(chosen) => chosen.place(&concern_ids(&model.shown_concerns())),
        Page::Journal(page) => page.chosen.place(&record_ids(&model.shown_records(page.half))),
        _ => 0,
    }
}

fn select(model: &mut Model, line: usize) {
    match &model.page {
        Page::Fleet(_) => model.select_shown_server(line),
        _ => model.select_line(Some(line)),
    }
}

/// Selects a line; when it is selected already, opens it.
pub(super) fn choose_line(model: &mut Model, line: usize) -> Vec<Effect> {
    if place(model) == line {
        return run(model, Command::Open);
    }
    select(model, line);
    Vec::new()
}

fn with_server(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Filter => model.typing = Some(Typing::ServerFilter),
        Command::NextMatch => go_round(model, true),
        Command::PreviousMatch => go_round(model, false),
        Command::ReverseOrder => model.servers.order.reverse(),
        other => match other.server_column() {
            Some(column) => model.servers.order.turn_to(column),
            None => return with_selected_server(model, other),
        },
    }
    Vec::new()
}

fn with_selected_server(model: &mut Model, command: Command) -> Vec<Effect> {
    let Some(name) = model.selected_server().map(|server| server.name.clone()) else { return Vec::new() };
    match command {
        Command::Open | Command::Describe => {
            services::show(model, Item::Server(name));
            let is_whole = command == Command::Describe;
            model.focus = if is_whole { Focus::Pane { whole: true } } else { Focus::List };
            Vec::new()
        }
        Command::Push => push::open(model),
        _ => Vec::new(),
    }
}

fn with_alert(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Filter => model.typing = Some(Typing::AlertFilter),
        Command::NextMatch => go_round(model, true),
        Command::PreviousMatch => go_round(model, false),
        Command::ReverseOrder => {
            model.alerts.order.reverse();
            select(model, 0);
        }
        other => match other.alert_column() {
            Some(column) => {
                model.alerts.order.turn_to(column);
                select(model, 0);
            }
            None => with_selected_alert(model, other),
        },
    }
    Vec::new()
}

fn with_selected_alert(model: &mut Model, command: Command) {
    let Some(concern) = model.shown_concerns().into_iter().nth(place(model)) else { return };
    match (command, concern.service) {
        (Command::Open, Some(at)) => {
            services::show(model, Item::Service(at));
            model.focus = Focus::Pane { whole: false };
            model.pane.tab = Tab::Overview;
        }
        (Command::Open, None) => {
            services::show(model, Item::Server(concern.server));
            model.focus = Focus::Pane { whole: false };
        }
        (Command::Logs, Some(at)) => logs::open(model, at, LogsOf::Service),
        (Command::Logs, None) => model.toast(ToastKind::Note, "this is about the server, which has no logs here"),
        _ => {}
    }
}

fn with_journal(model: &mut Model, command: Command, half: Half) -> Vec<Effect> {
    match command {
        Command::SwitchPane => {
            model.page = Page::Journal(JournalPage { half: half.other(), ..JournalPage::default() });
        }
        Command::Open => open_entry(model, half),
        Command::Filter => model.typing = Some(Typing::JournalFilter),
        Command::NextMatch => go_round(model, true),
        Command::PreviousMatch => go_round(model, false),
        Command::ReverseOrder => {
            model.journal.arrangement.order.reverse();
            select(model, 0);
        }
        other => {
            if let Some(column) = other.entry_column() {
                model.journal.arrangement.order.turn_to(column);
                select(model, 0);
            }
        }
    }
    Vec::new()
}

/// The deploy that came of the selected entry.
fn open_entry(model: &mut Model, half: Half) {
    let record = model.shown_records(half).get(place(model)).copied();
    let found = record.and_then(|record| {
        let id = match record {
            Record::Own(deed) => match &deed.result {
                Answer::Deploy(deploy) => deploy.id,
                Answer::Waiting | Answer::Done | Answer::Refused(_) => return None,
            },
            Record::Noted { entry, .. } => entry.deploy?,
        };
        Some((ServiceAt { server: record.server().clone(), service: record.service()?.clone() }, id))
    });
    match found {
        Some((at, id)) => open_deploy(model, at, id),
        None => model.toast(ToastKind::Note, "no deploy came of it"),
    }
}

fn open_deploy(model: &mut Model, at: ServiceAt, id: DeployId) {
    let told = model.fleet.server(&at.server).and_then(|server| server.snapshot());
    let recent = told.and_then(|snapshot| snapshot.deploys.iter().find(|deploy| deploy.id == id)).cloned();
    let own = model.journal.own.iter().find_map(|deed| match &deed.result {
        Answer::Deploy(deploy) if deploy.id == id && deed.server == at.server => Some(deploy.as_ref().clone()),
        _ => None,
    });
    match recent.or(own) {
        Some(known) => deploy::open(model, at, known),
        None => {
            let text =
                format!("{id} is too long ago for the server's list; `mypaas follow {} {id}` shows it", at.server);
            model.toast(ToastKind::Note, text);
        }
    }
}
