//! Columns of text: as wide as they need to be, two spaces apart, headed in capitals.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::foreign;
use super::paint::{Paint, Style};

/// A column is not cut to less than this.
const NARROWEST: usize = 8;

/// One cell: its text, and what it means.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(style: Style, text: impl AsRef<str>) -> Self {
        Self { text: foreign::line(text.as_ref(), false), style }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(Style::Plain, text)
    }
}

/// Rows under headings.
#[derive(Debug)]
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as text. Where it would be wider than `width`, its last column is cut, then the one before it.
    pub(crate) fn render(&self, paint: Paint, width: Option<usize>) -> String {
        let widths = self.widths(width);
        let headings: Vec<Cell> = self.headings.iter().map(|heading| Cell::new(Style::Muted, *heading)).collect();
        let mut text = String::new();
        for row in std::iter::once(&headings).chain(&self.rows) {
            text.push_str(&line(row, &widths, paint));
            text.push('\n');
        }
        text
    }

    fn widths(&self, available: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.headings.iter().map(|heading| heading.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width());
            }
        }
        let gaps = 2 * widths.len().saturating_sub(1);
        let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(available.unwrap_or(usize::MAX));
        for width in widths.iter_mut().rev() {
            let cut = excess.min(width.saturating_sub(NARROWEST));
            *width -= cut;
            excess -= cut;
        }
        widths
    }
}

fn line(cells: &[Cell], widths: &[usize], paint: Paint) -> String {
    let mut text = String::new();
    let mut gap = 0;
    for (cell, width) in cells.iter().zip(widths) {
        let shown = cut(&cell.text, *width);
        text.push_str(&" ".repeat(gap));
        text.push_str(&paint.apply(cell.style, &shown));
        gap = width - shown.width() + 2;
    }
    text.trim_end().to_owned()
}

/// The text, or its beginning and an ellipsis, at most so many columns wide.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut left = width.saturating_sub(1);
    for character in text.chars() {
        let needed = character.width().unwrap_or(0);
        if needed > left {
            break;
        }
        left -= needed;
        shown.push(character);
    }
    if width > 0 {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Paint = Paint { colour: false };

    fn table() -> Table {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(["hello".into(), Cell::new(Style::Good, "running")]);
        table.row(["語語".into(), "".into()]);
        table
    }

    #[test]
    fn columns_line_up_by_width_on_the_screen() {
        assert_eq!(table().render(PLAIN, None), "NAME   STATE\nhello  running\n語語\n");
    }

    #[test]
    fn colour_does_not_move_a_column() {
        let mut table = Table::new(&["STATE", "NAME"]);
        table.row([Cell::new(Style::Good, "up"), "hello".into()]);
        let coloured = table.render(Paint { colour: true }, None);
        assert!(coloured.contains("\u{1b}[32mup\u{1b}[0m     hello"), "{coloured:?}");
    }

    #[test]
    fn a_table_too_wide_loses_from_its_last_columns() {
        let mut table = Table::new(&["NAME", "URL"]);
        table.row(["hello-world".into(), "https://a-long-name.example.com".into()]);
        assert_eq!(table.render(PLAIN, Some(25)), "NAME         URL\nhello-world  https://a-l…\n");
        assert_eq!(table.render(PLAIN, Some(1)), "NAME      URL\nhello-w…  https:/…\n");
    }

    #[test]
    fn a_cut_never_exceeds_its_width() {
        assert_eq!(cut("語語語", 4), "語…");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abc", 1), "…");
        assert_eq!(cut("abc", 0), "");
    }
}
