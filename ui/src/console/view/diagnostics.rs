//! What is wrong, or worth knowing, in a Dockerfile: the line with the place marked, the message, the hint.

use mypaas::manifest::{Diagnostic, Severity};
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::problem::labelled;
use super::text::{cut, width};
use crate::console::symbols::VERTICAL;
use crate::console::theme::Tone;

pub(crate) fn lines(diagnostics: &[Diagnostic], room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let blocks = diagnostics.iter().map(|diagnostic| block(diagnostic, room, pen));
    let mut lines = Vec::new();
    for block in blocks {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(block);
    }
    lines
}

fn block(diagnostic: &Diagnostic, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let (word, tone) = match diagnostic.severity {
        Severity::Error => ("error ", Tone::Error),
        Severity::Warning => ("warning ", Tone::Warning),
    };
    let mut lines = labelled(word, tone, &diagnostic.message, Tone::Strong, room, pen);
    if diagnostic.line > 0 {
        lines.extend(excerpt(diagnostic, tone, room, pen));
    }
    if let Some(hint) = &diagnostic.hint {
        lines.extend(labelled("     hint ", Tone::Hint, hint, Tone::Text, room, pen));
    }
    lines
}

/// The line as it stands in the file, and the marked characters below it.
fn excerpt(diagnostic: &Diagnostic, tone: Tone, room: usize, pen: &Pen<'_>) -> [Line<'static>; 2] {
    let gutter = |number: String| pen.span(Tone::Muted, format!("{number:>4} {VERTICAL} "));
    let source = crate::console::model::clean::clean(&diagnostic.source);
    let before: String = source.chars().take(diagnostic.column.saturating_sub(1) as usize).collect();
    let marked: String = source.chars().skip(before.chars().count()).take(diagnostic.length.max(1) as usize).collect();
    let room = room.saturating_sub(7);
    let mark = "^".repeat(width(&marked).max(1).min(room.saturating_sub(width(&before)).max(1)));
    let text = pen.span(Tone::Text, cut(&source, room));
    let under = Line::from(vec![
        gutter(String::new()),
        Span::raw(" ".repeat(width(&before).min(room.saturating_sub(1)))),
        pen.span(tone, mark),
    ]);
    [Line::from(vec![gutter(diagnostic.line.to_string()), text]), under]
}
