//! The stations of a deploy with their times, beside those of the one before.

use std::time::Duration;

use jiff::Timestamp;
use mypaas::api::{Action, Phase};
use ratatui::text::Line;

use super::format;
use super::pen::Pen;
use crate::console::model::deploy::DeployPage;
use crate::console::model::fleet::ServerEntry;
use crate::console::symbols::{ACTIVE, DONE, FAILED, WAITING};
use crate::console::theme::Tone;

pub(crate) fn lines(page: &DeployPage, server: Option<&ServerEntry>, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if let Some(before) = page.before.as_ref().filter(|before| before.progress.finished.is_some()) {
        let how = if before.went_well { "TOOK" } else { "FAILED" };
        let before = format!("{} {how}", before.id.to_string().to_uppercase());
        lines.push(pen.line(Tone::Heading, format!("{:<12} {:>8}  {before:>8}", "PHASE", "TIME")));
    } else {
        lines.push(pen.line(Tone::Heading, format!("{:<12} {:>8}", "PHASE", "TIME")));
    }
    lines.extend(shown(page).map(|phase| line(page, phase, server, pen)));
    lines
}

/// Those it went through, and while it runs those that may come.
fn shown(page: &DeployPage) -> impl Iterator<Item = Phase> {
    let progress = &page.progress;
    let builds = matches!(page.deploy.action, Action::Push | Action::Redeploy);
    let runs = progress.finished.is_none() && progress.undoing.is_none();
    Phase::ALL.into_iter().filter(move |phase| {
        let entered = progress.phases.iter().any(|station| station.phase == *phase);
        let may_come = match phase {
            Phase::Queued | Phase::Preparing | Phase::Undoing => false,
            Phase::Building => builds,
            _ => true,
        };
        entered || runs && may_come
    })
}

fn line(page: &DeployPage, phase: Phase, server: Option<&ServerEntry>, pen: &Pen<'_>) -> Line<'static> {
    let progress = &page.progress;
    let here = |at: Timestamp| server.map_or(at, |server| server.here(at));
    let current = progress.phases.last().filter(|station| station.phase == phase && station.ended.is_none());
    let failed = progress.undoing.as_ref().is_some_and(|because| because.phase == phase);
    let (sign, tone, time) = match (current, progress.took(phase)) {
        (Some(station), _) => (ACTIVE, Tone::Pending, pen.elapsed(here(station.began))),
        (None, Some(time)) if failed => (FAILED, Tone::Failing, format::took(time)),
        (None, Some(time)) => (DONE, Tone::Healthy, format::took(time)),
        (None, None) => (WAITING, Tone::Muted, String::new()),
    };
    let before = page.before.as_ref().filter(|before| before.progress.finished.is_some());
    let before = before.and_then(|before| before.progress.took(phase));
    let is_slower = before.zip(progress.took(phase)).is_some_and(|(before, now)| is_slower(now, before));
    let before = before.map(format::took).unwrap_or_default();
    let name_tone = if tone == Tone::Muted { Tone::Muted } else { Tone::Text };
    Line::from(vec![
        pen.span(tone, format!("{sign} ")),
        pen.span(name_tone, format!("{:<10}", phase.word())),
        pen.span(if is_slower && tone == Tone::Healthy { Tone::Degraded } else { tone }, format!(" {time:>8}")),
        pen.span(Tone::Muted, format!("  {before:>8}")),
    ])
}

/// So much that somebody might want to know why.
fn is_slower(now: Duration, before: Duration) -> bool {
    now > before + Duration::from_millis(500) && now > before * 3 / 2
}
