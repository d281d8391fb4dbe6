//! What the folder is that is about to be chosen: its service, its commit, and what of it runs already.

use mypaas::api::Commit;
use mypaas::manifest::{Checked, Diagnostic};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::look;
use super::pen::Pen;
use super::sheet::Sheet;
use crate::console::model::Model;
use crate::console::model::fleet::ServiceAt;
use crate::console::model::push::{Choosing, Glance, Push};
use crate::console::theme::Tone;
use crate::console::words::counted;

pub(super) fn draw(model: &Model, page: &Push, choosing: &Choosing, area: Rect, sheet: &mut Sheet<'_>) {
    let Some(chosen) = choosing.chosen().filter(|_| area.height > 1) else { return };
    let pen = sheet.pen;
    sheet.rule_across(area, 0);
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let known = choosing.glance.as_ref().filter(|(path, _)| *path == chosen);
    match known {
        None => sheet.put(body, 0, pen.line(Tone::Pending, "looking at it …")),
        Some((_, glance)) => sheet.put_all(body, lines(model, page, glance, pen)),
    }
}

fn lines(model: &Model, page: &Push, glance: &Glance, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let checked = match &glance.checked {
        Ok(checked) => checked,
        Err(problem) => return vec![field("FOLDER", vec![pen.span(Tone::Muted, problem.message.clone())], pen)],
    };
    let commit = match &glance.commit {
        Some(at) => commit(at, pen),
        None => vec![pen.span(Tone::Muted, "not in a git repository, or not committed yet")],
    };
    let mut lines = vec![field("SERVICE", service(checked, pen), pen), field("COMMIT", commit, pen)];
    if let Some(manifest) = &checked.manifest {
        let at = ServiceAt { server: page.server.clone(), service: manifest.service.clone() };
        lines.push(field("LIVE", live(model, &at, pen), pen));
    }
    lines
}

fn field(name: &str, value: Vec<Span<'static>>, pen: &Pen<'_>) -> Line<'static> {
    let mut spans = vec![pen.span(Tone::Heading, format!("{name:<9}"))];
    spans.extend(value);
    Line::from(spans)
}

/// Its name and URLs, or what is wrong.
fn service(checked: &Checked, pen: &Pen<'_>) -> Vec<Span<'static>> {
    let Some(manifest) = &checked.manifest else {
        let errors = checked.diagnostics.iter().filter(|found| Diagnostic::is_error(found)).count();
        return vec![pen.span(Tone::Error, format!("its Dockerfile has {}", counted(errors, "error", "errors")))];
    };
    let mut spans = vec![pen.span(Tone::Strong, manifest.service.to_string())];
    spans.extend(manifest.urls.iter().map(|url| pen.span(Tone::Link, format!("  {url}"))));
    let warnings = checked.diagnostics.len();
    if warnings > 0 {
        spans.push(pen.span(Tone::Warning, format!("  {}", counted(warnings, "warning", "warnings"))));
    }
    spans
}

/// What of that service runs on the server already.
fn live(model: &Model, at: &ServiceAt, pen: &Pen<'_>) -> Vec<Span<'static>> {
    let Some(service) = model.fleet.service(at) else {
        return vec![pen.span(Tone::Muted, format!("nothing of it on {} yet", at.server))];
    };
    let mut spans = vec![look::service(service).both(pen)];
    spans.extend(service.release.map(|release| pen.span(Tone::Text, format!("  {release} on {}", at.server))));
    spans
}

/// As in `3f2c1a9 Answer faster  with changes that are not in it`.
pub(super) fn commit(commit: &Commit, pen: &Pen<'_>) -> Vec<Span<'static>> {
    let mut spans =
        vec![pen.span(Tone::Accent, commit.id.clone()), pen.span(Tone::Text, format!(" {}", commit.subject))];
    if commit.dirty {
        spans.push(pen.span(Tone::Warning, "  with changes that are not in it"));
    }
    spans
}
