//! Lines that keep coming, each one row high or more: the newest at the bottom, or from a chosen line on.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::sheet::Sheet;
use crate::console::model::Window;

/// Draws the entries from `top` on, or the last ones that fit. `rows` makes one entry's rows.
pub(crate) fn draw(
    area: Rect,
    count: usize,
    top: Option<usize>,
    rows: impl Fn(usize) -> Vec<Line<'static>>,
    sheet: &mut Sheet<'_>,
) {
    let height = usize::from(area.height);
    let last_top = last_top(count, height, &rows);
    let top = top.unwrap_or(last_top).min(last_top);
    let page = fitting(top..count, height, &rows);
    let page_before = fitting((0..top).rev(), height, &rows);
    sheet.seen.body = Window { top, page, page_before, last_top };
    let text = Rect { width: area.width.saturating_sub(2), ..area };
    let shown: Vec<_> = (top..count).flat_map(&rows).take(height).collect();
    sheet.put_all(text, shown);
    sheet.scroll_mark(area, top, (last_top + height).min(count.max(last_top + 1)));
}

/// The first entry from which all others still fit.
fn last_top(count: usize, height: usize, rows: &impl Fn(usize) -> Vec<Line<'static>>) -> usize {
    count.saturating_sub(fitting((0..count).rev(), height, rows))
}

/// How many of these entries fit one after the other. One that is higher than the whole area is shown from its start.
fn fitting(entries: impl Iterator<Item = usize>, height: usize, rows: &impl Fn(usize) -> Vec<Line<'static>>) -> usize {
    let mut used = 0;
    let fits = |entry: &usize| {
        used += rows(*entry).len();
        used <= height
    };
    entries.take_while(fits).count().max(1)
}
