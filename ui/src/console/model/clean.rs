//! Text from outside, made safe to show: a log line may hold anything, also commands to the terminal.

use mypaas::manifest::is_invisible;

/// A line longer than this is cut, so that a screen of lines stays small.
const LONGEST: usize = 4000;

const TAB: usize = 4;

/// Without escape sequences and control characters; tabs become spaces; very long lines end with `…`.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LONGEST));
    let mut length = 0;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if length >= LONGEST {
            out.push('…');
            break;
        }
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\t' => {
                let width = TAB - length % TAB;
                out.extend(std::iter::repeat_n(' ', width));
                length += width;
            }
            hidden if hidden.is_control() || is_invisible(hidden) => {}
            shown => {
                out.push(shown);
                length += 1;
            }
        }
    }
    out
}

/// After ESC: `[ … letter` (CSI), `] … BEL` or `] … ESC \` (OSC and its like), or one more character.
fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => {
            characters.find(|character| ('\u{40}'..='\u{7e}').contains(character));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(character) = characters.next() {
                if character == '\u{7}' || character == '\u{1b}' && characters.next_if_eq(&'\\').is_some() {
                    break;
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_leave_no_trace() {
        assert_eq!(clean("\u{1b}[1;31merror\u{1b}[0m: \u{1b}]0;title\u{7}no\u{1b}]8;;x\u{1b}\\pe"), "error: nope");
        assert_eq!(clean("a\u{1b}(Bb\r\u{8}c\u{202e}d"), "aBbcd");
        assert_eq!(clean("\u{1b}[31"), "");
    }

    #[test]
    fn tabs_line_up_and_long_lines_are_cut() {
        assert_eq!(clean("a\tb\t\tc"), "a   b       c");
        let cut = clean(&"x".repeat(2 * LONGEST));
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (LONGEST + 1, true));
    }

    proptest! {
        #[test]
        fn nothing_that_commands_the_terminal_gets_through(text in "[\\x00-\\x7f\u{80}-\u{9f}äß日]{0,80}") {
            prop_assert!(!clean(&text).chars().any(char::is_control));
        }
    }
}
