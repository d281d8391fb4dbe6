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
    sheet.seen.body = Window { top, page: height, last_top };
    let text = Rect { width: area.width.saturating_sub(2), ..area };
    let shown: Vec<_> = (top..count).flat_map(&rows).take(height).collect();
    sheet.put_all(text, shown);
    sheet.scroll_mark(area, top, (last_top + height).min(count.max(last_top + 1)));
}

/// The first entry from which all others still fit.
fn last_top(count: usize, height: usize, rows: &impl Fn(usize) -> Vec<Line<'static>>) -> usize {
    let mut used = 0;
    let mut first = count;
    while first > 0 {
        used += rows(first - 1).len();
        if used > height {
            break;
        }
        first -= 1;
    }
    // An entry higher than the whole area is shown from its start.
    if first == count { count.saturating_sub(1) } else { first }
}
