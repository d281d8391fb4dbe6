//! The logs: newest at the bottom, or from a chosen line on; matches marked.

use mypaas::api::{LogLine, LogStream};
use mypaas::name::ContainerName;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::sheet::Sheet;
use super::stream;
use super::text::fold_line;
use crate::console::model::Model;
use crate::console::model::logs::Logs;
use crate::console::model::tape::{Flow, Place};
use crate::console::symbols::{DOT, VERTICAL};
use crate::console::theme::Tone;

pub(crate) fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let Some(logs) = &model.logs else { return };
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let pen = sheet.pen;
    sheet.put(inner, 0, state(logs, pen));
    let body = Rect { y: inner.y + 1.min(inner.height), height: inner.height.saturating_sub(1), ..inner };
    if logs.shown_count() == 0 {
        let text = if logs.tape.len() > 0 { "no line matches" } else { "nothing was written yet" };
        return sheet.put(body, 0, pen.line(Tone::Muted, text));
    }
    let top = match logs.place {
        Place::End => None,
        Place::At(number) => Some(logs.index_of(number)),
    };
    let room = usize::from(body.width.saturating_sub(2));
    let sources = sources(logs);
    let rows = |index: usize| {
        let number = logs.shown(index);
        let Some(line) = number.and_then(|number| logs.tape.get(number)) else { return Vec::new() };
        let mut prefix = prefix(logs, line, &sources, pen);
        let indent = prefix.width();
        prefix.spans.extend(marked(logs, line, pen));
        if number == logs.current && number.is_some() {
            prefix = prefix.patch_style(pen.style(Tone::SelectedElsewhere));
        }
        if logs.wrap { fold_line(prefix, room, indent.min(room / 2)) } else { vec![prefix] }
    };
    stream::draw(body, logs.shown_count(), top, rows, sheet);
}

/// What is read, how, and how much of it there is.
fn state(logs: &Logs, pen: &Pen<'_>) -> Line<'static> {
    let of = logs.container.as_ref().map_or_else(|| "all containers".to_owned(), ToString::to_string);
    let mut spans = vec![pen.span(Tone::Strong, of)];
    let mut say = |tone: Tone, text: String| spans.push(pen.span(tone, format!(" {DOT} {text}")));
    match (&logs.flow, logs.place) {
        (Flow::Broken { problem }, _) => say(Tone::Stale, format!("broken: {}", problem.message)),
        (Flow::Waiting, _) => say(Tone::Pending, "waiting".into()),
        (Flow::Ended, _) => say(Tone::Muted, "ended".into()),
        (Flow::Flowing, Place::End) => say(Tone::Healthy, "following".into()),
        (Flow::Flowing, Place::At(_)) => say(Tone::Degraded, "staying".into()),
    }
    say(Tone::Muted, format!("{} lines", logs.tape.len()));
    if logs.tape.dropped() > 0 {
        say(Tone::Degraded, format!("{} earlier ones not kept", logs.tape.dropped()));
    }
    if !logs.pattern.is_empty() {
        let how = if logs.only_matches { "only" } else { "marked" };
        say(Tone::Accent, format!("{how} /{}/: {}", logs.pattern.line.text(), logs.match_count()));
    }
    if logs.wrap {
        say(Tone::Muted, "wrapped".into());
    }
    Line::from(spans)
}

/// The containers whose lines are merged; none where there is one only.
fn sources(logs: &Logs) -> Vec<ContainerName> {
    let mut names: Vec<ContainerName> = logs.sources().cloned().collect();
    names.sort();
    if logs.container.is_some() || names.len() < 2 { Vec::new() } else { names }
}

/// When and from where, as far as that is wanted.
fn prefix(logs: &Logs, line: &LogLine, sources: &[ContainerName], pen: &Pen<'_>) -> Line<'static> {
    let mut spans = Vec::new();
    if logs.times {
        spans.push(pen.span(Tone::Muted, format!("{} ", pen.clock(line.at))));
    }
    if let Some(index) = sources.iter().position(|name| *name == line.container) {
        let tone = Tone::SOURCES[index % Tone::SOURCES.len()];
        let widest = sources.iter().map(|name| short(name).len()).max().unwrap_or(0);
        spans.push(pen.span(tone, format!("{:<widest$} {VERTICAL} ", short(&line.container))));
    }
    Line::from(spans)
}

/// Release and number, as in `r14.1`: the service is known.
fn short(name: &ContainerName) -> &str {
    let text = name.as_str();
    let mut dots = text.rmatch_indices('.').map(|(index, _)| index);
    dots.nth(1).map_or(text, |index| &text[index + 1..])
}

/// The text with what is searched for.
fn marked(logs: &Logs, line: &LogLine, pen: &Pen<'_>) -> Vec<Span<'static>> {
    let text = line.text.as_str();
    let tone = match line.stream {
        LogStream::Stdout => Tone::Text,
        LogStream::Stderr => Tone::Warning,
    };
    let mut spans = Vec::new();
    let mut done = 0;
    for (start, end) in logs.pattern.ranges(text) {
        spans.push(pen.span(tone, &text[done..start]));
        spans.push(pen.span(Tone::Match, &text[start..end]));
        done = end;
    }
    spans.push(pen.span(tone, &text[done..]));
    spans
}
