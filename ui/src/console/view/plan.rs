//! What an action would do, as the server planned it.

use mypaas::api::{Downtime, OptionChange, PlanView};
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::problem::{self, labelled};
use super::{format, overview};
use crate::console::model::dialog::Load;
use crate::console::symbols::{ARROW, DOT, NONE};
use crate::console::theme::Tone;

/// The plan, or that it is awaited, or why there is none.
pub(crate) fn loaded(plan: &Load<PlanView>, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    match plan {
        Load::Waiting => vec![pen.line(Tone::Pending, "asking the server what would happen …")],
        Load::Failed(why) => problem::lines(why, room, pen),
        Load::Ready(plan) => lines(plan, room, pen),
    }
}

/// Refusals and warnings first: what matters must not be out of sight.
pub(crate) fn lines(plan: &PlanView, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for refusal in &plan.refusals {
        lines.extend(problem::lines(refusal, room, pen));
    }
    if !plan.refusals.is_empty() {
        return lines;
    }
    for warning in &plan.warnings {
        lines.extend(labelled("warning ", Tone::Warning, warning, Tone::Text, room, pen));
    }
    if !lines.is_empty() {
        lines.push(Line::default());
    }
    lines.push(summary(plan, pen));
    lines.extend(section("CHANGES", changes(plan, room, pen), pen));
    lines.extend(section("STEPS", numbered(&plan.steps, room, pen), pen));
    let dot = format!("{DOT} ");
    let notes = plan.notes.iter().flat_map(|note| labelled(&dot, Tone::Muted, note, Tone::Text, room, pen)).collect();
    lines.extend(section("WHY SO", notes, pen));
    lines
}

fn summary(plan: &PlanView, pen: &Pen<'_>) -> Line<'static> {
    let name = |release: Option<mypaas::name::ReleaseId>| release.map_or_else(|| NONE.into(), |id| id.to_string());
    let mut spans = Vec::new();
    match (plan.from, plan.to) {
        (None, Some(first)) => spans.push(pen.span(Tone::Strong, format!("{first}, the first release   "))),
        (from, to) if from != to => {
            spans.push(pen.span(Tone::Strong, format!("{} {ARROW} {}   ", name(from), name(to))));
        }
        _ => {}
    }
    spans.push(notice(&plan.downtime, pen));
    Line::from(spans)
}

/// What requests notice of it.
pub(crate) fn notice(downtime: &Downtime, pen: &Pen<'_>) -> Span<'static> {
    match downtime {
        Downtime::None => pen.span(Tone::Healthy, "no request notices"),
        Downtime::Held { limit } => {
            pen.span(Tone::Degraded, format!("requests wait, at most {}", format::elapsed(*limit)))
        }
        Downtime::Intended => pen.span(Tone::Degraded, "requests are no longer answered, as asked for"),
    }
}

fn section(title: &str, body: Vec<Line<'static>>, pen: &Pen<'_>) -> Vec<Line<'static>> {
    if body.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::default(), overview::title(title, pen)];
    lines.extend(body);
    lines
}

fn numbered(steps: &[String], room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let step = |(index, step): (usize, &String)| {
        labelled(&format!("{:>2} ", index + 1), Tone::Muted, step, Tone::Text, room, pen)
    };
    steps.iter().enumerate().flat_map(step).collect()
}

/// The options that change, old above new.
fn changes(plan: &PlanView, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let widest = plan.changes.iter().map(|change| super::text::width(&change.key)).max().unwrap_or(0);
    plan.changes.iter().flat_map(|change| change_lines(change, widest, room, pen)).collect()
}

fn change_lines(change: &OptionChange, widest: usize, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let kept = |value: &&String| change.old.contains(value) && change.new.contains(value);
    let old = change.old.iter().filter(|value| !kept(value)).map(|value| ("- ", value, Tone::Removed));
    let new = change.new.iter().filter(|value| !kept(value)).map(|value| ("+ ", value, Tone::Added));
    let room = room.saturating_sub(widest + 4);
    let line = |(index, (sign, value, tone)): (usize, (&str, &String, Tone))| {
        let key = if index == 0 { change.key.as_str() } else { "" };
        Line::from(vec![
            pen.span(Tone::Accent, format!("{key:<widest$}  ")),
            pen.span(tone, format!("{sign}{}", super::text::cut(value, room))),
        ])
    };
    old.chain(new).enumerate().map(line).collect()
}
