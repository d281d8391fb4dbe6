//! The logs, on the whole screen or beside the list.

use mypaas::api::LogsOf;

use crate::console::command::{Command, Motion};
use crate::console::effect::{Effect, TerminalEffect};
use crate::console::model::fleet::ServiceAt;
use crate::console::model::line::Line;
use crate::console::model::logs::{Logs, since};
use crate::console::model::tape::Place;
use crate::console::model::toast::ToastKind;
use crate::console::model::{Model, Page, Typing, Window};
use crate::console::words::counted;

use super::{action, trail};

/// The logs on the whole screen; those that were read already go on.
pub(super) fn open(model: &mut Model, at: ServiceAt, of: LogsOf) {
    let same = model.logs.as_ref().is_some_and(|logs| logs.at == at && logs.of == of);
    if !same {
        model.logs = Some(Logs::of(at, of));
    }
    model.page = Page::Logs;
}

pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    if let Some(motion) = command.motion() {
        go(model, motion);
        return Vec::new();
    }
    let top = model.seen.body.top;
    let Some(logs) = &mut model.logs else { return Vec::new() };
    match command {
        Command::Filter => model.typing = Some(Typing::LogFilter),
        Command::OnlyMatches => logs.only_matches = !logs.only_matches,
        Command::NextMatch => logs.jump(true, top),
        Command::PreviousMatch => logs.jump(false, top),
        Command::Follow => toggle_follow(logs, top),
        Command::Wrap => logs.wrap = !logs.wrap,
        Command::Times => logs.times = logs.times.next(),
        Command::More => logs.widen(true),
        Command::Less => logs.widen(false),
        Command::Since => model.typing = Some(Typing::LogSince),
        Command::Save => ask_for_path(model),
        Command::CopyLines => return copy_lines(model),
        Command::NextContainer => turn_container(model, true),
        Command::PreviousContainer => turn_container(model, false),
        Command::Shell => {
            let at = logs.at.clone();
            return action::open_shell(model, at);
        }
        Command::Logs => model.page = Page::Logs,
        Command::Back => {
            let at = logs.at.clone();
            trail::leave(model, at);
        }
        other => return action::run(model, other),
    }
    Vec::new()
}

pub(super) fn go(model: &mut Model, motion: Motion) {
    let top = scrolled(motion, model.seen.body);
    let Some(logs) = &mut model.logs else { return };
    logs.place = top.and_then(|index| logs.shown(index)).map_or(Place::End, Place::At);
}

/// The first line on the screen after a move; none when the end is reached.
pub(super) fn scrolled(motion: Motion, body: Window) -> Option<usize> {
    let top = body.moved(motion);
    (top < body.last_top || !motion.is_forward() && top != body.top).then_some(top)
}

fn toggle_follow(logs: &mut Logs, top: usize) {
    logs.place = match logs.place {
        Place::End => logs.shown(top).map_or(Place::End, Place::At),
        Place::At(_) => Place::End,
    };
}

/// Begins with a name that says what is in the file, and when it was written.
fn ask_for_path(model: &mut Model) {
    let time = model.now.to_zoned_datetime(model.zone.clone()).strftime("%Y-%m-%d-%H%M%S");
    if let Some(logs) = &mut model.logs {
        logs.path = Line::of(&format!("{}-{time}.log", logs.at.service.flat()));
        model.typing = Some(Typing::LogPath);
    }
}

/// Saves what is shown.
pub(super) fn save(model: &Model) -> Vec<Effect> {
    let Some(logs) = model.logs.as_ref().filter(|logs| !logs.path.is_empty()) else { return Vec::new() };
    let text = logs.text(0, logs.shown_count(), true);
    vec![Effect::Save { path: logs.path.text().into(), text }]
}

/// Reads from the typed moment on. Says what is wrong with it when it is no moment.
pub(super) fn read_since(model: &mut Model) {
    let Some(logs) = &mut model.logs else { return };
    let typed = logs.since_line.text();
    let since = match typed.is_empty() {
        true => Ok(None),
        false => since::read(typed, model.now, &model.zone).map(Some),
    };
    match since {
        Ok(since) => {
            let of = logs.of.clone();
            logs.turn_to(of, since);
            model.typing = None;
        }
        Err(error) => model.toast(ToastKind::Typed, error.to_string()),
    }
}

/// The lines on the screen, whole, as they were written.
fn copy_lines(model: &mut Model) -> Vec<Effect> {
    let Window { top, page, .. } = model.seen.body;
    let Some(logs) = &model.logs else { return Vec::new() };
    let text = logs.text(top, page, false);
    let count = counted(text.lines().count(), "line", "lines");
    model.toast(ToastKind::Note, format!("copied the {count} on the screen"));
    vec![TerminalEffect::Copy(text).into()]
}

/// From all containers to the first one, to the next, …, back to all.
fn turn_container(model: &mut Model, forward: bool) {
    let Some(logs) = &mut model.logs else { return };
    let Some(service) = model.fleet.service(&logs.at) else { return };
    let mut ring = vec![LogsOf::Service];
    ring.extend(service.containers.iter().map(|container| LogsOf::Container(container.name.clone())));
    let place = ring.iter().position(|of| *of == logs.of).unwrap_or(0);
    let step = if forward { 1 } else { ring.len() - 1 };
    let since = logs.since;
    logs.turn_to(ring.swap_remove((place + step) % ring.len()), since);
}
