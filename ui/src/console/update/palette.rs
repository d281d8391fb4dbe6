//! The command palette.

use crate::console::command::Command;
use crate::console::effect::Effect;
use crate::console::model::Model;
use crate::console::model::dialog::Dialog;
use crate::console::model::list::Item;
use crate::console::model::palette::Pick;

use super::{action, keys, services, typing};

pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    let page = model.seen.body.page;
    let Some(Dialog::Palette(palette)) = &mut model.dialog else { return Vec::new() };
    if let Some(motion) = command.motion() {
        palette.cursor = motion.from(palette.cursor, palette.hits.len().saturating_sub(1), page);
        return Vec::new();
    }
    match command {
        Command::Accept => {
            let Some(pick) = palette.selected().cloned() else { return Vec::new() };
            model.dialog = None;
            choose(model, pick)
        }
        Command::Cancel => {
            model.dialog = None;
            Vec::new()
        }
        other => typing::edit_by(model, other),
    }
}

/// Selects a line; when it is selected already, takes it.
pub(super) fn choose_line(model: &mut Model, line: usize) -> Vec<Effect> {
    let Some(Dialog::Palette(palette)) = &mut model.dialog else { return Vec::new() };
    if palette.cursor == line {
        return run(model, Command::Accept);
    }
    palette.cursor = line;
    Vec::new()
}

fn choose(model: &mut Model, pick: Pick) -> Vec<Effect> {
    match pick {
        Pick::Run(command) => keys::run(model, command),
        Pick::RunAt(at, command) => {
            services::show(model, Item::Service(at.clone()));
            action::run_at(model, at, command)
        }
        Pick::Go(item) => {
            services::show(model, item);
            Vec::new()
        }
        Pick::On(server, command) => {
            services::show(model, Item::Server(server));
            keys::run(model, command)
        }
        Pick::Scale(at, count) => {
            services::show(model, Item::Service(at.clone()));
            action::scale(model, vec![at], |_| count)
        }
    }
}
