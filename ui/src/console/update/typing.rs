//! Lines of text: what is typed at the bottom of a page, in the palette, as a path.

use crate::console::command::Command;
use crate::console::effect::Effect;
use crate::console::model::chosen::Chosen;
use crate::console::model::dialog::Dialog;
use crate::console::model::line::Line;
use crate::console::model::logs::Logs;
use crate::console::model::push::Step;
use crate::console::model::{Model, Page, Typing};

use super::{dialog, logs, push, variables};
use crate::console::model::line::Unseen;
use crate::console::model::toast::ToastKind;

pub(super) fn insert(model: &mut Model, character: char) -> Vec<Effect> {
    if let Some(Dialog::Scale(_)) = model.dialog {
        return dialog::digit(model, character);
    }
    edit(model, |line| line.insert(character.encode_utf8(&mut [0; 4])))
}

pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    // A line cannot hold several, and half a secret is none.
    if model.types_unseen() && text.trim().contains(['\n', '\r']) {
        model.toast(ToastKind::Typed, "the value has several lines: give it to `mypaas env set` on its standard input");
        return Vec::new();
    }
    edit(model, |line| line.insert(text.trim()))
}

/// The commands that move in a line or delete from it.
pub(super) fn edit_by(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Left => edit(model, Line::left),
        Command::Right => edit(model, Line::right),
        Command::LineStart => edit(model, Line::start),
        Command::LineEnd => edit(model, Line::end),
        Command::DeleteBack => edit(model, Line::delete_back),
        Command::DeleteForward => edit(model, Line::delete_forward),
        Command::DeleteWord => edit(model, Line::delete_word),
        Command::DeleteLine => edit(model, Line::delete_to_start),
        _ => Vec::new(),
    }
}

/// The line at the bottom: taken, given up, or edited.
pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    match (command, model.typing) {
        (Command::Accept, Some(Typing::LogSince)) => logs::read_since(model),
        (Command::Accept, Some(Typing::VariableName)) => variables::name_typed(model),
        (Command::Accept, Some(Typing::VariableValue)) => variables::value_typed(model),
        (Command::Accept, typing) => {
            model.typing = None;
            if let Some(mistake) = typing.filter(|typing| typing.is_filter()).and_then(|_| model.filter_mistake()) {
                model.toast(ToastKind::Bad, mistake);
            }
            return if typing == Some(Typing::LogPath) { logs::save(model) } else { Vec::new() };
        }
        (Command::Cancel, typing) => {
            edit(model, |line| *line = Line::default());
            model.typing = None;
            let was_since =
                typing == Some(Typing::LogSince) && model.logs.as_ref().is_some_and(|logs| logs.since.is_some());
            if was_since {
                logs::read_since(model);
            }
        }
        (other, _) => return edit_by(model, other),
    }
    Vec::new()
}

/// Changes the line that has the keys, and what follows from it.
fn edit(model: &mut Model, change: impl FnOnce(&mut Line)) -> Vec<Effect> {
    if let Some(Dialog::Palette(palette)) = &mut model.dialog {
        let before = palette.line.text().to_owned();
        change(&mut palette.line);
        if palette.line.text() != before {
            palette.search();
        }
        return Vec::new();
    }
    if let Some(Dialog::Unlock(unlock)) = &mut model.dialog {
        change(&mut unlock.line);
        return Vec::new();
    }
    match (model.typing, &mut model.page) {
        (Some(Typing::VariableName), Page::Variables(page)) => change(&mut page.name),
        (Some(Typing::VariableValue), Page::Variables(page)) => {
            let Unseen(line) = &mut page.value;
            change(line);
        }
        (Some(Typing::VariableName | Typing::VariableValue), _) => {}
        (Some(Typing::ServiceFilter), _) => {
            change(&mut model.list.filter.line);
            model.list.narrow();
        }
        (Some(Typing::ServerFilter), _) => {
            change(&mut model.servers.filter.line);
            model.servers.filter.read();
        }
        (Some(Typing::AlertFilter), _) => {
            change(&mut model.alerts.filter.line);
            model.alerts.filter.read();
            model.page = Page::Alerts(Chosen::default());
        }
        (Some(Typing::JournalFilter), page) => {
            change(&mut model.journal.arrangement.filter.line);
            model.journal.arrangement.filter.read();
            if let Page::Journal(page) = page {
                page.chosen = Chosen::default();
            }
        }
        (Some(typing @ (Typing::LogFilter | Typing::LogSince | Typing::LogPath)), _) => {
            if let Some(logs) = &mut model.logs {
                edit_of(logs, typing, change);
            }
        }
        (None, Page::Push(page)) => {
            if let Step::Choosing(choosing) = &mut page.step {
                change(&mut choosing.line);
                choosing.cursor = None;
                return push::find(model);
            }
        }
        (None, _) => {}
    }
    Vec::new()
}

fn edit_of(logs: &mut Logs, typing: Typing, change: impl FnOnce(&mut Line)) {
    match typing {
        Typing::LogSince => change(&mut logs.since_line),
        Typing::LogPath => change(&mut logs.path),
        _ => {
            change(&mut logs.pattern.line);
            logs.search();
        }
    }
}
