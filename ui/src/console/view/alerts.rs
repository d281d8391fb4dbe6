//! All alerts of all servers, the gravest first.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::history::{Rows, Selected, Sorted};
use super::pen::Pen;
use super::problem::labelled;
use super::sheet::Sheet;
use super::table::{Cells, Column, left, name, right, text};
use super::text::wrap;
use super::{named, nothing, strip};
use crate::console::command::Command;
use crate::console::model::Model;
use crate::console::model::chosen::Chosen;
use crate::console::model::concern::{Concern, ConcernId, Kind, concern_ids};
use crate::console::model::order::Order;
use crate::console::symbols::{DEGRADED, DOWN, NONE};
use crate::console::theme::Tone;

const COLUMNS: [Column; 5] = [
    left("ALERT", 0),
    right("SINCE", 2),
    text("SERVER", 6, 1),
    name("SERVICE", 8, 0),
    text("WHAT IS THE MATTER", 20, 0),
];

/// What sorts by each of them.
const SORTS: [Command; 5] =
    [Command::SortState, Command::SortAge, Command::SortServer, Command::SortName, Command::SortMessage];

pub(crate) fn draw(model: &Model, chosen: &Chosen<ConcernId>, area: Rect, sheet: &mut Sheet<'_>) {
    let concerns = model.shown_concerns();
    if concerns.is_empty() {
        return draw_none(model, area, sheet);
    }
    let place = chosen.place(&concern_ids(&concerns));
    let height = strip::height(area);
    let table = Rect { height: area.height - height, ..area };
    let rows = concerns.iter().map(|concern| row(model, concern, sheet.pen)).collect();
    let order = model.alerts.order;
    let by = SORTS.iter().position(|command| command.alert_column() == Some(order.by));
    let sorted =
        Sorted { commands: &SORTS, by: by.filter(|_| order != Order::default()).map(|by| (by, order.direction())) };
    let chosen = Some(Selected::of(place, model));
    sheet.seen.body = Rows { columns: &COLUMNS, rows, chosen }.draw_sorted(&sorted, table, sheet);
    draw_selected(&concerns[place], Rect { y: table.bottom(), height, ..area }, sheet);
}

/// Nothing is the matter, as far as anybody can tell, or nothing of it is to be shown.
fn draw_none(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    if !model.fleet.concerns().is_empty() {
        let below = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
        return nothing::draw(model, "No alert", model.alerts.filter.line.text(), below, sheet);
    }
    let unknown = model.fleet.servers.iter().filter(|server| !server.is_live()).count();
    let line = match unknown {
        0 => sheet.pen.line(Tone::Healthy, "Nothing is the matter with any server or service."),
        _ => sheet.pen.line(Tone::Muted, "No alert so far; some servers have not answered yet."),
    };
    sheet.put(inner, 1, line);
}

fn row(model: &Model, concern: &Concern, pen: &Pen<'_>) -> Cells {
    let server = model.fleet.server(&concern.server);
    let server = match server {
        Some(entry) => named::server_line(entry, Tone::Text, pen),
        None => Line::default(),
    };
    let service = concern.service.as_ref().map_or_else(|| NONE.to_owned(), |at| at.service.to_string());
    let text = if concern.is_outdated { Tone::Outdated } else { Tone::Text };
    vec![
        pen.line(tone(concern), format!("{} {}", sign(concern.kind), concern.kind.word())),
        pen.line(Tone::Muted, pen.age(concern.since)),
        server,
        pen.line(text, service),
        pen.line(text, concern.message.clone()),
    ]
}

fn sign(kind: Kind) -> &'static str {
    if kind.is_grave() { DOWN } else { DEGRADED }
}

fn tone(concern: &Concern) -> Tone {
    match concern.kind {
        _ if concern.is_outdated => Tone::Outdated,
        Kind::Silent => Tone::Stale,
        kind if kind.is_grave() => Tone::Failing,
        Kind::Told(_) => Tone::Degraded,
    }
}

/// All of the selected one.
fn draw_selected(concern: &Concern, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let room = usize::from(area.width.saturating_sub(2));
    let mut lines: Vec<_> = wrap(&concern.message, room).into_iter().map(|line| pen.line(Tone::Strong, line)).collect();
    if let Some(hint) = &concern.hint {
        lines.extend(labelled("hint ", Tone::Hint, hint, Tone::Text, room, pen));
    }
    let mut since = format!("since {}", pen.date(concern.since));
    if concern.is_outdated {
        since.push_str(&format!("; {} does not answer any more, so it may be over", concern.server));
    }
    lines.push(pen.line(Tone::Muted, since));
    strip::draw(lines, area, sheet);
}
