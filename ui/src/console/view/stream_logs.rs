//! The logs: newest at the bottom, or from a chosen line on; matches marked.

use jiff::Timestamp;
use mypaas::api::{LogStream, LogsOf};
use mypaas::name::ContainerName;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::sheet::Sheet;
use super::text::fold_line;
use super::{format, stream};
use crate::console::command::Command;
use crate::console::model::Model;
use crate::console::model::logs::{Entry, Logs, Times};
use crate::console::model::tape::{Flow, Place};
use crate::console::symbols::{DOT, ELLIPSIS, HORIZONTAL, VERTICAL};
use crate::console::theme::Tone;
use crate::console::words::counted;

pub(crate) fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let Some(logs) = &model.logs else { return };
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let pen = sheet.pen;
    sheet.put(inner, 0, state(model, logs, pen));
    let body = Rect { y: inner.y + 1.min(inner.height), height: inner.height.saturating_sub(1), ..inner };
    if logs.shown_count() == 0 {
        return sheet.put(body, 0, nothing(model, logs, pen));
    }
    let top = match logs.place {
        Place::End => None,
        Place::At(number) => Some(logs.index_of(number)),
    };
    let room = usize::from(body.width.saturating_sub(2));
    let since_key = model.keymap.key_of(Command::Since).map(ToString::to_string).unwrap_or_default();
    let drawn = Lines { logs, sources: merged(logs), since_key, room, pen };
    stream::draw(body, logs.shown_count(), top, |index| drawn.rows(index), sheet);
}

/// How the lines are drawn.
struct Lines<'a> {
    logs: &'a Logs,
    /// The containers whose lines are merged; none where there is one only.
    sources: Vec<&'a ContainerName>,
    /// What reads from an earlier moment on.
    since_key: String,
    room: usize,
    pen: &'a Pen<'a>,
}

impl Lines<'_> {
    /// The rows of the line at a place among those that are shown.
    fn rows(&self, index: usize) -> Vec<Line<'static>> {
        let (logs, pen) = (self.logs, self.pen);
        let number = logs.shown(index);
        let mut rows = Vec::new();
        if index == 0 && logs.begins_late() {
            let told = format!("{ELLIPSIS} older lines are left out: {} reads since a moment", self.since_key);
            rows.push(pen.line(Tone::Stale, told));
        }
        if logs.is_apart(index) {
            rows.push(pen.line(Tone::Rule, HORIZONTAL.repeat(self.room.min(8))));
        }
        match number.and_then(|number| logs.tape.get(number)) {
            None => {}
            Some(Entry::Gap(count)) => {
                let told =
                    format!("{ELLIPSIS} {count} lines came faster than they could be taken, and are missing here");
                rows.push(pen.line(Tone::Stale, told));
            }
            Some(Entry::Written { at, stream, source, text }) => {
                let mut line = self.prefix(*at, &logs.sources()[*source].name);
                let indent = line.width();
                line.spans.extend(marked(logs, *stream, text, pen));
                if number == logs.current {
                    line = line.patch_style(pen.style(Tone::SelectedElsewhere));
                }
                match logs.wrap {
                    true => rows.extend(fold_line(line, self.room, indent.min(self.room / 2))),
                    false => rows.push(line),
                }
            }
        }
        rows
    }

    /// When and from where, as far as that is wanted.
    fn prefix(&self, at: Timestamp, from: &ContainerName) -> Line<'static> {
        let mut spans = Vec::new();
        match self.logs.times {
            Times::Hidden => {}
            Times::Clock => spans.push(self.pen.span(Tone::Muted, format!("{} ", self.pen.clock(at)))),
            Times::Whole => spans.push(self.pen.span(Tone::Muted, format!("{} ", self.pen.moment(at)))),
        }
        if let Some(index) = self.sources.iter().position(|name| *name == from) {
            let tone = Tone::SOURCES[index % Tone::SOURCES.len()];
            let widest = self.sources.iter().map(|name| short(name).len()).max().unwrap_or(0);
            spans.push(self.pen.span(tone, format!("{:<widest$} {VERTICAL} ", short(from))));
        }
        Line::from(spans)
    }
}

/// Why there are no lines.
fn nothing(model: &Model, logs: &Logs, pen: &Pen<'_>) -> Line<'static> {
    match (logs.tape.len(), &logs.flow) {
        (0, Flow::Waiting) => pen.line(Tone::Pending, "asking the server …"),
        (0, _) if is_gone(model, logs) => pen.line(Tone::Muted, "nothing was kept of what it wrote"),
        (0, _) if logs.since.is_some() => pen.line(Tone::Muted, "nothing was written since then"),
        (0, _) => pen.line(Tone::Muted, "nothing was written yet"),
        _ => pen.line(Tone::Muted, "no line matches"),
    }
}

/// What is read, how, and how much of it there is.
fn state(model: &Model, logs: &Logs, pen: &Pen<'_>) -> Line<'static> {
    let of = match &logs.of {
        LogsOf::Service => "all containers".to_owned(),
        LogsOf::Container(name) => name.to_string(),
        LogsOf::Release(release) => release.to_string(),
    };
    let mut spans = vec![pen.span(Tone::Strong, of)];
    let mut say = |tone: Tone, text: String| spans.push(pen.span(tone, format!(" {DOT} {text}")));
    match (&logs.flow, logs.place) {
        (Flow::Flowing | Flow::Ended, _) if is_gone(model, logs) => say(Tone::Muted, "kept last lines".into()),
        (Flow::Broken { problem }, _) => say(Tone::Stale, format!("broken: {}", problem.message)),
        (Flow::Waiting, _) => say(Tone::Pending, "waiting".into()),
        (Flow::Ended, _) => say(Tone::Muted, "ended".into()),
        (Flow::Flowing, Place::End) => say(Tone::Healthy, "following".into()),
        (Flow::Flowing, Place::At(_)) => say(Tone::Degraded, "staying".into()),
    }
    if let Some(delay) = logs.behind(pen.now()) {
        pen.note_end(delay.until);
        say(Tone::Stale, format!("{} behind", format::elapsed(delay.by.unsigned_abs())));
    }
    if !logs.pattern.is_empty() {
        let how = if logs.only_matches { "only" } else { "marked" };
        let around =
            if logs.around() > 0 && logs.only_matches { format!(" ±{}", logs.around()) } else { String::new() };
        say(Tone::Accent, format!("{how} /{}/{around}: {}", logs.pattern.line.text(), logs.match_count()));
    }
    if let Some(since) = logs.since {
        say(Tone::Accent, format!("since {}", pen.date(since)));
    }
    match logs.tape.dropped() {
        0 => say(Tone::Muted, counted(logs.tape.len(), "line", "lines")),
        dropped => say(Tone::Degraded, format!("{} of {} lines", logs.tape.len(), dropped + logs.tape.len() as u64)),
    }
    if logs.skipped > 0 {
        say(Tone::Stale, format!("{} missing", logs.skipped));
    }
    if logs.wrap {
        say(Tone::Muted, "wrapped".into());
    }
    Line::from(spans)
}

/// The release that is read has no containers any more.
fn is_gone(model: &Model, logs: &Logs) -> bool {
    let LogsOf::Release(release) = logs.of else { return false };
    let service = model.fleet.service(&logs.at);
    service.is_none_or(|service| service.containers.iter().all(|container| container.release != release))
}

fn merged(logs: &Logs) -> Vec<&ContainerName> {
    let mut names: Vec<&ContainerName> = logs.sources().iter().map(|source| &source.name).collect();
    names.sort();
    if matches!(logs.of, LogsOf::Container(_)) || names.len() < 2 { Vec::new() } else { names }
}

/// Release and number, as in `r14.1`: the service is known.
fn short(name: &ContainerName) -> &str {
    let text = name.as_str();
    let mut dots = text.rmatch_indices('.').map(|(index, _)| index);
    dots.nth(1).map_or(text, |index| &text[index + 1..])
}

/// The text with what is searched for.
fn marked(logs: &Logs, stream: LogStream, text: &str, pen: &Pen<'_>) -> Vec<Span<'static>> {
    let tone = match stream {
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
