//! Columns that fit: as wide as their content, narrower where they can be, and left out by rank where there is no room.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::apart::apart;
use super::pen::Pen;
use super::sheet::Sheet;
use super::text::{cut_last_within, cut_line};
use crate::console::model::Target;
use crate::console::model::order::Direction;
use crate::console::symbols::{ASCENDING, DESCENDING};
use crate::console::theme::Tone;

/// Between two columns.
const GAP: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    pub title: &'static str,
    pub side: Side,
    pub cut: Cut,
    /// How narrow it may become; none: never narrower than its content.
    pub least: Option<usize>,
    /// Which go first where there is no room: the highest rank. 0 never goes.
    pub rank: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Where something is missing when there is no room for all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    End,
    Middle,
}

/// Short content at the left, always whole.
pub(crate) const fn left(title: &'static str, rank: u8) -> Column {
    Column { title, side: Side::Left, cut: Cut::End, least: None, rank }
}

/// Short content at the right (figures), always whole.
pub(crate) const fn right(title: &'static str, rank: u8) -> Column {
    Column { title, side: Side::Right, cut: Cut::End, least: None, rank }
}

/// Text at the left that may be cut down to so many cells.
pub(crate) const fn text(title: &'static str, least: usize, rank: u8) -> Column {
    Column { title, side: Side::Left, cut: Cut::End, least: Some(least), rank }
}

/// A name, of which the end tells as much as the beginning: `customer…service-eu` and `customer…service-us`.
pub(crate) const fn name(title: &'static str, least: usize, rank: u8) -> Column {
    Column { cut: Cut::Middle, ..text(title, least, rank) }
}

/// One row's cells, as many as there are columns.
pub(crate) type Cells = Vec<Line<'static>>;

/// The widths of the columns; none for those that are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fit<'c> {
    columns: &'c [Column],
    widths: Vec<Option<usize>>,
    /// How names are shown that look alike when they are cut as usual.
    names: BTreeMap<String, String>,
}

impl<'c> Fit<'c> {
    /// For contents of these widths.
    pub(crate) fn of(columns: &'c [Column], contents: &[usize], room: usize) -> Self {
        let wanted = columns.iter().zip(contents).map(|(column, content)| column.title.len().max(*content));
        let mut fit = Self { columns, widths: wanted.map(Some).collect(), names: BTreeMap::new() };
        while fit.total() > room && (fit.shrink(room) || fit.leave_out()) {}
        fit
    }

    /// For these rows.
    pub(crate) fn rows(columns: &'c [Column], rows: &[Cells], room: usize) -> Self {
        let mut fit = Self::of(columns, &widths(columns, rows), room);
        fit.tell_apart_in(rows);
        fit
    }

    /// Names in these rows that would look alike are cut otherwise.
    pub(crate) fn tell_apart_in(&mut self, rows: &[Cells]) {
        for index in (0..self.columns.len()).filter(|index| self.columns[*index].cut == Cut::Middle) {
            let names = || rows.iter().filter_map(|cells| Some((cells.get(index)?, cells.get(index)?.spans.last()?)));
            let before = names().map(|(cell, name)| cell.width() - name.width()).max().unwrap_or(0);
            self.tell_apart(index, before, names().map(|(_, name)| name.content.as_ref()));
        }
    }

    /// The same for names in a column, with so much before each.
    pub(crate) fn tell_apart<'a>(&mut self, index: usize, before: usize, names: impl Iterator<Item = &'a str>) {
        if let Some(width) = self.widths[index] {
            self.names.extend(apart(names, width.saturating_sub(before)));
        }
    }

    fn total(&self) -> usize {
        let shown: Vec<usize> = self.widths.iter().flatten().copied().collect();
        shown.iter().sum::<usize>() + GAP * shown.len().saturating_sub(1)
    }

    /// Takes what is missing from the columns that have something to give, the least important first, of equally
    /// important ones the widest. Says whether they have enough.
    fn shrink(&mut self, room: usize) -> bool {
        let missing = self.total() - room;
        let spare = |index: usize| {
            self.widths[index].zip(self.columns[index].least).map_or(0, |(width, least)| width.saturating_sub(least))
        };
        let spares: Vec<usize> = (0..self.columns.len()).map(spare).collect();
        if spares.iter().sum::<usize>() < missing {
            return false;
        }
        let giving = (0..spares.len()).filter(|index| spares[*index] > 0);
        let Some(rank) = giving.clone().map(|index| self.columns[index].rank).max() else { return false };
        let mut alike: Vec<usize> = giving.filter(|index| self.columns[*index].rank == rank).collect();
        alike.sort_by_key(|index| Reverse(self.widths[*index]));
        let width = |place: usize| alike.get(place).and_then(|index| self.widths[*index]).unwrap_or(0);
        let (widest, ahead) = (alike[0], (width(0) - width(1)).max(1));
        self.widths[widest] = Some(width(0) - spares[widest].min(missing).min(ahead));
        true
    }

    fn told_apart(&self, mut cell: Line<'static>) -> Line<'static> {
        if let Some(name) = cell.spans.last_mut()
            && let Some(shown) = self.names.get(name.content.as_ref())
        {
            name.content = shown.clone().into();
        }
        cell
    }

    fn leave_out(&mut self) -> bool {
        let shown = (0..self.columns.len()).filter(|index| self.widths[*index].is_some());
        let last = shown.filter(|index| self.columns[*index].rank > 0).max_by_key(|index| self.columns[*index].rank);
        if let Some(index) = last {
            self.widths[index] = None;
        }
        last.is_some()
    }

    /// The titles above the rows.
    pub(crate) fn heading(&self, pen: &Pen<'_>) -> Line<'static> {
        let titles = self.columns.iter().map(|column| pen.line(Tone::Heading, column.title));
        self.row(titles.collect())
    }

    /// The titles, of which each may be clicked; behind the one that the rows are sorted by, which end comes first.
    pub(crate) fn draw_heading(
        &self,
        sorted: Option<(usize, Direction)>,
        target: impl Fn(usize) -> Option<Target>,
        area: Rect,
        sheet: &mut Sheet<'_>,
    ) {
        let title = |(index, column): (usize, &Column)| match sorted {
            Some((by, direction)) if by == index => {
                let sign = if direction == Direction::Ascending { ASCENDING } else { DESCENDING };
                sheet.pen.line(Tone::Focused, format!("{}{sign}", column.title))
            }
            _ => sheet.pen.line(Tone::Heading, column.title),
        };
        let titles = self.row(self.columns.iter().enumerate().map(title).collect());
        sheet.put(area, 0, titles);
        for (index, place, width) in self.places() {
            let cells = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
            let title = Rect { x: area.x.saturating_add(cells(place)), width: cells(width), height: 1, ..area };
            if let Some(target) = target(index) {
                sheet.spot(title, target);
            }
        }
    }

    /// Where the columns are: which one, its first cell, its width. Those that are left out are nowhere.
    fn places(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let shown = self.widths.iter().enumerate().filter_map(|(index, width)| Some((index, (*width)?)));
        shown.scan(0, |next, (index, width)| {
            let place = *next;
            *next += width + GAP;
            Some((index, place, width))
        })
    }

    /// One row.
    pub(crate) fn row(&self, cells: Cells) -> Line<'static> {
        let mut spans: Vec<Span<'static>> = Vec::new();
        let shown = self
            .columns
            .iter()
            .zip(&self.widths)
            .zip(cells)
            .filter_map(|((column, width), cell)| width.map(|width| (column, width, cell)));
        for (index, (column, width, cell)) in shown.enumerate() {
            let cell = match column.cut {
                Cut::End => cut_line(cell, width),
                Cut::Middle => cut_line(cut_last_within(self.told_apart(cell), width), width),
            };
            let pad = " ".repeat(width - cell.width());
            if index > 0 {
                spans.push(Span::raw(" ".repeat(GAP)));
            }
            match column.side {
                Side::Left => {
                    spans.extend(cell.spans);
                    spans.push(Span::raw(pad));
                }
                Side::Right => {
                    spans.push(Span::raw(pad));
                    spans.extend(cell.spans);
                }
            }
        }
        Line::from(spans)
    }
}

/// What the contents of each column need.
pub(crate) fn widths(columns: &[Column], rows: &[Cells]) -> Vec<usize> {
    let widest = |index: usize| rows.iter().filter_map(|cells| cells.get(index)).map(Line::width).max();
    (0..columns.len()).map(|index| widest(index).unwrap_or(0)).collect()
}

/// The first line that is shown: as before where that still shows the selected one.
pub(crate) fn top(before: usize, place: usize, count: usize, page: usize) -> usize {
    let least = (place + 1).saturating_sub(page);
    before.clamp(least, place.max(least)).min(count.saturating_sub(page))
}

/// What rows are sorted by is of interest, and its title has a sign behind it.
pub(crate) fn make_room_for_sign(column: &mut Column, width: &mut usize) {
    column.rank = column.rank.min(1);
    *width = (*width).max(column.title.len() + 1);
}

/// Heading and rows, one below the other.
pub(crate) fn lines(columns: &[Column], rows: Vec<Cells>, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let fit = Fit::rows(columns, &rows, room);
    let mut lines = vec![fit.heading(pen)];
    lines.extend(rows.into_iter().map(|cells| fit.row(cells)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [text("NAME", 6, 0), right("CPU", 2), text("URL", 8, 1)];

    fn shown(room: usize) -> String {
        let cells = || vec![Line::raw("a-long-name"), Line::raw("4%"), Line::raw("https://example.com")];
        let rows = vec![cells()];
        Fit::rows(&COLUMNS, &rows, room).row(cells()).to_string()
    }

    #[test]
    fn columns_are_as_wide_as_their_content_where_there_is_room() {
        assert_eq!(shown(60), "a-long-name   4%  https://example.com");
    }

    #[test]
    fn the_least_important_gives_way_first_and_then_goes() {
        assert_eq!(shown(30), "a-long-name   4%  https://exa…");
        assert_eq!(shown(24), "a-long-n…   4%  https:/…");
        assert_eq!(shown(18), "a-long-…  https:/…");
        assert_eq!(shown(10), "a-long-na…");
    }

    #[test]
    fn of_equally_important_columns_the_widest_gives_first() {
        let columns = [text("ASKED FOR", 4, 0), text("WHAT RUNS", 4, 0)];
        let cells = || vec![Line::raw("a long text that says everything"), Line::raw("two words")];
        let shown = |room: usize| Fit::rows(&columns, &[cells()], room).row(cells()).to_string();
        assert_eq!(shown(30), "a long text that s…  two words");
        assert_eq!(shown(16), "a long…  two wo…");
    }

    #[test]
    fn two_names_that_differ_at_their_ends_still_do_when_they_are_cut() {
        let columns = [name("SERVICE", 12, 0)];
        let shown = |name: &'static str| {
            let cells = || vec![Line::from(vec![Span::raw("● "), Span::raw(name)])];
            Fit::rows(&columns, &[cells()], 16).row(cells()).to_string()
        };
        assert_eq!(shown("customer-preferences-eu"), "● custom…nces-eu");
        assert_eq!(shown("customer-preferences-us"), "● custom…nces-us");
    }
}
