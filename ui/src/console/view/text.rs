//! Lines of styled text: cut to a width, wrapped, joined.

use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::console::symbols::ELLIPSIS;

pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most so many cells; `…` where something is missing.
pub(crate) fn cut(text: &str, cells: usize) -> String {
    if text.width() <= cells {
        return text.to_owned();
    }
    let mut out = take_cells(text, cells.saturating_sub(1)).to_owned();
    if cells > 0 {
        out.push_str(ELLIPSIS);
    }
    out
}

/// As much of the text's start as fits.
pub(crate) fn take_cells(text: &str, cells: usize) -> &str {
    let mut used = 0;
    for (index, character) in text.char_indices() {
        used += character.width().unwrap_or(0);
        if used > cells {
            return &text[..index];
        }
    }
    text
}

/// The text in at most so many cells, its end kept: `…/src/hello`.
pub(crate) fn cut_start(text: &str, cells: usize) -> String {
    if text.width() <= cells {
        return text.to_owned();
    }
    let mut used = 1;
    let mut start = text.len();
    for (index, character) in text.char_indices().rev() {
        used += character.width().unwrap_or(0);
        if used > cells {
            break;
        }
        start = index;
    }
    if cells == 0 { String::new() } else { format!("{ELLIPSIS}{}", &text[start..]) }
}

/// The text in at most so many cells, both its ends kept: `customer…service-eu`.
pub(crate) fn cut_within(text: &str, cells: usize) -> String {
    if text.width() <= cells {
        return text.to_owned();
    }
    let head = take_cells(text, cells.saturating_sub(1) / 2);
    format!("{head}{}", cut_start(&text[head.len()..], cells - head.width()))
}

/// The line with its last span cut in the middle, so far as that makes it fit.
pub(crate) fn cut_last_within(mut line: Line<'static>, cells: usize) -> Line<'static> {
    let whole = line.width();
    if let Some(last) = line.spans.last_mut().filter(|_| whole > cells) {
        let before = whole - last.content.width();
        last.content = cut_within(&last.content, cells.saturating_sub(before)).into();
    }
    line
}

/// The line in at most so many cells; `…` where something is missing.
pub(crate) fn cut_line(line: Line<'_>, cells: usize) -> Line<'_> {
    if line.width() <= cells {
        return line;
    }
    let mut left = cells;
    let mut spans = Vec::with_capacity(line.spans.len());
    for span in line.spans {
        let wide = span.content.width();
        if wide < left {
            left -= wide;
            spans.push(span);
            continue;
        }
        // Something follows that does not fit, or this span itself does not.
        let shortened = format!("{}{ELLIPSIS}", take_cells(&span.content, left.saturating_sub(1)));
        if left > 0 {
            spans.push(Span::styled(shortened, span.style));
        }
        break;
    }
    Line::from(spans)
}

/// Broken between words into lines of at most so many cells; a longer word is broken too.
pub(crate) fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let gap = usize::from(!line.is_empty());
        if line.width() + gap + word.width() <= cells {
            line.extend(std::iter::repeat_n(' ', gap));
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        let mut rest = word;
        while rest.width() > cells {
            let head = take_cells(rest, cells);
            // A character wider than the whole line stands alone.
            let head = if head.is_empty() { &rest[..rest.chars().next().map_or(0, char::len_utf8)] } else { head };
            lines.push(head.to_owned());
            rest = &rest[head.len()..];
        }
        line.push_str(rest);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// A line broken at the cell, not between words, so that nothing moves: for logs and build output.
pub(crate) fn fold_line(line: Line<'static>, cells: usize, indent: usize) -> Vec<Line<'static>> {
    let cells = cells.max(indent + 1);
    let mut lines = Vec::new();
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut left = cells;
    for span in line.spans {
        let mut rest = span.content.as_ref();
        while rest.width() > left {
            let head = take_cells(rest, left);
            if head.is_empty() && left == cells - indent {
                break;
            }
            spans.push(Span::styled(head.to_owned(), span.style));
            rest = &rest[head.len()..];
            lines.push(Line::from(std::mem::take(&mut spans)));
            spans.push(Span::raw(" ".repeat(indent)));
            left = cells - indent;
        }
        left = left.saturating_sub(rest.width());
        spans.push(Span::styled(rest.to_owned(), span.style));
    }
    lines.push(Line::from(spans));
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("hello", 5), "hello");
        assert_eq!(cut("hello", 4), "hel…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("hello", 0), "");
        assert_eq!(cut_start("/home/ada/src/hello", 10), "…src/hello");
        assert_eq!(cut_within("hello", 5), "hello");
        assert_eq!(cut_within("preferences-eu", 8), "pre…s-eu");
        assert_eq!(cut_within("hello", 1), "…");
        assert_eq!(cut_within("hello", 0), "");
    }

    #[test]
    fn a_styled_line_is_cut_at_the_cell() {
        let line = Line::from(vec![Span::raw("abc"), Span::raw("def")]);
        assert_eq!(cut_line(line.clone(), 6).to_string(), "abcdef");
        assert_eq!(cut_line(line.clone(), 4).to_string(), "abc…");
        assert_eq!(cut_line(line.clone(), 3).to_string(), "ab…");
        assert_eq!(cut_line(line, 0).to_string(), "");
    }

    #[test]
    fn text_wraps_between_words() {
        assert_eq!(wrap("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 3), [""]);
    }

    #[test]
    fn folded_lines_lose_nothing() {
        let line = Line::from(vec![Span::raw("abcd"), Span::raw("efgh")]);
        let folded: Vec<_> = fold_line(line, 5, 1).iter().map(Line::to_string).collect();
        assert_eq!(folded, ["abcde", " fgh"]);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_it_may(text in "[a-z日é ]{0,60}", cells in 2usize..20) {
            prop_assert!(cut(&text, cells).width() <= cells);
            prop_assert!(cut_start(&text, cells).width() <= cells);
            prop_assert!(cut_within(&text, cells).width() <= cells);
            prop_assert!(wrap(&text, cells).iter().all(|line| line.width() <= cells));
            let line = Line::from(vec![Span::raw(text.clone()), Span::raw(text)]);
            prop_assert!(cut_line(line.clone(), cells).width() <= cells);
            let folded = fold_line(line, cells + 2, 1);
            prop_assert!(folded.iter().all(|line| line.width() <= cells + 2));
        }
    }
}
