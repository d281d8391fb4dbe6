//! The keys of a context, made from the keymap.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::sheet::{Sheet, centred};
use super::text::wrap;
use crate::console::keymap::{Binding, Context};
use crate::console::model::Model;
use crate::console::theme::Tone;

const KEYS_WIDTH: usize = 16;

pub(crate) fn draw(model: &Model, of: Context, scroll: usize, area: Rect, sheet: &mut Sheet<'_>) {
    let width = area.width.saturating_sub(4).min(if area.width >= 150 { 140 } else { 76 });
    let columns = if width >= 140 { 2 } else { 1 };
    let room = usize::from(width.saturating_sub(6)) / columns;
    let lines = sections(model, of, room, sheet.pen);
    let lines = if columns == 2 { beside(lines, room) } else { lines };
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(area.height);
    let room = sheet.dialog(centred(area, width, height), "Keys", Tone::Dialog);
    sheet.scroll(room, lines, scroll);
}

/// The sections of the context, those with one title together.
fn sections(model: &Model, of: Context, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut title = "";
    for binding in model.keymap.of(of) {
        if binding.section.title() != title {
            title = binding.section.title();
            if !lines.is_empty() {
                lines.push(Line::default());
            }
            lines.push(pen.line(Tone::Heading, title.to_uppercase()));
        }
        lines.extend(entry(binding, room, pen));
    }
    lines
}

fn entry(binding: &Binding, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let keys = binding.keys.iter().map(ToString::to_string).collect::<Vec<_>>().join("  ");
    let about = wrap(&binding.about, room.saturating_sub(KEYS_WIDTH + 1).max(10));
    let line = |(index, text): (usize, String)| {
        let keys = if index == 0 { super::text::cut(&keys, KEYS_WIDTH) } else { String::new() };
        let pad = KEYS_WIDTH + 1 - super::text::width(&keys);
        Line::from(vec![pen.span(Tone::Key, keys), Span::raw(" ".repeat(pad)), pen.span(Tone::Text, text)])
    };
    about.into_iter().enumerate().map(line).collect()
}

/// The second half of the lines to the right of the first.
fn beside(mut lines: Vec<Line<'static>>, room: usize) -> Vec<Line<'static>> {
    let half = lines.len().div_ceil(2);
    // A section stays in one piece: the columns part where one ends.
    let split = (half..lines.len()).find(|index| lines[*index].width() == 0).map_or(half, |index| index + 1);
    let right = lines.split_off(split.min(lines.len()));
    let mut right = right.into_iter();
    let rows = lines.len().max(right.len());
    lines.resize(rows, Line::default());
    for line in &mut lines {
        let pad = (room + 2).saturating_sub(line.width());
        line.spans.push(Span::raw(" ".repeat(pad)));
        line.spans.extend(right.next().unwrap_or_default().spans);
    }
    lines
}
