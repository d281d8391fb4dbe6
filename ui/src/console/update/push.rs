//! The page for a push.

use std::path::{Path, PathBuf};

use mypaas::api::Problem;
use mypaas::manifest::Diagnostic;

use crate::console::command::Command;
use crate::console::effect::Effect;
use crate::console::model::dialog::{Choice, Dialog, Guarded};
use crate::console::model::line::Line;
use crate::console::model::push::{Choosing, FolderReport, FoundFolder, Glance, Push, Review, Step};
use crate::console::model::toast::ToastKind;
use crate::console::model::{Model, Page, Ticket};

use super::{guard, typing};

pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let Some(server) = model.selected_server() else { return Vec::new() };
    let (server, is_read_only) = (server.name.clone(), server.is_read_only());
    if is_read_only && !guard::may_change(model, &server, None) {
        return Vec::new();
    }
    let ticket = model.ticket();
    let step = Step::Choosing(Choosing::default());
    model.page = Page::Push(Box::new(Push { server, step, ticket }));
    let mut effects = find(model);
    effects.push(Effect::LoadRecents);
    effects
}

/// Looks for what the typed path may become.
pub(super) fn find(model: &mut Model) -> Vec<Effect> {
    let ticket = model.ticket();
    let Page::Push(page) = &mut model.page else { return Vec::new() };
    let Step::Choosing(choosing) = &page.step else { return Vec::new() };
    page.ticket = ticket;
    vec![Effect::FindFolders { ticket, typed: choosing.line.text().to_owned() }]
}

pub(super) fn found(model: &mut Model, ticket: Ticket, found: Vec<FoundFolder>) {
    if let Page::Push(page) = &mut model.page
        && let Step::Choosing(choosing) = &mut page.step
        && page.ticket == ticket
    {
        choosing.found = found;
        choosing.cursor = None;
    }
}

pub(super) fn recents(model: &mut Model, folders: Vec<PathBuf>) {
    if let Page::Push(page) = &mut model.page
        && let Step::Choosing(choosing) = &mut page.step
    {
        choosing.recents = folders;
    }
}

pub(super) fn glanced(model: &mut Model, folder: String, glance: Glance) {
    if let Page::Push(page) = &mut model.page
        && let Step::Choosing(choosing) = &mut page.step
    {
        choosing.glance = Some((folder, glance));
    }
}

pub(super) fn checked(model: &mut Model, ticket: Ticket, report: Box<FolderReport>) {
    if let Page::Push(page) = &mut model.page
        && page.ticket == ticket
        && matches!(page.step, Step::Checking { .. })
    {
        page.step = Step::Review(Review::new(report));
    }
}

pub(super) fn sent(model: &mut Model, ticket: Ticket, bytes: u64) {
    if let Page::Push(page) = &mut model.page
        && let Step::Sending { sent, .. } = &mut page.step
        && page.ticket == ticket
    {
        *sent = bytes;
    }
}

pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    let Page::Push(page) = &model.page else { return Vec::new() };
    match &page.step {
        Step::Choosing(_) => choose(model, command),
        Step::Review(_) => review(model, command),
        Step::Refused { folder, .. } if command == Command::Cancel => back_to_choice(model, &folder.clone()),
        Step::Refused { folder, .. } if command == Command::CheckAgain => check(model, folder.clone()),
        Step::Refused { folder, problem } if command == Command::Edit => edit(folder.clone(), &problem.diagnostics),
        Step::Checking { folder } if command == Command::Back => back_to_choice(model, &folder.clone()),
        Step::Sending { .. } if command == Command::Back => leave(model),
        Step::Checking { .. } | Step::Sending { .. } | Step::Refused { .. } => Vec::new(),
    }
}

fn leave(model: &mut Model) -> Vec<Effect> {
    model.page = Page::Services;
    Vec::new()
}

fn choose(model: &mut Model, command: Command) -> Vec<Effect> {
    let Page::Push(page) = &mut model.page else { return Vec::new() };
    let Step::Choosing(choosing) = &mut page.step else { return Vec::new() };
    match command {
        Command::Accept => {
            return choosing.chosen().map_or_else(Vec::new, |folder| check(model, folder.into()));
        }
        Command::Complete => {
            choosing.complete();
            return find(model);
        }
        Command::Down | Command::WheelDown => move_cursor(choosing, true),
        Command::Up | Command::WheelUp => move_cursor(choosing, false),
        Command::OtherServer => turn_server(model),
        Command::Cancel => return leave(model),
        other => return typing::edit_by(model, other),
    }
    Vec::new()
}

/// Down from the line into the list, and up out of it again.
fn move_cursor(choosing: &mut Choosing, down: bool) {
    let count = choosing.offers().len();
    choosing.cursor = match (choosing.cursor, down) {
        (None, true) => Some(0),
        (Some(index), true) => Some(index + 1),
        (Some(index), false) => index.checked_sub(1),
        (None, false) => None,
    };
    choosing.cursor = choosing.cursor.map(|index| index.min(count.saturating_sub(1))).filter(|_| count > 0);
}

fn turn_server(model: &mut Model) {
    let Page::Push(page) = &mut model.page else { return };
    let servers = &model.fleet.servers;
    let place = servers.iter().position(|server| server.name == page.server).unwrap_or(0);
    if let Some(next) = servers.get((place + 1) % servers.len().max(1)) {
        page.server = next.name.clone();
    }
}

fn check(model: &mut Model, folder: PathBuf) -> Vec<Effect> {
    let ticket = model.ticket();
    let Page::Push(page) = &mut model.page else { return Vec::new() };
    page.ticket = ticket;
    page.step = Step::Checking { folder: folder.clone() };
    vec![Effect::Check { ticket, server: page.server.clone(), folder }]
}

fn review(model: &mut Model, command: Command) -> Vec<Effect> {
    let body = model.seen.body;
    let Page::Push(page) = &mut model.page else { return Vec::new() };
    let Step::Review(review) = &mut page.step else { return Vec::new() };
    let folder = review.report.folder.clone();
    if let Some(motion) = command.motion() {
        review.scroll = motion.from(body.top, body.last_top, body.page);
        return Vec::new();
    }
    match (command, review.choice) {
        (Command::Switch, choice) if review.can_push() => review.choice = choice.other(),
        (Command::Accept, Choice::Do) | (Command::Yes, _) if review.can_push() => return guard::pass_push(model),
        (Command::Accept, Choice::Cancel) | (Command::Cancel, _) => return back_to_choice(model, &folder),
        (Command::CheckAgain, _) => return check(model, folder),
        (Command::Edit, _) => {
            let contents = review.report.contents.as_ref();
            let found = contents.map_or_else(|problem| &problem.diagnostics, |contents| &contents.checked.diagnostics);
            return edit(folder, found);
        }
        _ => {}
    }
    Vec::new()
}

/// Opens the Dockerfile at the first thing that is wrong in it.
fn edit(folder: PathBuf, diagnostics: &[Diagnostic]) -> Vec<Effect> {
    let first = diagnostics.iter().find(|found| found.is_error()).or(diagnostics.first());
    vec![Effect::Edit { folder, line: first.map_or(0, |found| found.line) }]
}

/// The editor was closed: what it left is looked at.
pub(super) fn edited(model: &mut Model, result: Result<(), Problem>) -> Vec<Effect> {
    if let Err(problem) = result {
        let title = "The Dockerfile was not edited".to_owned();
        model.dialog = Some(Dialog::Trouble { title, problem, scroll: 0 });
        return Vec::new();
    }
    looked_at(model).map_or_else(Vec::new, |folder| check(model, folder))
}

/// What is looked at is another Dockerfile now.
pub(super) fn changed(model: &mut Model, folder: &Path) -> Vec<Effect> {
    let Some(shown) = looked_at(model).filter(|shown| shown == folder) else { return Vec::new() };
    // What a name is typed for is another push now, which nobody has looked at.
    if matches!(&model.dialog, Some(Dialog::Unlock(unlock)) if matches!(unlock.then, Guarded::Push)) {
        model.dialog = None;
        model.toast(ToastKind::Note, "the Dockerfile changed: look at it again before you push it");
    }
    check(model, shown)
}

/// The folder whose Dockerfile is shown, before it is sent or after it was refused.
fn looked_at(model: &Model) -> Option<PathBuf> {
    let Page::Push(page) = &model.page else { return None };
    page.looked_at().map(Path::to_owned)
}

fn back_to_choice(model: &mut Model, folder: &Path) -> Vec<Effect> {
    let Page::Push(page) = &mut model.page else { return Vec::new() };
    let line = Line::of(&folder.display().to_string());
    page.step = Step::Choosing(Choosing { line, ..Choosing::default() });
    let mut effects = find(model);
    effects.push(Effect::LoadRecents);
    effects
}

/// Sends the folder that is looked at.
pub(super) fn send(model: &mut Model) -> Vec<Effect> {
    let ticket = model.ticket();
    let Page::Push(page) = &mut model.page else { return Vec::new() };
    let Step::Review(review) = &page.step else { return Vec::new() };
    if !review.can_push() {
        return Vec::new();
    }
    let report = review.report.clone();
    let folder = report.folder.clone();
    page.ticket = ticket;
    page.step = Step::Sending { report, sent: 0 };
    vec![Effect::Push { ticket, server: page.server.clone(), folder }]
}
