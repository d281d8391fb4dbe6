//! The signs that stand beside words, each one cell wide, and what stands for them where only ASCII may be shown.

use ratatui::buffer::Buffer;

pub(crate) const RUNNING: &str = "●";
pub(crate) const DEGRADED: &str = "◐";
pub(crate) const DOWN: &str = "✗";
pub(crate) const STOPPED: &str = "○";
pub(crate) const NEVER: &str = "◌";
pub(crate) const ACTIVE: &str = "◆";
pub(crate) const DONE: &str = "✓";
pub(crate) const FAILED: &str = "✗";
pub(crate) const WAITING: &str = "○";
pub(crate) const UNFOLDED: &str = "▾";
pub(crate) const FOLDED: &str = "▸";
pub(crate) const MARKED: &str = "■";
pub(crate) const ASCENDING: &str = "↑";
pub(crate) const DESCENDING: &str = "↓";
pub(crate) const CHOSEN: &str = "▌";
pub(crate) const ARROW: &str = "→";
pub(crate) const INTO: &str = "›";
pub(crate) const DOT: &str = "·";
pub(crate) const ELLIPSIS: &str = "…";
pub(crate) const NONE: &str = "–";
pub(crate) const VERTICAL: &str = "│";
pub(crate) const HORIZONTAL: &str = "─";
pub(crate) const SCROLL: &str = "┃";
pub(crate) const BAR_FULL: &str = "█";
pub(crate) const BAR_EMPTY: &str = "░";
pub(crate) const LOCKED: &str = "▣";
pub(crate) const ALERT: &str = "!";
/// Columns of growing height.
pub(crate) const BLOCKS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// What stands for a sign in ASCII.
const IN_ASCII: [(&str, char); 41] = [
    (RUNNING, '*'),
    (DEGRADED, '%'),
    (DOWN, 'x'),
    (STOPPED, 'o'),
    (NEVER, '.'),
    (ACTIVE, '@'),
    (DONE, '+'),
    (UNFOLDED, 'v'),
    (FOLDED, '>'),
    (MARKED, '#'),
    (ASCENDING, '^'),
    (DESCENDING, 'v'),
    (CHOSEN, '>'),
    (ARROW, '>'),
    (INTO, '>'),
    (DOT, '-'),
    (ELLIPSIS, '~'),
    (NONE, '-'),
    (VERTICAL, '|'),
    (HORIZONTAL, '-'),
    (SCROLL, '#'),
    (BAR_FULL, '#'),
    (BAR_EMPTY, '.'),
    (LOCKED, '#'),
    ("▁", '_'),
    ("▂", ','),
    ("▃", ','),
    ("▄", ':'),
    ("▅", ':'),
    ("▆", '|'),
    ("▇", '|'),
    ("╭", '+'),
    ("╮", '+'),
    ("╰", '+'),
    ("╯", '+'),
    ("┬", '+'),
    ("┴", '+'),
    ("├", '+'),
    ("┤", '+'),
    ("’", '\''),
    ("×", 'x'),
];

/// Makes every cell ASCII, whatever was drawn.
pub(crate) fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell.symbol().is_ascii() {
            continue;
        }
        let known = IN_ASCII.iter().find(|(sign, _)| *sign == cell.symbol());
        cell.set_char(known.map_or('?', |(_, ascii)| *ascii));
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn every_sign_is_one_cell_wide_and_has_an_ascii_form() {
        for (sign, ascii) in IN_ASCII {
            assert_eq!(sign.width(), 1, "{sign}");
            assert!(ascii.is_ascii_graphic(), "{sign}");
        }
    }

    #[test]
    fn nothing_but_ascii_is_left() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        buffer.set_string(0, 0, "● läuft 日本…", Style::new());
        to_ascii(&mut buffer);
        let text: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(text, "* l?uft ? ? ");
    }
}
