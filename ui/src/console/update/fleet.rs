//! The pages about all servers: the fleet, its alerts, the journal.

use mypaas::api::AuditEntry;
use mypaas::name::DeployId;

use crate::console::command::{Command, Motion};
use crate::console::effect::Effect;
use crate::console::model::detail::Tab;
use crate::console::model::fleet::ServiceAt;
use crate::console::model::journal::{Answer, Half, JournalPage};
use crate::console::model::list::Item;
use crate::console::model::toast::ToastKind;
use crate::console::model::{Focus, Model, Page};

use super::{deploy, logs, push, services, variables};

/// To one of the pages that can be gone to from everywhere; none when the command does not say to which.
pub(super) fn visit(model: &mut Model, command: Command) -> Option<Vec<Effect>> {
    model.page = match command {
        Command::ShowServices => {
            model.focus = Focus::List;
            Page::Services
        }
        Command::ShowFleet => Page::Fleet(place_of_server(model)),
        Command::ShowAlerts => Page::Alerts(0),
        Command::ShowJournal => Page::Journal(JournalPage::default()),
        Command::ShowVariables => return Some(variables::open(model)),
        _ => return None,
    };
    model.typing = None;
    Some(Vec::new())
}

fn place_of_server(model: &Model) -> usize {
    let selected = model.selected_server().map(|server| &server.name);
    model.fleet.servers.iter().position(|server| Some(&server.name) == selected).unwrap_or(0)
}

pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    if let Some(motion) = command.motion() {
        go(model, motion);
        return Vec::new();
    }
    if command == Command::Back {
        model.page = Page::Services;
        return Vec::new();
    }
    match &model.page {
        Page::Fleet(_) => with_server(model, command),
        Page::Alerts(place) => with_alert(model, command, *place),
        Page::Journal(page) => with_journal(model, command, *page),
        _ => Vec::new(),
    }
}

fn go(model: &mut Model, motion: Motion) {
    let page = model.seen.body.page;
    let count = match &model.page {
        Page::Fleet(_) => model.fleet.servers.len(),
        Page::Alerts(_) => model.fleet.concerns().len(),
        Page::Journal(journal) => match journal.half {
            Half::Own => model.journal.own.len(),
            Half::Servers => model.journal.noted().len(),
        },
        _ => 0,
    };
    if let Some(place) = place(&mut model.page) {
        *place = motion.from(*place, count.saturating_sub(1), page);
    }
}

/// The number of the selected line.
fn place(page: &mut Page) -> Option<&mut usize> {
    match page {
        Page::Fleet(place) | Page::Alerts(place) => Some(place),
        Page::Journal(journal) => Some(&mut journal.cursor),
        _ => None,
    }
}

/// Selects a line; when it is selected already, opens it.
pub(super) fn choose_line(model: &mut Model, line: usize) -> Vec<Effect> {
    match place(&mut model.page) {
        Some(place) if *place == line => run(model, Command::Open),
        Some(place) => {
            *place = line;
            Vec::new()
        }
        None => Vec::new(),
    }
}

fn with_server(model: &mut Model, command: Command) -> Vec<Effect> {
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

fn with_alert(model: &mut Model, command: Command, place: usize) -> Vec<Effect> {
    let Some(concern) = model.fleet.concerns().into_iter().nth(place) else { return Vec::new() };
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
        (Command::Logs, Some(at)) => logs::open(model, at, None),
        (Command::Logs, None) => model.toast(ToastKind::Note, "this is about the server, which has no logs here"),
        _ => {}
    }
    Vec::new()
}

fn with_journal(model: &mut Model, command: Command, page: JournalPage) -> Vec<Effect> {
    match command {
        Command::SwitchPane => model.page = Page::Journal(JournalPage { half: page.half.other(), cursor: 0 }),
        Command::Open => open_entry(model, page),
        _ => {}
    }
    Vec::new()
}

/// The deploy that came of the selected entry.
fn open_entry(model: &mut Model, page: JournalPage) {
    let found = match page.half {
        Half::Own => model.journal.own.get(page.cursor).and_then(|deed| match &deed.result {
            Answer::Deploy(deploy) => {
                let at = ServiceAt { server: deed.server.clone(), service: deploy.service.clone() };
                Some((at, deploy.id))
            }
            Answer::Waiting | Answer::Done | Answer::Refused(_) => None,
        }),
        Half::Servers => {
            let noted = model.journal.noted();
            noted.get(page.cursor).and_then(|(server, entry)| {
                let AuditEntry { service, deploy, .. } = *entry;
                Some((ServiceAt { server: (*server).clone(), service: service.clone()? }, (*deploy)?))
            })
        }
    };
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
