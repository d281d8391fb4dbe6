//! The page with a server's variables.

use mypaas::api::{Problem, VariableChange, VariableView};
use mypaas::name::{ServerName, VariableName};

use crate::console::command::Command;
use crate::console::effect::Effect;
use crate::console::model::dialog::{Choice, Dialog, Stage};
use crate::console::model::line::{Line, Unseen};
use crate::console::model::toast::ToastKind;
use crate::console::model::variables::{VariableConfirm, Variables};
use crate::console::model::{Model, Page, Ticket, Typing};

use super::guard;

pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    if let Some(server) = model.selected_server().map(|server| server.name.clone()) {
        open_of(model, server);
    }
    Vec::new()
}

pub(super) fn open_of(model: &mut Model, server: ServerName) {
    model.typing = None;
    model.page = Page::Variables(Box::new(Variables::of(server)));
}

pub(super) fn known(model: &mut Model, server: &ServerName, result: Result<Vec<VariableView>, Problem>) {
    if let Page::Variables(page) = &mut model.page
        && page.server == *server
    {
        page.take(result);
    }
}

pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    let seen = model.seen.body.page;
    let Page::Variables(page) = &mut model.page else { return Vec::new() };
    if let Some(motion) = command.motion() {
        page.cursor = motion.from(page.cursor, page.last(), seen);
        return Vec::new();
    }
    let changes = matches!(command, Command::SetVariable | Command::NewVariable | Command::UnsetVariable);
    if changes && !may_change(model) {
        return Vec::new();
    }
    let Page::Variables(page) = &mut model.page else { return Vec::new() };
    match command {
        Command::Back => model.page = Page::Services,
        Command::OtherServer => turn_server(model),
        Command::SetVariable => type_value(model),
        Command::NewVariable => {
            page.name = Line::default();
            model.typing = Some(Typing::VariableName);
        }
        Command::UnsetVariable => unset(model),
        _ => {}
    }
    Vec::new()
}

/// Selects a line; when it is selected already, has its value typed.
pub(super) fn choose_line(model: &mut Model, line: usize) -> Vec<Effect> {
    let Page::Variables(page) = &mut model.page else { return Vec::new() };
    if page.cursor == line {
        return run(model, Command::SetVariable);
    }
    page.cursor = line.min(page.last());
    Vec::new()
}

fn may_change(model: &mut Model) -> bool {
    let Page::Variables(page) = &model.page else { return false };
    let server = page.server.clone();
    guard::may_change(model, &server, None)
}

fn turn_server(model: &mut Model) {
    let Page::Variables(page) = &model.page else { return };
    if let Some(next) = model.fleet.after(&page.server).cloned() {
        open_of(model, next);
    }
}

fn type_value(model: &mut Model) {
    let Page::Variables(page) = &mut model.page else { return };
    let Some(name) = page.selected().map(|selected| selected.name.clone()) else { return };
    // What is typed for it could not be sent.
    if let Err(error) = name.parse::<VariableName>() {
        return model.toast(ToastKind::Note, error.to_string());
    }
    page.name = Line::of(&name);
    page.value = Unseen::default();
    model.typing = Some(Typing::VariableValue);
}

/// A name was typed: the value is next.
pub(super) fn name_typed(model: &mut Model) {
    let Page::Variables(page) = &mut model.page else { return };
    let parsed = page.name.text().parse::<VariableName>();
    page.value = Unseen::default();
    match parsed {
        Ok(_) => {
            model.toasts.withdraw_typed();
            model.typing = Some(Typing::VariableValue);
        }
        Err(error) => model.toast(ToastKind::Typed, error.to_string()),
    }
}

/// A value was typed: whether it is to be set is asked.
pub(super) fn value_typed(model: &mut Model) {
    model.typing = None;
    let Page::Variables(page) = &mut model.page else { return };
    let value = std::mem::take(&mut page.value);
    let meant = page.meant();
    page.name = Line::default();
    if let Some(name) = meant {
        confirm(model, name, Some(value));
    }
}

fn unset(model: &mut Model) {
    let Page::Variables(page) = &model.page else { return };
    let Some(selected) = page.selected().cloned() else { return };
    if !selected.is_set {
        return model.toast(ToastKind::Note, format!("{} has no value", selected.name));
    }
    if let Ok(name) = selected.name.parse() {
        confirm(model, name, None);
    }
}

fn confirm(model: &mut Model, name: VariableName, value: Option<Unseen>) {
    let ticket = model.ticket();
    let Page::Variables(page) = &model.page else { return };
    let known = page.find(&name);
    let confirm = VariableConfirm {
        server: page.server.clone(),
        had_value: known.is_some_and(|view| view.is_set),
        used_by: known.map(|view| view.used_by.clone()).unwrap_or_default(),
        name,
        value,
        stage: Stage::Deciding(Choice::Cancel),
        ticket,
    };
    model.dialog = Some(Dialog::Variable(confirm));
}

/// Tells the server.
pub(super) fn change(model: &mut Model) -> Vec<Effect> {
    let ticket = model.ticket();
    let Some(Dialog::Variable(confirm)) = &mut model.dialog else { return Vec::new() };
    confirm.stage = Stage::Asked;
    confirm.ticket = ticket;
    let value = confirm.value.take().map(|Unseen(line)| line.text().to_owned());
    let change = VariableChange { name: confirm.name.clone(), value };
    vec![Effect::ChangeVariable { ticket, server: confirm.server.clone(), change }]
}

pub(super) fn changed(model: &mut Model, ticket: Ticket, server: &ServerName, result: Result<VariableView, Problem>) {
    let waits = matches!(&model.dialog, Some(Dialog::Variable(confirm)) if confirm.ticket == ticket);
    match result {
        Ok(view) => {
            if waits {
                model.dialog = None;
            }
            take_one(model, server, &view);
            let what = if view.is_set { "is set" } else { "has no value any more" };
            model.toast(ToastKind::Good, format!("{} {what} on {server}", view.name));
        }
        Err(problem) if waits => {
            let title = format!("The variable on {server} stays as it is");
            model.dialog = Some(Dialog::Trouble { title, problem, scroll: 0 });
        }
        Err(problem) => model.toast(ToastKind::Bad, format!("{server}: {}", problem.message)),
    }
}

/// What changed is shown before the server is asked again.
fn take_one(model: &mut Model, server: &ServerName, view: &VariableView) {
    let Page::Variables(page) = &mut model.page else { return };
    let Some(known) = page.known.as_ref().filter(|_| page.server == *server) else { return };
    let mut all: Vec<_> = known.iter().filter(|known| known.name != view.name).cloned().collect();
    if view.is_set || !view.used_by.is_empty() {
        all.push(view.clone());
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    page.take(Ok(all));
}
