//! What is known of the selected line, below its table: of a container, a release, a deploy, and of what others hand in.

use mypaas::api::{ContainerState, ContainerView, Deploy, DeployState, Outcome, ReleaseView};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::sheet::Sheet;
use super::text::wrap;
use super::{format, look};
use crate::console::model::fleet::ServerEntry;
use crate::console::theme::Tone;

/// On a page of its own.
const HEIGHT: u16 = 7;

/// How high it is below a table that fills a page; nothing where there is no room for it.
pub(crate) fn height(page: Rect) -> u16 {
    if page.height >= HEIGHT + 6 { HEIGHT } else { 0 }
}

pub(crate) fn container(server: &ServerEntry, view: &ContainerView, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let state = look::container(view).text();
    let since = match &view.state {
        ContainerState::Running { since, .. } => format!("{state} since {}", pen.date(server.here(*since))),
        ContainerState::Exited { at, .. } => format!("{state} at {}", pen.date(server.here(*at))),
        ContainerState::Created | ContainerState::Restarting { .. } => state,
    };
    let memory = match (view.memory_bytes, view.memory_limit_bytes) {
        (None, _) => "not measured".to_owned(),
        (Some(used), None) => format!("{}, without a limit", format::bytes(used)),
        (Some(used), Some(limit)) => {
            let share = used as f32 / limit.max(1) as f32;
            format!("{} of {}, {}", format::bytes(used), format::bytes(limit), format::share(share))
        }
    };
    let requests = if view.routed { "takes requests" } else { "takes no requests" };
    let lines = vec![
        field(pen, "name", format!("{}, of release {}", view.name, view.release)),
        field(pen, "state", format!("{since}, restarted {} times", view.restarts)),
        field(pen, "memory", memory),
        field(pen, "network", format!("{}, {requests}", view.address)),
    ];
    draw(lines, area, sheet);
}

pub(crate) fn release(view: &ReleaseView, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let release = &view.release;
    let commit = release.origin.commit.as_ref().map_or_else(
        || "not from a commit".to_owned(),
        |commit| {
            let dirty = if commit.dirty { " with changes that are not in it" } else { "" };
            format!("{}{dirty}: {}", commit.id, commit.subject)
        },
    );
    let image = format!("{}, {}", release.image, format::bytes(release.image_bytes));
    let gone = if view.available { "" } else { ", deleted since" };
    let lines = vec![
        field(pen, "built", format!("{} by {}", pen.date(release.built), release.origin.by())),
        field(pen, "commit", commit),
        field(pen, "folder", release.origin.folder.clone().unwrap_or_else(|| "unknown".into())),
        field(pen, "image", format!("{image}{gone}")),
    ];
    draw(lines, area, sheet);
}

pub(crate) fn deploy(deploy: &Deploy, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let mut lines = vec![field(pen, "asked", format!("{} by {}", pen.date(deploy.accepted), deploy.origin.by()))];
    let releases = |from: &str, to: &str| format!("{from} before, {to} after");
    let name = |release: Option<mypaas::name::ReleaseId>| release.map_or_else(|| "none".into(), |id| id.to_string());
    lines.push(field(pen, "live", releases(&name(deploy.from), &name(deploy.to))));
    let reason = match &deploy.state {
        DeployState::Finished { outcome: Outcome::Failed { failure }, .. } => Some(failure.message.clone()),
        DeployState::Finished { outcome: Outcome::Interrupted { detail }, .. } => Some(detail.clone()),
        _ => None,
    };
    if let Some(reason) = reason {
        let room = usize::from(area.width.saturating_sub(12));
        let mut wrapped = wrap(&reason, room).into_iter();
        lines.extend(wrapped.next().map(|first| field(pen, "reason", first)));
        lines.extend(wrapped.map(|more| field(pen, "", more)));
    }
    draw(lines, area, sheet);
}

fn field(pen: &Pen<'_>, name: &str, value: String) -> Line<'static> {
    Line::from(vec![pen.span(Tone::Heading, format!("{name:<8}")), Span::styled(value, pen.style(Tone::Text))])
}

pub(crate) fn draw(lines: Vec<Line<'static>>, area: Rect, sheet: &mut Sheet<'_>) {
    if area.height < 3 {
        return;
    }
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    sheet.rule_across(inner, 0);
    sheet.put_all(Rect { y: inner.y + 1, height: inner.height - 1, ..inner }, lines);
}
