//! The command palette.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::sheet::{Sheet, centred};
use super::text::cut;
use crate::console::model::palette::{Hit, Palette};
use crate::console::model::{Target, Window};
use crate::console::symbols::CHOSEN;
use crate::console::theme::Tone;

pub(crate) fn draw(palette: &Palette, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let width = area.width.saturating_sub(4).min(84);
    let height = area.height.saturating_sub(2).min(24);
    let room = sheet.dialog(centred(area, width, height), "Commands", Tone::Dialog);
    sheet.put(room, 0, pen.line(Tone::Key, ": "));
    sheet.typed(Rect { x: room.x + 2, width: room.width.saturating_sub(2), ..room }, 0, &palette.line);
    let list = Rect { y: room.y + 2.min(room.height), height: room.height.saturating_sub(2), ..room };
    if palette.hits.is_empty() {
        return sheet.put(list, 0, pen.line(Tone::Muted, "nothing is called like this"));
    }
    let page = usize::from(list.height);
    let top = (palette.cursor + 1).saturating_sub(page);
    sheet.seen.body = Window::of_rows(top, page, palette.hits.len());
    for (index, hit) in palette.hits.iter().enumerate().skip(top).take(page) {
        let row = u16::try_from(index - top).unwrap_or(u16::MAX);
        let line = Rect { y: list.y + row, height: 1, ..list };
        let text = Rect { x: line.x + 1, width: line.width.saturating_sub(3), ..line };
        let key = pen.line(Tone::Key, hit.entry.key.clone());
        let left = Rect { width: text.width.saturating_sub(12), ..text };
        sheet.spot(line, Target::Line(index));
        sheet.put(left, 0, of_hit(hit, usize::from(left.width), pen));
        sheet.put_right(text, 0, key);
        if index == palette.cursor {
            sheet.put(line, 0, pen.line(Tone::Accent, CHOSEN));
            sheet.paint(line, Tone::Selected);
        }
    }
    sheet.scroll_mark(list, top, palette.hits.len());
}

/// The text with the characters that match marked.
fn of_hit(hit: &Hit, room: usize, pen: &Pen<'_>) -> Line<'static> {
    let text = cut(&hit.entry.text, room);
    let is_hit = |index: usize| hit.characters.iter().any(|place| *place as usize == index);
    let span = |(index, character): (usize, char)| -> Span<'static> {
        pen.span(if is_hit(index) { Tone::Accent } else { Tone::Text }, character.to_string())
    };
    Line::from(text.chars().enumerate().map(span).collect::<Vec<_>>())
}
