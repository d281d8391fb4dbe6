//! What happened in a deploy, a line each.

use mypaas::api::{Event, Outcome, ProbeAnswer, What, requests_go_to};
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::{format, look};
use crate::console::model::fleet::ServerEntry;
use crate::console::theme::Tone;
use crate::console::words;

pub(crate) fn line(event: &Event, server: Option<&ServerEntry>, pen: &Pen<'_>) -> Line<'static> {
    let (tone, text) = words(event);
    if let What::BuildOutput { line } = &event.what {
        return Line::from(vec![Span::raw("          "), pen.span(Tone::Text, line.clone())]);
    }
    let at = server.map_or(event.at, |server| server.here(event.at));
    Line::from(vec![pen.span(Tone::Muted, format!("{}  ", pen.clock(at))), pen.span(tone, text)])
}

fn words(event: &Event) -> (Tone, String) {
    match &event.what {
        What::Queued { behind } => (Tone::Pending, format!("waits for {behind} of the same service")),
        What::Phase { phase } => (Tone::Accent, phase.word().to_owned()),
        What::BuildOutput { line } => (Tone::Text, line.clone()),
        What::Built { image, bytes } => (Tone::Healthy, format!("built {image}, {}", format::bytes(*bytes))),
        What::Planned { steps, .. } => {
            (Tone::Muted, format!("planned in {}", words::counted(steps.len(), "step", "steps")))
        }
        What::Created { container } => (Tone::Text, format!("{container} made")),
        What::Started { container } => (Tone::Text, format!("{container} started")),
        What::Probed { container, answer } => probed(&container.to_string(), answer),
        What::Ready { container, after } => {
            (Tone::Healthy, format!("{container} is ready after {}", format::took(*after)))
        }
        What::Holding { limit } => {
            (Tone::Degraded, format!("requests wait for the new containers, at most {}", format::elapsed(*limit)))
        }
        What::Switched { containers } => (Tone::Healthy, requests_go_to(containers)),
        What::Stopped { container } => (Tone::Muted, format!("{container} stopped")),
        What::Removed { container } => (Tone::Muted, format!("{container} removed")),
        What::Warning { message } => (Tone::Warning, message.clone()),
        What::Undoing { because } => (Tone::Failing, format!("undoing it: {}", because.message)),
        What::Done => (Tone::Healthy, "done; only clearing away is left".to_owned()),
        What::Finished { outcome } => finished(outcome),
        What::Other => (Tone::Muted, "something that a newer mypaas knows".to_owned()),
    }
}

fn probed(container: &str, answer: &ProbeAnswer) -> (Tone, String) {
    let tone = match answer {
        ProbeAnswer::Ready { .. } => Tone::Healthy,
        ProbeAnswer::NotReady { .. } => Tone::Pending,
        ProbeAnswer::Exited { .. } => Tone::Failing,
    };
    (tone, format!("{container} {}", self::answer(answer)))
}

/// As in `not ready: HTTP 503`.
pub(crate) fn answer(answer: &ProbeAnswer) -> String {
    match answer {
        ProbeAnswer::Ready { detail } => format!("answers: {detail}"),
        ProbeAnswer::NotReady { detail } => format!("is not ready: {detail}"),
        ProbeAnswer::Exited { exit } => format!("does not run: {}", look::exit(exit)),
    }
}

fn finished(outcome: &Outcome) -> (Tone, String) {
    match outcome {
        Outcome::Succeeded => (Tone::Healthy, "finished".into()),
        Outcome::Failed { failure } => (Tone::Failing, format!("failed: {}", failure.message)),
        Outcome::Superseded { by } => (Tone::Stopped, format!("not done: {by} took its place")),
        Outcome::Cancelled { by } => (Tone::Stopped, format!("cancelled by {by}")),
        Outcome::Interrupted { detail } => (Tone::Degraded, format!("interrupted: {detail}")),
    }
}
