//! Clicks and the wheel: what lies under the pointer says what they mean.

use ratatui::layout::Position;

use crate::console::command::Command;
use crate::console::effect::Effect;
use crate::console::message::{Gesture, Mouse};
use crate::console::model::dialog::{Choice, Dialog};
use crate::console::model::list::Item;
use crate::console::model::push::Step;
use crate::console::model::{Focus, Model, Page, Target};

use super::{dialog, disk, fleet, keys, palette, push, services, variables};

pub(super) fn take(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    model.pending.clear();
    match mouse.what {
        Gesture::Click => click(model, mouse.at),
        Gesture::Mark => mark(model, mouse.at),
        Gesture::WheelUp => roll(model, mouse.at, Command::WheelUp),
        Gesture::WheelDown => roll(model, mouse.at, Command::WheelDown),
    }
}

fn click(model: &mut Model, at: Position) -> Vec<Effect> {
    let Some(target) = model.seen.at(at).next().cloned() else { return Vec::new() };
    match target {
        Target::Item(item) => return click_item(model, item),
        Target::Column(column) => model.list.order.turn_to(column),
        Target::Tab(tab) => model.pane.tab = tab,
        Target::Line(line) => return click_line(model, line),
        Target::Choice(Choice::Do) => return keys::run(model, Command::Yes),
        Target::Choice(Choice::Cancel) => return keys::run(model, Command::Cancel),
        Target::Command(command) => return keys::run(model, command),
        Target::List | Target::Body => {}
    }
    Vec::new()
}

/// Selects it; when it is selected already, opens it.
fn click_item(model: &mut Model, item: Item) -> Vec<Effect> {
    let is_selected = model.list.selected.as_ref() == Some(&item);
    if is_selected && model.focus == Focus::List {
        return keys::run(model, Command::Open);
    }
    model.focus = Focus::List;
    model.list.select(item, &model.fleet);
    Vec::new()
}

/// A line of something one chooses from: selects it; when it is selected already, takes it.
fn click_line(model: &mut Model, line: usize) -> Vec<Effect> {
    match (&model.dialog, &mut model.page) {
        (Some(Dialog::Palette(_)), _) => palette::choose_line(model, line),
        (Some(Dialog::Rollback(_)), _) => dialog::choose_release(model, line),
        (None, Page::Push(page)) => match &mut page.step {
            Step::Choosing(choosing) if choosing.cursor == Some(line) => push::run(model, Command::Accept),
            Step::Choosing(choosing) => {
                choosing.cursor = Some(line);
                Vec::new()
            }
            _ => Vec::new(),
        },
        (None, Page::Services) => services::choose_line(model, line),
        (None, Page::Fleet(_) | Page::Alerts(_) | Page::Journal(_)) => fleet::choose_line(model, line),
        (None, Page::Variables(_)) => variables::choose_line(model, line),
        (None, Page::Disk(_)) => disk::choose_line(model, line),
        _ => Vec::new(),
    }
}

fn mark(model: &mut Model, at: Position) -> Vec<Effect> {
    if let Some(Target::Item(item)) = model.seen.at(at).next()
        && let Some(service) = item.service()
    {
        let service = service.clone();
        model.list.marks.turn(service);
    }
    Vec::new()
}

/// Moves through what lies under the pointer, whether or not it has the keys.
fn roll(model: &mut Model, at: Position, command: Command) -> Vec<Effect> {
    let rolled = model.seen.at(at).find(|target| matches!(target, Target::List | Target::Body)).cloned();
    let is_beside = model.dialog.is_none() && matches!(model.page, Page::Services);
    match (rolled, command.motion()) {
        (Some(Target::List), Some(motion)) => services::go_in_list(model, motion),
        (Some(Target::Body), Some(motion)) if is_beside => services::go_in_pane(model, motion),
        (Some(Target::Body), _) => return keys::run(model, command),
        _ => {}
    }
    Vec::new()
}
