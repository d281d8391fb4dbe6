//! What a service is, now: state, URLs, containers, options.

use mypaas::api::{Deploy, DeployState, Outcome, ServiceDetail, ServiceView, Traffic};
use mypaas::manifest::{OptionLine, Scale};
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::table::{self, Column, left, right, text};
use super::{certificate, containers, format, history, look};
use crate::console::model::detail::Known;
use crate::console::model::drift;
use crate::console::model::fleet::ServerEntry;
use crate::console::model::progress::between;
use crate::console::symbols::DOT;
use crate::console::theme::Tone;
use crate::console::words;

const DRIFT: [Column; 3] = [left("DRIFT", 0), text("ASKED FOR", 10, 0), text("WHAT RUNS", 10, 0)];

const OPTIONS: [Column; 3] = [right("LINE", 0), left("OPTION", 0), text("VALUE", 10, 0)];

/// The facts and the containers, then the options.
pub(crate) fn lines(
    server: &ServerEntry,
    service: &ServiceView,
    known: Option<&Known>,
    room: usize,
    pen: &Pen<'_>,
) -> Vec<Line<'static>> {
    let mut lines = facts(server, service, room, pen);
    lines.push(Line::default());
    lines.extend(drift(service, known, room, pen));
    lines.extend(containers::lines(server, service, room, pen));
    lines.push(Line::default());
    lines.extend(options(server, known, room, pen));
    if let Some(detail) = known.and_then(Known::detail) {
        lines.push(Line::default());
        lines.extend(history::newest(server, detail, room, pen));
    }
    lines
}

/// State, traffic, URLs with their certificates, and the newest deploy.
pub(crate) fn facts(server: &ServerEntry, service: &ServiceView, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let mut lines = vec![state(server, service, pen)];
    lines.extend(service.traffic.as_ref().map(|traffic| of_traffic(traffic, pen)));
    lines.extend(service.urls.iter().flat_map(|url| certificate::of_url(server, service, url, room, pen)));
    if service.urls.is_empty() && service.release.is_some() {
        let name = service.name.flat();
        lines.push(pen.line(Tone::Muted, format!("no URL; other services reach it as {name}")));
    }
    if let Some(deploy) = &service.last_deploy {
        lines.push(newest(server, deploy, pen));
        if let DeployState::Finished { outcome: Outcome::Failed { failure }, .. } = &deploy.state {
            lines.push(pen.line(Tone::Failing, format!("  {}", failure.message)));
        }
    }
    lines
}

/// As in `12.4 requests/s · half within 12ms, 95% within 40ms · 0.2% fail`.
fn of_traffic(traffic: &Traffic, pen: &Pen<'_>) -> Line<'static> {
    let gap = || pen.span(Tone::Muted, format!(" {DOT} "));
    let mut spans = vec![pen.span(Tone::Text, format!("{} requests/s", format::rate(traffic.requests_per_second)))];
    if let (Some(median), Some(p95)) = (traffic.median, traffic.p95) {
        let text = format!("half within {}, 95% within {}", format::latency(median), format::latency(p95));
        spans.extend([gap(), pen.span(Tone::Text, text)]);
    }
    if traffic.error_share > 0.0 {
        spans.extend([gap(), pen.span(Tone::Failing, format!("{} fail", format::share(traffic.error_share)))]);
    }
    Line::from(spans)
}

/// Where what runs differs from what the options ask for; nothing where it does not.
pub(crate) fn drift(service: &ServiceView, known: Option<&Known>, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let manifest = known.and_then(Known::detail).and_then(|detail| detail.manifest.as_ref());
    let found = manifest.map(|manifest| drift::drift(manifest, service)).unwrap_or_default();
    if found.is_empty() {
        return Vec::new();
    }
    let rows = found.into_iter().map(|drift| {
        vec![
            pen.line(Tone::Accent, drift.option),
            pen.line(Tone::Text, drift.wanted),
            pen.line(Tone::Warning, drift.is),
        ]
    });
    let mut lines = table::lines(&DRIFT, rows.collect(), room, pen);
    lines.push(Line::default());
    lines
}

fn state(server: &ServerEntry, service: &ServiceView, pen: &Pen<'_>) -> Line<'static> {
    let gap = || pen.span(Tone::Muted, format!(" {DOT} "));
    let mut spans = vec![look::state(service.state).both(pen)];
    if let Some(release) = service.release {
        spans.extend([gap(), pen.span(Tone::Strong, release.to_string())]);
        if let Some(since) = service.since {
            spans.push(pen.span(Tone::Muted, format!(" live for {}", pen.age(server.here(since)))));
        }
    }
    if service.wanted > 0 {
        spans.extend([gap(), pen.span(Tone::Text, format!("{} of {} ready", service.ready, service.wanted))]);
    }
    if let Some(scale) = service.scale {
        spans.extend([gap(), pen.span(Tone::Muted, strategy(scale, service.wanted))]);
    }
    Line::from(spans)
}

/// With the number that is wanted now, which may be another one than the Dockerfile's. Where none is, as of a stopped
/// service, with the Dockerfile's.
fn strategy(scale: Scale, wanted: u32) -> String {
    let wanted = if wanted == 0 { scale.count() } else { wanted };
    match scale {
        Scale::Single => "not scaled".into(),
        Scale::Rolling { .. } => format!("scale {wanted}, rolling"),
        Scale::Safe { .. } => format!("scale {wanted}, safe"),
    }
}

/// The newest deploy of the service: running, or how it ended.
pub(crate) fn newest(server: &ServerEntry, deploy: &Deploy, pen: &Pen<'_>) -> Line<'static> {
    let look = look::of_deploy(deploy);
    let mut spans = vec![look.both(pen), pen.span(Tone::Text, format!("  {} {}", deploy.id, words::deed(deploy)))];
    let time = match &deploy.state {
        DeployState::Queued => format!("  for {}", pen.elapsed(server.here(deploy.accepted))),
        DeployState::Running { started, .. } => format!("  for {}", pen.elapsed(server.here(*started))),
        DeployState::Finished { started, finished, .. } => {
            let took = started.map(|started| format!(", took {}", format::took(between(started, *finished))));
            format!("  {} ago{}", pen.age(server.here(*finished)), took.unwrap_or_default())
        }
    };
    spans.push(pen.span(Tone::Muted, format!("{time}, by {}", deploy.origin.by())));
    Line::from(spans)
}

/// The options of the live release with their lines in the Dockerfile.
pub(crate) fn options(server: &ServerEntry, known: Option<&Known>, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let Some(known) = known else { return vec![pen.line(Tone::Muted, unknown(server))] };
    let mut lines = match known.detail().and_then(|detail| detail.manifest.as_ref()) {
        Some(manifest) => {
            let rows = manifest.options.iter().map(|option| row(option, pen)).collect();
            table::lines(&OPTIONS, rows, room, pen)
        }
        None if known.problem().is_none() => vec![pen.line(Tone::Muted, "none, as no release is live")],
        None => Vec::new(),
    };
    if let Some(problem) = known.problem() {
        lines.push(pen.line(Tone::Error, problem.message.clone()));
    }
    lines
}

/// Why nothing is known of a service beyond the list.
pub(crate) fn unknown(server: &ServerEntry) -> String {
    if server.is_silent() { format!("not known: {} does not answer", server.name) } else { "loading …".into() }
}

fn row(option: &OptionLine, pen: &Pen<'_>) -> table::Cells {
    vec![
        pen.line(Tone::Muted, option.line.to_string()),
        pen.line(Tone::Accent, option.key.clone()),
        pen.line(Tone::Text, option.value.clone()),
    ]
}

/// How many there are, for the tabs.
pub(crate) fn counts(detail: Option<&ServiceDetail>) -> (Option<usize>, Option<usize>) {
    (detail.map(|detail| detail.releases.len()), detail.map(|detail| detail.deploys.len()))
}

/// As titles of parts of the page.
pub(crate) fn title(text: &str, pen: &Pen<'_>) -> Line<'static> {
    Line::from(Span::styled(text.to_owned(), pen.style(Tone::Heading)))
}
