//! What stands where a list would be, of which the filter shows nothing.

use ratatui::layout::Rect;

use super::sheet::Sheet;
use super::text::wrap;
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
