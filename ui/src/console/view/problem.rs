//! Why something did not work: message, causes, what to do, and what is wrong in the Dockerfile.

use mypaas::api::{Failure, Problem};
use ratatui::text::{Line, Span};

use super::diagnostics;
use super::pen::Pen;
use super::text::wrap;
use crate::console::theme::Tone;

pub(crate) fn lines(problem: &Problem, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let mut lines = told(&problem.message, &problem.causes, problem.hint.as_deref(), room, pen);
    if !problem.diagnostics.is_empty() {
        lines.push(Line::default());
        lines.extend(diagnostics::lines(&problem.diagnostics, room, pen));
    }
    lines
}

/// The words of a failure, without what its container left behind.
pub(crate) fn of_failure(failure: &Failure, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    told(&failure.message, &failure.causes, failure.hint.as_deref(), room, pen)
}

fn told(message: &str, causes: &[String], hint: Option<&str>, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let mut lines: Vec<_> = wrap(message, room).into_iter().map(|line| pen.line(Tone::Error, line)).collect();
    for cause in causes {
        lines.extend(labelled("because ", Tone::Muted, cause, Tone::Text, room, pen));
    }
    if let Some(hint) = hint {
        lines.extend(labelled("hint ", Tone::Hint, hint, Tone::Text, room, pen));
    }
    lines
}

/// A word, and text that is wrapped beside it.
pub(crate) fn labelled(
    label: &str,
    label_tone: Tone,
    text: &str,
    tone: Tone,
    room: usize,
    pen: &Pen<'_>,
) -> Vec<Line<'static>> {
    let indent = super::text::width(label);
    let wrapped = wrap(text, room.saturating_sub(indent).max(8));
    let first = |index: usize| {
        if index == 0 { pen.span(label_tone, label) } else { Span::raw(" ".repeat(indent)) }
    };
    let line = |(index, text): (usize, String)| Line::from(vec![first(index), pen.span(tone, text)]);
    wrapped.into_iter().enumerate().map(line).collect()
}
