//! What is drawn on: lines at places, never beyond their area.

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use super::pen::Pen;
use super::text::cut_line;
use crate::console::model::line::Line as Typed;
use crate::console::model::{Seen, Spot, Target, Window};
use crate::console::symbols::{HORIZONTAL, SCROLL, VERTICAL};
use crate::console::theme::Tone;

#[derive(Debug)]
pub(crate) struct Sheet<'a> {
    buffer: &'a mut Buffer,
    pub pen: &'a Pen<'a>,
    pub seen: Seen,
    pub cursor: Option<Position>,
}

impl<'a> Sheet<'a> {
    pub(crate) fn new(buffer: &'a mut Buffer, pen: &'a Pen<'a>) -> Self {
        Self { buffer, pen, seen: Seen::default(), cursor: None }
    }

    /// One line at a row of the area, cut where it does not fit.
    pub(crate) fn put(&mut self, area: Rect, row: u16, line: Line<'_>) {
        if row < area.height {
            let line = cut_line(line, usize::from(area.width));
            self.buffer.set_line(area.x, area.y + row, &line, area.width);
        }
    }

    /// One line that ends at the right edge of the area.
    pub(crate) fn put_right(&mut self, area: Rect, row: u16, line: Line<'_>) {
        let line = cut_line(line, usize::from(area.width));
        let indent = area.width.saturating_sub(u16::try_from(line.width()).unwrap_or(area.width));
        let rest = Rect { x: area.x + indent, width: area.width - indent, ..area };
        self.put(rest, row, line);
    }

    /// Lines from the top of the area on; those that do not fit are left out.
    pub(crate) fn put_all(&mut self, area: Rect, lines: Vec<Line<'_>>) {
        for (row, line) in (0..area.height).zip(lines) {
            self.put(area, row, line);
        }
    }

    /// Lines of which some are shown, from `scroll` on; where there are more, a mark at the edge says where one is.
    pub(crate) fn scroll(&mut self, area: Rect, lines: Vec<Line<'_>>, scroll: usize) {
        let (count, page) = (lines.len(), usize::from(area.height));
        let last_top = count.saturating_sub(page);
        let top = scroll.min(last_top);
        self.seen.body = Window::of_rows(top, page, count);
        let text = if last_top > 0 { Rect { width: area.width.saturating_sub(2), ..area } } else { area };
        self.put_all(text, lines.into_iter().skip(top).collect());
        self.scroll_mark(area, top, count);
    }

    /// Where one is in something longer than the area, at its right edge.
    pub(crate) fn scroll_mark(&mut self, area: Rect, top: usize, count: usize) {
        let page = usize::from(area.height);
        if count <= page || area.width < 2 || page == 0 {
            return;
        }
        let length = (page * page / count).clamp(1, page);
        let start = (top * (page - length)).div_ceil(count - page).min(page - length);
        let style = self.pen.style(Tone::Muted);
        for row in start..start + length {
            let row = u16::try_from(row).unwrap_or(u16::MAX);
            self.buffer.set_string(area.right() - 1, area.y + row, SCROLL, style);
        }
    }

    /// This part answers to the mouse.
    pub(crate) fn spot(&mut self, area: Rect, target: Target) {
        let area = area.intersection(self.buffer.area);
        if !area.is_empty() {
            self.seen.spots.push(Spot { area, target });
        }
    }

    pub(crate) fn paint(&mut self, area: Rect, tone: Tone) {
        self.buffer.set_style(area.intersection(self.buffer.area), self.pen.style(tone));
    }

    pub(crate) fn clear(&mut self, area: Rect) {
        Clear.render(area.intersection(self.buffer.area), self.buffer);
    }

    pub(crate) fn rule_down(&mut self, x: u16, area: Rect) {
        let style = self.pen.style(Tone::Rule);
        for y in area.top()..area.bottom() {
            self.buffer.set_string(x, y, VERTICAL, style);
        }
    }

    pub(crate) fn rule_across(&mut self, area: Rect, row: u16) {
        let line = HORIZONTAL.repeat(usize::from(area.width));
        self.put(area, row, self.pen.line(Tone::Rule, line));
    }

    /// A box with a title over whatever is there; hands back the room in it.
    pub(crate) fn dialog(&mut self, area: Rect, title: &str, tone: Tone) -> Rect {
        self.clear(area);
        let style = self.pen.style(tone);
        let room = usize::from(area.width.saturating_sub(6));
        let title = Line::styled(format!(" {} ", super::text::cut(title, room)), style);
        let block = Block::bordered().border_type(BorderType::Rounded).border_style(style).title_top(title);
        block.render(area, self.buffer);
        area.inner(Margin::new(2, 1))
    }

    /// A line that is being typed, with the cursor; the end stays visible.
    pub(crate) fn typed(&mut self, area: Rect, row: u16, typed: &Typed) {
        if row >= area.height || area.width == 0 {
            return;
        }
        let room = usize::from(area.width).saturating_sub(1);
        let before = super::text::cut_start(typed.before_cursor(), room);
        let place = u16::try_from(super::text::width(&before)).unwrap_or(0);
        self.put(area, row, self.pen.line(Tone::Text, format!("{before}{}", typed.after_cursor())));
        self.cursor = Some(Position::new(area.x + place, area.y + row));
    }
}

/// A box of at most this size in the middle of an area, a little above it where there is room.
pub(crate) fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let width = width.min(area.width);
    let height = height.min(area.height);
    let left = (area.width - width) / 2;
    let above = (area.height - height) * 2 / 5;
    Rect::new(area.x + left, area.y + above, width, height)
}
