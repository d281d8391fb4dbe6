//! What is wrong in a Dockerfile, and where. Only data: how it looks on a screen is the screen's business.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::text::Line;

/// One thing that is wrong, or worth knowing, in a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub severity: Severity,
    /// Counted from one; 0 when it is about the file as a whole (an option that is missing, no Dockerfile).
    pub line: u32,
    /// In characters, counted from one; 0 as for `line`.
    pub column: u32,
    /// The line as it stands in the file, without its line end. Empty as for `line`. It may hold control characters.
    pub source: String,
    /// How many characters from `column` on are meant.
    pub length: u32,
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is deployed.
    Error,
    Warning,
}

/// A source line in three parts, the middle one being what is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excerpt<'d> {
    pub before: &'d str,
    pub marked: &'d str,
    pub after: &'d str,
}

impl Diagnostic {
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// None when it is about the file as a whole.
    pub fn excerpt(&self) -> Option<Excerpt<'_>> {
        let start = byte_of(&self.source, self.column.checked_sub(1)?);
        let (before, rest) = self.source.split_at(start);
        let (marked, after) = rest.split_at(byte_of(rest, self.length));
        Some(Excerpt { before, marked, after })
    }

    /// An error in any text with lines, at the part that is meant (in bytes); what lies beyond its line is not marked.
    pub fn in_text(text: &str, span: Range<usize>, message: String, hint: Option<String>) -> Self {
        let span = if text.is_char_boundary(span.start) { span } else { 0..0 };
        let before = &text[..span.start];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let source = text[line_start..].lines().next().unwrap_or_default();
        let column = text[line_start..span.start].chars().count();
        let marked = text.get(span).unwrap_or_default().lines().next().unwrap_or_default().chars().count();
        Self {
            severity: Severity::Error,
            line: count(before.matches('\n').count() + 1),
            column: count(column + 1),
            source: source.to_owned(),
            length: count(marked.max(1)),
            message,
            hint,
        }
    }

    pub(super) fn of_file(severity: Severity, problem: Problem) -> Self {
        let Problem { message, hint } = problem;
        Self { severity, line: 0, column: 0, source: String::new(), length: 0, message, hint }
    }

    /// `part` is in bytes of the line; where it is empty, the whole line is meant.
    pub(super) fn of_line(severity: Severity, line: Line<'_>, part: Range<usize>, problem: Problem) -> Self {
        let part = if part.is_empty() { whole(line.text) } else { part };
        let Problem { message, hint } = problem;
        Self {
            severity,
            line: line.number,
            column: characters(&line.text[..part.start]) + 1,
            source: line.text.to_owned(),
            length: characters(&line.text[part]),
            message,
            hint,
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What a diagnostic says, before it is known where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    message: String,
    hint: Option<String>,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The hint unless there is one already.
    pub(super) fn or_hint(self, hint: impl FnOnce() -> String) -> Self {
        Self { hint: self.hint.or_else(|| Some(hint())), ..self }
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

/// The operator's text within a message: quoted, shortened, and without anything that could disturb a terminal.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = text.chars().take(LONGEST).flat_map(visible).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    if shown.contains('`') { format!("\"{shown}\"") } else { format!("`{shown}`") }
}

fn visible(character: char) -> impl Iterator<Item = char> {
    let escaped = (character.is_control() || is_invisible(character)).then(|| character.escape_unicode());
    let plain = escaped.is_none().then_some(character);
    escaped.into_iter().flatten().chain(plain)
}

/// Characters that take no room or turn the direction of writing, so that a text does not show what it is.
pub const fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The line without the blanks around it.
fn whole(line: &str) -> Range<usize> {
    let start = line.len() - line.trim_start().len();
    start..start.max(line.trim_end().len())
}

fn characters(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// Where the character of that number (from zero) starts; the end where there are not so many.
fn byte_of(text: &str, character: u32) -> usize {
    text.char_indices().nth(character as usize).map_or(text.len(), |(byte, _)| byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_the_excerpt_cuts_there() {
        let line = Line { number: 7, text: "# é = 漢字!" };
        let start = line.text.find('漢').unwrap();
        let part = start..start + "漢字".len();
        let diagnostic = Diagnostic::of_line(Severity::Error, line, part, Problem::new("no"));
        assert_eq!((diagnostic.line, diagnostic.column, diagnostic.length), (7, 7, 2));
        assert_eq!(diagnostic.excerpt(), Some(Excerpt { before: "# é = ", marked: "漢字", after: "!" }));
    }

    #[test]
    fn nothing_in_particular_is_the_whole_line() {
        let line = Line { number: 1, text: "  # x " };
        let diagnostic = Diagnostic::of_line(Severity::Warning, line, 3..3, Problem::new("no"));
        assert_eq!(diagnostic.excerpt().unwrap().marked, "# x");
    }

    #[test]
    fn the_file_as_a_whole_has_no_excerpt() {
        assert_eq!(Diagnostic::of_file(Severity::Error, Problem::new("no")).excerpt(), None);
    }

    #[test]
    fn an_excerpt_of_a_diagnostic_from_elsewhere_does_not_panic() {
        let line = Line { number: 1, text: "é" };
        let mut diagnostic = Diagnostic::of_line(Severity::Error, line, 0..0, Problem::new("no"));
        (diagnostic.column, diagnostic.length) = (90, 90);
        assert_eq!(diagnostic.excerpt(), Some(Excerpt { before: "é", marked: "", after: "" }));
    }

    #[test]
    fn quoted_text_is_short_and_harmless() {
        assert_eq!(quoted("a\u{1b}[2J\u{202e}b"), "`a\\u{1b}[2J\\u{202e}b`");
        assert_eq!(quoted("`"), "\"`\"");
        assert_eq!(quoted(&"x".repeat(61)), format!("`{}…`", "x".repeat(60)));
    }
}
