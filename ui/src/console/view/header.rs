//! The line at the top: where one is, how the fleet is, what runs.

use mypaas::api::Deploy;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::look;
use super::pen::Pen;
use super::sheet::Sheet;
use crate::console::model::fleet::{ServerEntry, Tally};
use crate::console::model::push::Step;
use crate::console::model::{Focus, Model, Page};
use crate::console::symbols::{ACTIVE, INTO, MARKED};
use crate::console::theme::Tone;
use crate::console::words::{self, counted};

pub(crate) fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    sheet.paint(area, Tone::Bar);
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let right = running(model, pen);
    let whole = usize::from(area.width);
    // Below this the state of the fleet matters more than the deploy that runs.
    if whole < right.width() + 36 {
        return sheet.put(area, 0, left(model, whole, pen));
    }
    sheet.put(area, 0, left(model, whole - right.width() - 3, pen));
    sheet.put_right(area, 0, right);
}

fn left(model: &Model, room: usize, pen: &Pen<'_>) -> Line<'static> {
    let mut line = Line::from(pen.span(Tone::Accent, "mypaas"));
    let path = path(model);
    for step in &path {
        line.push_span(pen.span(Tone::Muted, format!(" {INTO} ")));
        line.push_span(pen.span(Tone::Strong, step.clone()));
    }
    if path.is_empty() {
        // The most important come first; those that do not fit are left out.
        for part in tally(model, pen) {
            if line.width() + 2 + part.width() > room {
                break;
            }
            line.spans.extend([Span::raw("  "), part]);
        }
    }
    line
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
        Page::Logs => model.logs.iter().flat_map(logs_path).collect(),
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

/// How the fleet is, the worst first.
fn tally(model: &Model, pen: &Pen<'_>) -> Vec<Span<'static>> {
    let fleet = &model.fleet;
    let silent = fleet.servers.iter().filter(|server| server.is_silent()).count();
    let remembered = fleet.servers.iter().filter(|server| server.as_of().is_some() && !server.is_silent()).count();
    let tally = fleet.tally();
    let mut spans = Vec::new();
    if !model.list.marks.is_empty() {
        spans.push(pen.span(Tone::Accent, format!("{MARKED} {} marked", model.list.marks.len())));
    }
    if !model.list.filter.is_empty() {
        spans.push(pen.span(Tone::Match, format!("/{}", model.list.filter.line.text())));
    }
    if silent > 0 {
        spans.push(pen.span(Tone::Stale, format!("{} silent", counted(silent, "server", "servers"))));
    }
    if remembered > 0 {
        spans.push(pen.span(Tone::Stale, format!("connecting to {}", counted(remembered, "server", "servers"))));
    }
    spans.extend(states(&tally, pen));
    spans.push(pen.span(Tone::Muted, counted(tally.total(), "service", "services")));
    if silent == 0 {
        spans.push(pen.span(Tone::Muted, counted(fleet.servers.len(), "server", "servers")));
    }
    spans
}

/// The states that occur, the worst first.
fn states(tally: &Tally, pen: &Pen<'_>) -> Vec<Span<'static>> {
    use mypaas::api::ServiceState::{Degraded, Down, NeverLive, Running, Stopped};
    let counts = [
        (tally.down, Down),
        (tally.degraded, Degraded),
        (tally.running, Running),
        (tally.stopped, Stopped),
        (tally.never_live, NeverLive),
    ];
    let some = counts.into_iter().filter(|(count, _)| *count > 0);
    let span = |(count, state)| {
        let look = look::state(state);
        pen.span(look.tone, format!("{} {count} {}", look.sign, look.word))
    };
    some.map(span).collect()
}

/// The same in one line.
pub(crate) fn states_line(tally: &Tally, pen: &Pen<'_>) -> Line<'static> {
    let spans = states(tally, pen).into_iter().flat_map(|span| [span, Span::raw("  ")]);
    Line::from(spans.collect::<Vec<_>>())
}

/// The deploys that run now, but for the one that fills the page.
fn running(model: &Model, pen: &Pen<'_>) -> Line<'static> {
    let watched = |server: &ServerEntry, deploy: &Deploy| match &model.page {
        Page::Deploy(page) => page.at.server == server.name && page.deploy.id == deploy.id,
        _ => false,
    };
    let running = model.fleet.running_deploys().filter(|(server, deploy)| !watched(server, deploy));
    let running: Vec<_> = running.collect();
    let Some((server, newest)) = running.first() else { return Line::default() };
    let since = pen.elapsed(server.here(newest.accepted));
    let phase = look::of_deploy(newest).word;
    let mut text = format!("{ACTIVE} {} of {}: {phase} {since}", words::action(&newest.action), newest.service);
    if running.len() > 1 {
        text.push_str(&format!("  and {} more", running.len() - 1));
    }
    pen.line(Tone::Pending, text)
}
