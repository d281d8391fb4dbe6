//! A diagnostic with its line, and what is meant marked below it.

use std::fmt::Write;

use mypaas::manifest::{Diagnostic, Severity, is_invisible};
use unicode_width::UnicodeWidthChar;

use crate::cli::output::foreign;
use crate::cli::output::paint::Paint;

/// So much of a long line is shown, in columns.
const SHOWN: usize = 100;

/// At least so much of the line stays visible before the mark.
const BEFORE: usize = 20;

/// One diagnostic of the file of that name, as several lines.
pub(crate) fn text(file: &str, diagnostic: &Diagnostic, paint: Paint) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => paint.bad("error"),
        Severity::Warning => paint.warning("warning"),
    };
    let mut text = format!("{severity}: {}\n", paint.strong(&foreign::line(&diagnostic.message, false)));
    if diagnostic.line == 0 {
        let _ = writeln!(text, "  {}", paint.muted(file));
    } else {
        let place = format!("{file}:{}:{}", diagnostic.line, diagnostic.column);
        let _ = writeln!(text, "  {}", paint.muted(&place));
        text.push_str(&marked(diagnostic, paint));
    }
    if let Some(hint) = &diagnostic.hint {
        let _ = writeln!(text, "  {} {}", paint.good("hint:"), foreign::line(hint, false));
    }
    text
}

fn marked(diagnostic: &Diagnostic, paint: Paint) -> String {
    let whole: Vec<char> = diagnostic.source.chars().map(visible).collect();
    let at = (diagnostic.column.saturating_sub(1) as usize).min(whole.len());
    let first = if at > SHOWN - BEFORE { at - BEFORE } else { 0 };
    let shown = &whole[first..first + fitting(&whole[first..], SHOWN)];
    let (before, rest) = shown.split_at((at - first).min(shown.len()));
    let meant = &rest[..rest.len().min(diagnostic.length as usize)];

    let left = if first > 0 { "…" } else { "" };
    let right = if first + shown.len() < whole.len() { "…" } else { "" };
    let line: String = shown.iter().collect();
    let indent = " ".repeat(width(before) + left.chars().count());
    let carets = paint.bad(&"^".repeat(width(meant).max(1)));
    let (number, bar) = (diagnostic.line.to_string(), paint.muted("|"));
    let gutter = " ".repeat(number.len());
    format!("  {number} {bar} {left}{line}{right}\n  {gutter} {bar} {indent}{carets}\n")
}

/// How many of the characters fit.
fn fitting(characters: &[char], columns: usize) -> usize {
    let mut used = 0;
    characters
        .iter()
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= columns
        })
        .count()
}

fn width(characters: &[char]) -> usize {
    characters.iter().map(|character| character.width().unwrap_or(0)).sum()
}

/// A tab would shift the mark, and a control character would do worse.
fn visible(character: char) -> char {
    match character {
        '\t' => ' ',
        other if other.is_control() || is_invisible(other) => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Paint = Paint { colour: false };

    fn diagnostic(source: &str, column: u32, length: u32) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            line: 7,
            column,
            source: source.to_owned(),
            length,
            message: "mypaas.helthcheck is no option".to_owned(),
            hint: Some("did you mean mypaas.healthcheck?".to_owned()),
        }
    }

    /// The part of the source line that stands above the carets.
    fn above_the_mark(text: &str) -> String {
        let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
        let mark = lines.iter().position(|line| line.contains(&'^')).unwrap();
        let start = lines[mark].iter().position(|c| *c == '^').unwrap();
        lines[mark - 1][start..lines[mark].len().min(lines[mark - 1].len())].iter().collect()
    }

    #[test]
    fn the_mark_stands_below_what_is_meant() {
        insta::assert_snapshot!(text("Dockerfile", &diagnostic("# mypaas.helthcheck=/ 10s 5s", 3, 17), PLAIN), @r"
        error: mypaas.helthcheck is no option
          Dockerfile:7:3
          7 | # mypaas.helthcheck=/ 10s 5s
            |   ^^^^^^^^^^^^^^^^^
          hint: did you mean mypaas.healthcheck?
        ");
    }

    #[test]
    fn tabs_control_characters_and_wide_characters_do_not_shift_it() {
        assert_eq!(above_the_mark(&text("D", &diagnostic("#\tmypaas.x=1", 3, 8), PLAIN)), "mypaas.x");
        assert_eq!(above_the_mark(&text("D", &diagnostic("#\u{1b}[2Jmypaas.x=1", 6, 8), PLAIN)), "mypaas.x");
        let wide = text("D", &diagnostic("# 語 mypaas.x=1", 5, 8), PLAIN);
        assert!(wide.contains("|      ^^^^^^^^\n"), "{wide}");
    }

    #[test]
    fn of_a_long_line_the_part_around_the_mark_is_shown() {
        let source = format!("{}mypaas.x={}", "a".repeat(300), "b".repeat(300));
        let shown = text("D", &diagnostic(&source, 301, 8), PLAIN);
        assert_eq!(above_the_mark(&shown), "mypaas.x");
        assert!(shown.lines().all(|line| line.chars().count() < 120), "{shown}");
    }

    #[test]
    fn a_diagnostic_about_the_whole_file_has_no_line() {
        let whole = Diagnostic { line: 0, column: 0, length: 0, ..diagnostic("", 0, 0) };
        assert!(!text("Dockerfile", &whole, PLAIN).contains('|'));
    }

    proptest::proptest! {
        #[test]
        fn no_position_makes_it_panic(source in ".{0,200}", column in 0u32..400, length in 0u32..400) {
            text("D", &diagnostic(&source, column, length), PLAIN);
        }
    }
}
