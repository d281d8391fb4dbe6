//! What stands where a list would be, where there is nothing in it, or the filter shows nothing of it.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::pen::Pen;
use super::sheet::Sheet;
use super::text::wrap;
use crate::console::command::Command;
use crate::console::model::Model;
use crate::console::theme::Tone;

/// `nothing` is what does not match, as in `No service`. A filter that was mistyped says nothing about what there is.
pub(crate) fn draw(model: &Model, nothing: &str, filter: &str, area: Rect, sheet: &mut Sheet<'_>) {
    let text = match model.filter_mistake() {
        Some(mistake) => format!("{filter:?} was not understood: {mistake}; esc shows all again."),
        None => format!("{nothing} matches {filter:?}; esc shows all again."),
    };
    let lines = wrap(&text, usize::from(area.width)).into_iter().map(|line| sheet.pen.line(Tone::Muted, line));
    sheet.put_all(area, lines.collect());
}

/// The line of a server without services.
pub(super) fn yet(model: &Model, pen: &Pen<'_>) -> Line<'static> {
    let key = model.keymap.key_of(Command::Push).map(ToString::to_string).unwrap_or_default();
    Line::from(vec![
        pen.span(Tone::Muted, "    no services yet: press "),
        pen.span(Tone::Key, key),
        pen.span(Tone::Muted, " to push a folder"),
    ])
}

/// Where no server has told of any, or where the filter hides all.
pub(super) fn draw_services(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let below = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    if !model.list.filter.is_empty() {
        return draw(model, "No service", model.list.filter.line.text(), below, sheet);
    }
    let is_alone = model.fleet.servers.is_empty();
    let text = if is_alone { "No server is known." } else { "No server has told of a service yet." };
    sheet.put(below, 0, pen.line(Tone::Muted, text));
}
