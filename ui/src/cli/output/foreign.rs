//! Text that others wrote (build output, logs, a pushed Dockerfile), made safe for a terminal: it may colour itself
//! where colours are wanted, but never move the cursor, set a title, ring the bell or pass for what it is not.

use std::iter::Peekable;
use std::str::Chars;

use mypaas::manifest::is_invisible;

const ESCAPE: char = '\u{1b}';

/// Ends all colours.
const PLAIN: &str = "\u{1b}[0m";

/// One line for a terminal. Of a line that redraws itself with carriage returns, what it ends with.
pub(crate) fn line(text: &str, colour: bool) -> String {
    let shown = text.trim_end_matches(['\r', '\n']);
    let shown = shown.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default();
    lines(shown, colour).replace('\n', " ")
}

/// Lines below each other; all but the first are indented, so that none passes for a line of ours.
pub(crate) fn indented(text: &str, indent: &str) -> String {
    let lines: Vec<String> = text.lines().map(|shown| line(shown, false)).collect();
    lines.join(&format!("\n{indent}"))
}

/// Any number of lines. A colour that the text leaves on ends with it.
pub(crate) fn lines(text: &str, colour: bool) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut coloured = false;
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            ESCAPE => {
                let sequence = escape(&mut rest);
                if colour && let Some(sequence) = sequence {
                    safe.push_str(&sequence);
                    coloured = sequence != PLAIN;
                }
            }
            '\t' | '\n' => safe.push(character),
            other if other.is_control() || is_invisible(other) => {}
            other => safe.push(other),
        }
    }
    if coloured {
        safe.push_str(PLAIN);
    }
    safe
}

/// Takes an escape sequence off the text; gives it back when it only sets colours.
fn escape(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    match rest.next() {
        Some('[') => control_sequence(rest),
        Some(']' | 'P' | '_' | '^' | 'X') => {
            skip_string(rest);
            None
        }
        _ => None,
    }
}

fn control_sequence(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut parameters = String::new();
    while let Some(character) = rest.next_if(|c| ('\u{20}'..='\u{3f}').contains(c)) {
        parameters.push(character);
    }
    let end = rest.next_if(|c| ('\u{40}'..='\u{7e}').contains(c))?;
    let colours = end == 'm' && parameters.chars().all(|c| c.is_ascii_digit() || c == ';' || c == ':');
    colours.then(|| format!("{ESCAPE}[{parameters}m"))
}

/// A title, a hyperlink or the like: up to the bell or `ESC \`. One that never ends hides no line but its own.
fn skip_string(rest: &mut Peekable<Chars<'_>>) {
    while let Some(character) = rest.next_if(|c| *c != '\n') {
        if character == '\u{7}' || character == ESCAPE && rest.next_if_eq(&'\\').is_some() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_stay_only_where_they_are_wanted() {
        let red = "\u{1b}[31mred\u{1b}[0m and plain";
        assert_eq!(line(red, false), "red and plain");
        assert_eq!(line(red, true), red);
        assert_eq!(line("\u{1b}[31mred for ever", true), "\u{1b}[31mred for ever\u{1b}[0m");
    }

    #[test]
    fn everything_else_that_drives_a_terminal_is_dropped() {
        for (text, expected) in [
            ("a\u{1b}[2Jb", "ab"),
            ("a\u{1b}]0;owned\u{7}b", "ab"),
            ("a\u{1b}]8;;http://x\u{1b}\\link", "alink"),
            ("a\u{1b}P1$r\u{1b}\\b", "ab"),
            ("a\u{7}\u{8}b\u{9b}1mc", "ab1mc"),
            ("a\u{1b}[?25lb", "ab"),
            ("cut\u{1b}[3", "cut"),
            ("cut\u{1b}", "cut"),
            ("\u{202e}txt.exe\u{2066}\u{200b}", "txt.exe"),
            ("tab\tstays, ümläut 語 too", "tab\tstays, ümläut 語 too"),
        ] {
            assert_eq!(line(text, true), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_that_redraws_itself_shows_its_end() {
        assert_eq!(line("10%\r50%\r100%\r\n", false), "100%");
        assert_eq!(line("\r", false), "");
    }

    #[test]
    fn lines_stay_lines_where_several_are_meant() {
        assert_eq!(lines("a\r\n\tb\u{1b}[2J\n", false), "a\n\tb\n");
        assert_eq!(lines("a\u{1b}]0;title\nb", false), "a\nb");
        assert_eq!(indented("a\nb\r\nc\n", "  "), "a\n  b\n  c");
        assert_eq!(line("a\nb\n", false), "a b");
    }

    proptest::proptest! {
        #[test]
        fn no_control_character_passes(text in "[\\x00-\\x7f\u{80}-\u{ff}]{0,80}") {
            proptest::prop_assert!(line(&text, false).chars().all(|c| c == '\t' || !c.is_control()));
        }
    }
}
