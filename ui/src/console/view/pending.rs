//! What may follow the keys pressed so far, above the footer.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::sheet::Sheet;
use crate::console::model::{Model, Target};
use crate::console::symbols::ELLIPSIS;
use crate::console::theme::Tone;

/// Between two columns.
const GAP: u16 = 3;

/// The keys that wait, in the footer's place.
pub(crate) fn draw_title(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let pressed: String = model.pending.iter().map(ToString::to_string).collect();
    let line = vec![sheet.pen.span(Tone::Key, pressed), sheet.pen.span(Tone::Muted, format!(" {ELLIPSIS}"))];
    sheet.put(area, 0, Line::from(line));
}

/// The bindings that go on from there, in as many columns as there is room for.
pub(crate) fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let follow: Vec<_> = model.keymap.continuations(model.context(), &model.pending).collect();
    let entries: Vec<_> =
        follow.iter().map(|(rest, binding)| entry(&rest.to_string(), &binding.about, sheet.pen)).collect();
    let widest = entries.iter().map(Line::width).max().unwrap_or(1);
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let width = u16::try_from(widest).unwrap_or(u16::MAX).clamp(1, inner.width.max(1));
    let columns = ((inner.width + GAP) / (width + GAP)).max(1);
    let rows = u16::try_from(entries.len()).unwrap_or(u16::MAX).div_ceil(columns).min(area.height.saturating_sub(1));
    let panel = Rect { y: area.bottom() - rows - 1, height: rows + 1, ..area };
    sheet.clear(panel);
    sheet.paint(panel, Tone::Bar);
    sheet.rule_across(panel, 0);
    for (index, (line, (_, binding))) in (0u16..).zip(entries.into_iter().zip(follow)) {
        let (column, row) = (index / rows.max(1), index % rows.max(1));
        let x = inner.x + column * (width + GAP);
        let place = Rect { x, y: panel.y + 1 + row, width: width.min(inner.right().saturating_sub(x)), height: 1 };
        if column < columns && rows > 0 {
            sheet.spot(place, Target::Command(binding.command));
            sheet.put(place, 0, line);
        }
    }
}

fn entry(rest: &str, about: &str, pen: &Pen<'_>) -> Line<'static> {
    Line::from(vec![pen.span(Tone::Key, rest.to_owned()), Span::raw("  "), pen.span(Tone::Text, about.to_owned())])
}
