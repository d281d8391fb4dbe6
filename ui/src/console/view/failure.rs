//! Why a deploy failed, with all there is to find the reason.

use mypaas::api::{Evidence, Failure, ProbeAnswer};
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::{activity, look, overview, problem};
use crate::console::model::clean::clean;
use crate::console::theme::Tone;

pub(crate) fn lines(failure: &Failure, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let title = format!("FAILED WHILE {}", failure.phase.word().to_uppercase());
    let mut lines = vec![Line::default(), overview::title(&title, pen)];
    lines.extend(problem::of_failure(failure, room, pen));
    lines.push(match (failure.still_serving, &failure.unrestored) {
        (_, Some(why)) => pen.line(Tone::Error, format!("What served before may not serve now: mypaas {why}")),
        (Some(release), None) => pen.line(Tone::Healthy, format!("{release} serves on.")),
        (None, None) => pen.line(Tone::Degraded, "No release serves."),
    });
    if let Some(evidence) = &failure.container {
        lines.extend(of_container(evidence, pen));
    }
    lines
}

fn of_container(evidence: &Evidence, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let mut facts = Vec::new();
    facts.extend(evidence.exit.as_ref().map(|exit| {
        if exit.out_of_memory { format!("exited {}: out of memory", exit.code) } else { look::exit(exit) }
    }));
    let last = evidence.last_probe.as_ref().filter(|answer| !matches!(answer, ProbeAnswer::Exited { .. }));
    facts.extend(last.map(|answer| format!("at last it {}", activity::answer(answer))));
    let mut lines = vec![Line::default(), overview::title(&format!("CONTAINER {}", evidence.container), pen)];
    lines.extend(facts.into_iter().map(|fact| pen.line(Tone::Text, fact)));
    if evidence.logs.is_empty() {
        lines.push(pen.line(Tone::Muted, "it wrote nothing"));
    }
    for line in &evidence.logs {
        let clock = pen.span(Tone::Muted, format!("{}  ", pen.clock(line.at)));
        lines.push(Line::from(vec![clock, Span::styled(clean(&line.text), pen.style(Tone::Text))]));
    }
    lines
}
