//! The page with a server's disks, and the removal of what may go.

use mypaas::api::{DiskView, Problem, ProblemCode, Pruned};
use mypaas::name::ServerName;

use crate::console::command::Command;
use crate::console::effect::Effect;
use crate::console::model::dialog::{Dialog, Load, Stage};
use crate::console::model::disk::{Disk, PruneConfirm};
use crate::console::model::fleet::ServiceAt;
use crate::console::model::list::Item;
use crate::console::model::toast::ToastKind;
use crate::console::model::{Focus, Model, Page, Ticket};
use crate::console::words;

use super::{guard, services};

pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    if let Some(server) = model.selected_server().map(|server| server.name.clone()) {
        open_of(model, server);
    }
    Vec::new()
}

pub(super) fn open_of(model: &mut Model, server: ServerName) {
    let reading = model.ticket();
    model.typing = None;
    model.page = Page::Disk(Box::new(Disk::of(server, reading)));
}

pub(super) fn known(model: &mut Model, reading: Ticket, result: Result<Box<DiskView>, Problem>) {
    if let Some(Dialog::Prune(confirm)) = &mut model.dialog
        && confirm.reading == reading
    {
        confirm.take(&result);
    }
    if let Page::Disk(page) = &mut model.page
        && page.reading == reading
    {
        page.take(result);
    }
}

pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    let seen = model.seen.body.page;
    let Page::Disk(page) = &mut model.page else { return Vec::new() };
    if let Some(motion) = command.motion() {
        page.cursor = motion.from(page.cursor, page.last(), seen);
        return Vec::new();
    }
    match command {
        Command::Back => model.page = Page::Services,
        Command::Open => open_service(model),
        Command::CheckAgain => read_anew(model),
        Command::OtherServer => {
            if let Some(next) = model.fleet.after(&page.server).cloned() {
                open_of(model, next);
            }
        }
        _ => {}
    }
    Vec::new()
}

/// Selects a line; when it is selected already, opens it.
pub(super) fn choose_line(model: &mut Model, line: usize) -> Vec<Effect> {
    let Page::Disk(page) = &mut model.page else { return Vec::new() };
    if page.cursor == line {
        return run(model, Command::Open);
    }
    page.cursor = line.min(page.last());
    Vec::new()
}

fn open_service(model: &mut Model) {
    let Page::Disk(page) = &model.page else { return };
    if let Some(selected) = page.selected() {
        let at = ServiceAt { server: page.server.clone(), service: selected.service.clone() };
        services::show(model, Item::Service(at));
        model.focus = Focus::Pane { whole: false };
    }
}

fn read_anew(model: &mut Model) {
    let reading = model.ticket();
    let Page::Disk(page) = &mut model.page else { return };
    page.read_anew(reading);
    // A question that waits for a reading that nobody makes any more waits for this one.
    if let Some(Dialog::Prune(confirm)) = &mut model.dialog
        && confirm.server == page.server
        && matches!(confirm.what, Load::Waiting)
    {
        confirm.reading = reading;
    }
}

/// Asks whether what may go is to go, from wherever one is: what that is, is read first.
pub(super) fn ask_to_prune(model: &mut Model) -> Vec<Effect> {
    let Some(server) = model.selected_server().map(|server| server.name.clone()) else { return Vec::new() };
    if !guard::may_change(model, &server, None) {
        return Vec::new();
    }
    if !matches!(&model.page, Page::Disk(page) if page.server == server) {
        open_of(model, server.clone());
    }
    read_anew(model);
    if let Page::Disk(page) = &model.page {
        model.dialog = Some(Dialog::Prune(PruneConfirm::of(server, page.reading)));
    }
    Vec::new()
}

/// Tells the server.
pub(super) fn prune(model: &mut Model) -> Vec<Effect> {
    let ticket = model.ticket();
    let Some(Dialog::Prune(confirm)) = &mut model.dialog else { return Vec::new() };
    confirm.stage = Stage::Asked;
    confirm.ticket = Some(ticket);
    vec![Effect::Prune { ticket, server: confirm.server.clone() }]
}

pub(super) fn pruned(model: &mut Model, ticket: Ticket, server: &ServerName, result: Result<Pruned, Problem>) {
    let waits = matches!(&model.dialog, Some(Dialog::Prune(confirm)) if confirm.ticket == Some(ticket));
    if waits {
        model.dialog = None;
    }
    // Also what failed may have removed something.
    if matches!(&model.page, Page::Disk(page) if page.server == *server) {
        read_anew(model);
    }
    match result {
        Ok(pruned) => {
            model.toast(ToastKind::Good, words::pruned(server, &pruned));
            tell_what_stays(model, server, &pruned, waits);
        }
        Err(problem) if waits => {
            model.dialog = Some(Dialog::Trouble { title: format!("{server} was not pruned"), problem, scroll: 0 });
        }
        Err(problem) => model.toast(ToastKind::Bad, format!("{server}: {}", problem.message)),
    }
}

fn tell_what_stays(model: &mut Model, server: &ServerName, pruned: &Pruned, waits: bool) {
    let [first, others @ ..] = &pruned.left[..] else { return };
    if waits {
        let problem = Problem::new(ProblemCode::Conflict, pruned.left.join("; "));
        model.dialog = Some(Dialog::Trouble { title: format!("Not all of it went from {server}"), problem, scroll: 0 });
    } else {
        let more = if others.is_empty() { String::new() } else { format!(", and {} more", others.len()) };
        model.toast(ToastKind::Bad, format!("{server}: {first}{more}"));
    }
}
