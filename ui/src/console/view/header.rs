//! The line at the top: where one is, how the fleet is, what runs.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::look;
use super::pen::Pen;
use super::sheet::Sheet;
use crate::console::model::fleet::{Connection, Tally};
use crate::console::model::push::Step;
use crate::console::model::{Focus, Model, Page};
use crate::console::symbols::{ACTIVE, INTO};
use crate::console::theme::Tone;
use crate::console::words::{self, counted};

pub(crate) fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    sheet.paint(area, Tone::Bar);
    let room = area.width.saturating_sub(2);
    let area = Rect { x: area.x + 1, width: room, ..area };
    let left = Line::from(left(model, pen));
    let right = Line::from(right(model, pen));
    let used = left.width() + 2;
    if used + right.width() <= usize::from(area.width) {
        sheet.put_right(area, 0, right);
    }
    sheet.put(area, 0, left);
}

fn left(model: &Model, pen: &Pen<'_>) -> Vec<Span<'static>> {
    let mut spans = vec![pen.span(Tone::Accent, "mypaas")];
    for step in path(model) {
        spans.push(pen.span(Tone::Muted, format!(" {INTO} ")));
        spans.push(pen.span(Tone::Strong, step));
    }
    if spans.len() == 1 {
        spans.push(Span::raw("  "));
        spans.extend(tally(model, pen));
    }
    spans
}

/// Where one is, from the fleet downwards; empty on the main page.
fn path(model: &Model) -> Vec<String> {
    match &model.page {
        Page::Services if model.focus == Focus::List => Vec::new(),
        Page::Services => {
            let server = model.list.selected.as_ref().map(|item| item.server().to_string());
            let service = model.selected_service().map(|at| at.service.to_string());
            server.into_iter().chain(service).collect()
        }
        Page::Logs => model.logs.iter().flat_map(|logs| logs_path(logs)).collect(),
        Page::Deploy(page) => {
            vec![page.at.server.to_string(), page.at.service.to_string(), format!("deploy {}", page.deploy.id)]
        }
        Page::Push(page) => {
            let step = match page.step {
                Step::Choosing(_) => "choose a folder",
                Step::Checking { .. } => "reading the folder",
                Step::Review(_) => "look and confirm",
                Step::Sending { .. } => "sending",
                Step::Refused { .. } => "refused",
            };
            vec![page.server.to_string(), "push".into(), step.into()]
        }
    }
}

fn logs_path(logs: &crate::console::model::logs::Logs) -> [String; 3] {
    [logs.at.server.to_string(), logs.at.service.to_string(), "logs".into()]
}

/// How many servers and services there are, and in which states.
fn tally(model: &Model, pen: &Pen<'_>) -> Vec<Span<'static>> {
    let tally = model.fleet.tally();
    let servers = counted(model.fleet.servers.len(), "server", "servers");
    let services = counted(tally.total(), "service", "services");
    let mut spans = vec![pen.span(Tone::Muted, format!("{servers}  {services}  "))];
    spans.extend(states(&tally, pen));
    let silent = model.fleet.servers.iter().filter(|server| {
        matches!(server.connection, Connection::Stale { .. } | Connection::Unreachable { .. })
    });
    match silent.count() {
        0 => {}
        1 => spans.push(pen.span(Tone::Stale, "  1 server does not answer")),
        more => spans.push(pen.span(Tone::Stale, format!("  {more} servers do not answer"))),
    }
    spans
}

/// The states that occur, the worst first.
pub(crate) fn states(tally: &Tally, pen: &Pen<'_>) -> Vec<Span<'static>> {
    use mypaas::api::ServiceState::{Degraded, Down, NeverLive, Running, Stopped};
    let counts = [
        (tally.down, Down),
        (tally.degraded, Degraded),
        (tally.running, Running),
        (tally.stopped, Stopped),
        (tally.never_live, NeverLive),
    ];
    let mut spans: Vec<Span<'static>> = Vec::new();
    for (count, state) in counts.into_iter().filter(|(count, _)| *count > 0) {
        let look = look::state(state);
        if !spans.is_empty() {
            spans.push(Span::raw("  "));
        }
        spans.push(pen.span(look.tone, format!("{} {count} {}", look.sign, look.word)));
    }
    spans
}

/// The deploys that run now.
fn right(model: &Model, pen: &Pen<'_>) -> Vec<Span<'static>> {
    let running: Vec<_> = model.fleet.running_deploys().collect();
    let Some((server, newest)) = running.first() else { return Vec::new() };
    let since = pen.elapsed(server.here(newest.accepted));
    let phase = look::of_deploy(newest).word;
    let mut text = format!("{ACTIVE} {} {}: {phase} {since}", words::action(&newest.action), newest.service);
    if running.len() > 1 {
        text.push_str(&format!("  and {} more", running.len() - 1));
    }
    vec![pen.span(Tone::Pending, text)]
}
