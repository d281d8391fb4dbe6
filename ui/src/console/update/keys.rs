//! A key press → a command → whoever has the keys.

use crate::console::command::Command;
use crate::console::effect::{Effect, TerminalEffect};
use crate::console::key::Key;
use crate::console::keymap::Meaning;
use crate::console::model::dialog::Dialog;
use crate::console::model::palette::Palette;
use crate::console::model::toast::ToastKind;
use crate::console::model::{Model, Page};
use crate::console::words;

use super::{answer, deploy, dialog, disk, fleet, logs, push, services, trail, typing, variables};

pub(super) fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    let context = model.context();
    model.pending.push(key);
    match model.keymap.meaning(context, &model.pending) {
        Meaning::Prefix => Vec::new(),
        Meaning::Command(command) => {
            model.pending.clear();
            run(model, command)
        }
        Meaning::Nothing => {
            let pressed = std::mem::take(&mut model.pending);
            let typed = key.typed().filter(|_| pressed.len() == 1 && context.types());
            typed.map_or_else(Vec::new, |character| typing::insert(model, character))
        }
    }
}

/// Does what a key or a line of the palette means.
pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    let was_warned = std::mem::take(&mut model.warned_of_leaving);
    match command {
        Command::Quit => return leave(model, was_warned),
        // What is waited for goes first.
        Command::Back if model.shell.is_some() && !model.is_asked_something() => {
            answer::withdraw_shell(model);
            return Vec::new();
        }
        Command::Suspend => return vec![TerminalEffect::Suspend.into()],
        Command::Redraw => return vec![TerminalEffect::Redraw.into()],
        Command::Help => {
            model.dialog = Some(Dialog::Help { of: model.context(), scroll: 0 });
            return Vec::new();
        }
        Command::Palette => {
            let target = model.service_in_view().cloned();
            let here = model.selected_server().map(|server| server.name.clone());
            let palette = Palette::open(&model.keymap, model.page_context(), &model.fleet, target, here);
            model.dialog = Some(Dialog::Palette(palette));
            return Vec::new();
        }
        Command::Mouse => return turn_mouse(model),
        Command::GoBack => return trail::go(model, true),
        Command::GoForward => return trail::go(model, false),
        _ => {}
    }
    if model.dialog.is_some() {
        return dialog::run(model, command);
    }
    if model.typing.is_some() {
        return typing::run(model, command);
    }
    if let Some(effects) = fleet::visit(model, command) {
        return effects;
    }
    match &model.page {
        Page::Services => services::run(model, command),
        Page::Logs => logs::run(model, command),
        Page::Deploy(_) => deploy::run(model, command),
        Page::Push(_) => push::run(model, command),
        Page::Fleet(_) | Page::Alerts(_) | Page::Journal(_) => fleet::run(model, command),
        Page::Variables(_) => variables::run(model, command),
        Page::Disk(_) => disk::run(model, command),
    }
}

/// At once, unless something is on its way to a server, which would be lost: then the second time.
fn leave(model: &mut Model, was_warned: bool) -> Vec<Effect> {
    let lost = model.journal.unanswered().next().map(|deed| {
        let what = words::asked(&deed.what);
        format!("{what} is still on its way to {}: leaving now may lose it; once more to leave", deed.server)
    });
    match lost {
        Some(told) if !was_warned => {
            model.warned_of_leaving = true;
            model.toast(ToastKind::Bad, told);
            Vec::new()
        }
        _ => vec![TerminalEffect::Quit.into()],
    }
}

/// Hands the mouse to the terminal, so that text can be selected with it, or takes it back.
fn turn_mouse(model: &mut Model) -> Vec<Effect> {
    model.mouse = !model.mouse;
    let told = if model.mouse { "clicks come here again" } else { "the mouse selects text now" };
    model.toast(ToastKind::Note, told);
    vec![TerminalEffect::Mouse(model.mouse).into()]
}
