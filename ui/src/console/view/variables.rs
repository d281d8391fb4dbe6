//! The variables of a server's environment, without their values.

use mypaas::api::VariableView;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::dialogs::{effect, silence_of, split};
use super::history::{Rows, Selected};
use super::pen::Pen;
use super::sheet::{Sheet, centred};
use super::table::{Cells, Column, left, text};
use super::{buttons, named, problem};
use crate::console::model::Model;
use crate::console::model::dialog::Stage;
use crate::console::model::fleet::ServerEntry;
use crate::console::model::variables::{VariableConfirm, Variables};
use crate::console::symbols::NONE;
use crate::console::theme::Tone;
use crate::console::words;

const COLUMNS: [Column; 3] = [text("VARIABLE", 16, 0), left("VALUE", 0), text("USED BY", 16, 0)];

pub(crate) fn draw(model: &Model, page: &Variables, area: Rect, sheet: &mut Sheet<'_>) {
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let Some(server) = model.fleet.server(&page.server) else { return };
    sheet.put(inner, 0, named::place(server, sheet.pen));
    let about = match server.forbids(None) {
        Some(reason) => sheet.pen.line(Tone::Warning, reason),
        None => {
            sheet.pen.line(Tone::Muted, "Values are given and never shown; a service takes them at its next start.")
        }
    };
    sheet.put(inner, 1, about);
    if let (Some(_), Some(why)) = (&page.known, &page.problem) {
        let told = format!("These may be others by now. They could not be read anew: {}", why.message);
        sheet.put(inner, 2, sheet.pen.line(Tone::Stale, told));
    }
    let below = Rect { y: area.y + 3.min(area.height), height: area.height.saturating_sub(3), ..area };
    let body = Rect { x: below.x + 1, width: below.width.saturating_sub(2), ..below };
    let all = match (&page.known, &page.problem) {
        (Some(all), _) => all,
        (None, Some(why)) => return sheet.put_all(body, problem::lines(why, usize::from(body.width), sheet.pen)),
        (None, None) if server.is_live() => return sheet.put(body, 0, sheet.pen.line(Tone::Muted, "loading …")),
        (None, None) => return sheet.put_all(body, unknown(server, sheet.pen)),
    };
    if all.is_empty() {
        return sheet.put(body, 0, sheet.pen.line(Tone::Muted, "No variable has a value, and no service wants one."));
    }
    let rows = all.iter().map(|view| row(view, sheet.pen)).collect();
    sheet.seen.body =
        Rows { columns: &COLUMNS, rows, chosen: Some(Selected::of(page.cursor, model)) }.draw(below, sheet);
}

fn unknown(server: &ServerEntry, pen: &Pen<'_>) -> Vec<Line<'static>> {
    vec![pen.line(Tone::Stale, format!("{} does not answer: its variables are not known.", server.name))]
}

fn row(view: &VariableView, pen: &Pen<'_>) -> Cells {
    let names: Vec<_> = view.used_by.iter().map(ToString::to_string).collect();
    let (value, tone) = match (view.is_set, names.is_empty()) {
        (true, _) => ("set", Tone::Healthy),
        (false, false) => ("missing", Tone::Failing),
        (false, true) => (NONE, Tone::Muted),
    };
    let used_by = if names.is_empty() { NONE.to_owned() } else { names.join(", ") };
    vec![pen.line(Tone::Strong, view.name.clone()), pen.line(tone, value), pen.line(Tone::Text, used_by)]
}

/// The question before a change: what exactly it means, and for whom.
pub(crate) fn draw_confirm(model: &Model, confirm: &VariableConfirm, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let width = area.width.saturating_sub(4).min(76);
    let room = usize::from(width.saturating_sub(6));
    let is_taken_away = confirm.value.is_none();
    let mut lines = silence_of(model, &confirm.server, room, pen);
    lines.extend(model.fleet.server(&confirm.server).map(|server| named::place(server, pen)));
    lines.push(Line::default());
    lines.extend(effect(&words::variable_effect(confirm), room, pen));
    let height = u16::try_from(lines.len() + 4).unwrap_or(u16::MAX);
    let tone = if is_taken_away { Tone::DialogDanger } else { Tone::Dialog };
    let room = sheet.dialog(centred(area, width, height), &words::variable_question(confirm), tone);
    let (text, answer) = split(room);
    sheet.put_all(text, lines);
    match confirm.stage {
        Stage::Asked => sheet.put(answer, 0, pen.line(Tone::Pending, format!("telling {} …", confirm.server))),
        Stage::Deciding(choice) => {
            let deed = if is_taken_away { "Unset" } else { "Set" };
            buttons::draw(deed, choice, is_taken_away, answer, sheet);
        }
    }
}
