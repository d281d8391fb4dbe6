//! What is beside the list, or fills the screen on its own: a server, or a service in tabs.

use mypaas::api::ServiceView;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::history::Selected;
use super::sheet::Sheet;
use super::{containers, dashboard, graphs, history, look, named, overview, server, stream_logs};
use crate::console::model::detail::{Known, Tab};
use crate::console::model::fleet::{Connection, ServerEntry};
use crate::console::model::histories::Measured;
use crate::console::model::{Breadth, Focus, Model, Target};
use crate::console::theme::Tone;

/// What the pane is about.
pub(super) struct Subject<'a> {
    pub server: &'a ServerEntry,
    pub service: &'a ServiceView,
    pub known: Option<&'a Known>,
}

pub(crate) fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let Some(item) = &model.list.selected else { return };
    let Some(server) = model.fleet.server(item.server()) else { return };
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let Some(at) = item.service() else { return server::draw(model, server, inner, sheet) };
    let Some(service) = server.service(&at.service) else { return };
    let subject = Subject { server, service, known: model.details.get(at) };
    draw_tabs(model, &subject, inner, sheet);
    let top = if stale_line(&subject, inner, sheet) { 3 } else { 2 };
    let body = Rect { y: area.y + top.min(area.height), height: area.height.saturating_sub(top), ..area };
    match model.pane.tab {
        Tab::Overview if model.breadth() == Breadth::Wide => dashboard::draw(model, &subject, body, sheet),
        Tab::Overview => draw_overview(model, &subject, body, sheet),
        Tab::Containers => draw_containers(model, &subject, body, sheet),
        Tab::Graphs => graphs::draw(model, &Measured::Service(at.clone()), inset(body), sheet),
        Tab::Releases => draw_releases(model, &subject, body, sheet),
        Tab::Deploys => draw_deploys(model, &subject, body, sheet),
        Tab::Logs => stream_logs::draw(model, body, sheet),
    }
}

fn focused(model: &Model) -> bool {
    model.focus != Focus::List
}

fn selected(model: &Model, place: usize) -> Option<Selected> {
    Some(Selected { has_keys: focused(model), ..Selected::of(place, model) })
}

fn draw_tabs(model: &Model, subject: &Subject<'_>, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let (releases, deploys) = overview::counts(subject.known.and_then(Known::detail));
    let count = |count: Option<usize>| count.map(|count| format!(" {count}")).unwrap_or_default();
    let mut spans = Vec::new();
    for tab in Tab::ALL {
        let label = match tab {
            Tab::Overview => "overview".to_owned(),
            Tab::Containers => format!("containers {}", subject.service.containers.len()),
            Tab::Graphs => "graphs".to_owned(),
            Tab::Releases => format!("releases{}", count(releases)),
            Tab::Deploys => format!("deploys{}", count(deploys)),
            Tab::Logs => "logs".to_owned(),
        };
        let tone = if tab == model.pane.tab { Tone::TabActive } else { Tone::Tab };
        spans.extend([pen.span(tone, label), Span::raw(if area.width >= 90 { "   " } else { "  " })]);
    }
    let widths = spans.chunks(2).map(|pair| pair.iter().map(Span::width).sum::<usize>()).collect::<Vec<_>>();
    let tabs = Line::from(spans);
    let title_tone = if focused(model) { Tone::Focused } else { Tone::Strong };
    let mut title = Line::from(vec![
        look::service(subject.service).sign(pen),
        pen.span(title_tone, format!(" {}", subject.service.name)),
        pen.span(Tone::Muted, " on "),
    ]);
    title.spans.extend(named::server(subject.server, Tone::Muted, pen));
    let room = usize::from(area.width);
    let beside = tabs.width() + title.width() <= room;
    let mut place = area.x;
    if beside {
        place += area.width - u16::try_from(tabs.width()).unwrap_or(0);
        sheet.put(area, 0, title);
    }
    sheet.put(Rect { x: place, width: area.right() - place, ..area }, 0, tabs);
    for (tab, width) in Tab::ALL.into_iter().zip(widths) {
        let width = u16::try_from(width).unwrap_or(0);
        sheet.spot(Rect { x: place, width, height: 1, ..area }, Target::Tab(tab));
        place += width;
    }
    let rule = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    sheet.rule_across(rule, 0);
}

/// Says that nothing here is from now, when it is not.
fn stale_line(subject: &Subject<'_>, area: Rect, sheet: &mut Sheet<'_>) -> bool {
    let name = &subject.server.name;
    let text = match &subject.server.connection {
        Connection::Stale { since, problem, .. } => {
            format!("as it was {} ago; {name} does not answer: {}", sheet.pen.elapsed(*since), problem.message)
        }
        Connection::Remembered { heard, .. } => {
            format!("as it was {} ago; connecting to {name}", sheet.pen.age(*heard))
        }
        Connection::Connecting | Connection::Live { .. } | Connection::Unreachable { .. } => return false,
    };
    sheet.put(area, 2, sheet.pen.line(Tone::Stale, text));
    true
}

fn inset(area: Rect) -> Rect {
    Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area }
}

fn draw_overview(model: &Model, subject: &Subject<'_>, area: Rect, sheet: &mut Sheet<'_>) {
    let area = inset(area);
    // Two columns at the right are for the mark that says where one is.
    let room = usize::from(area.width.saturating_sub(2));
    let lines = overview::lines(subject.server, subject.service, subject.known, room, sheet.pen);
    sheet.scroll(area, lines, model.pane.scroll);
}

fn draw_containers(model: &Model, subject: &Subject<'_>, area: Rect, sheet: &mut Sheet<'_>) {
    let containers = &subject.service.containers;
    if containers.is_empty() {
        return sheet.put(inset(area), 0, sheet.pen.line(Tone::Muted, "no containers"));
    }
    let (table, strip) = with_strip(area);
    let place = model.pane.container.place(&model.pane_containers());
    let rows = containers::rows(subject.server, subject.service, sheet.pen);
    let rows = history::Rows { columns: &containers::COLUMNS, rows, chosen: selected(model, place) };
    sheet.seen.body = rows.draw(table, sheet);
    if let Some(container) = containers.get(place) {
        super::strip::container(subject.server, container, strip, sheet);
    }
}

fn draw_releases(model: &Model, subject: &Subject<'_>, area: Rect, sheet: &mut Sheet<'_>) {
    let Some(detail) = subject.known.and_then(Known::detail) else { return draw_loading(subject, area, sheet) };
    if detail.releases.is_empty() {
        return sheet.put(inset(area), 0, sheet.pen.line(Tone::Muted, "no release was built yet"));
    }
    let (table, strip) = with_strip(area);
    let place = model.pane.release.place(&model.pane_releases());
    let rows = history::release_rows(subject.server, &detail.releases, sheet.pen);
    sheet.seen.body = history::releases(rows, selected(model, place)).draw(table, sheet);
    if let Some(release) = detail.releases.get(place) {
        super::strip::release(release, strip, sheet);
    }
}

fn draw_deploys(model: &Model, subject: &Subject<'_>, area: Rect, sheet: &mut Sheet<'_>) {
    let Some(detail) = subject.known.and_then(Known::detail) else { return draw_loading(subject, area, sheet) };
    if detail.deploys.is_empty() {
        return sheet.put(inset(area), 0, sheet.pen.line(Tone::Muted, "no deploy was asked for yet"));
    }
    let (table, strip) = with_strip(area);
    let place = model.pane.deploy.place(&model.pane_deploys());
    let rows = history::deploys(subject.server, &detail.deploys, selected(model, place), sheet.pen);
    sheet.seen.body = rows.draw(table, sheet);
    if let Some(deploy) = detail.deploys.get(place) {
        super::strip::deploy(deploy, strip, sheet);
    }
}

/// The table, and below it what is known of the selected line.
fn with_strip(area: Rect) -> (Rect, Rect) {
    let height = if area.height >= 14 { 6 } else { 0 };
    let table = Rect { height: area.height - height, ..area };
    (table, Rect { y: table.bottom(), height, ..area })
}

fn draw_loading(subject: &Subject<'_>, area: Rect, sheet: &mut Sheet<'_>) {
    match subject.known.and_then(Known::problem) {
        Some(problem) => sheet.put(inset(area), 0, sheet.pen.line(Tone::Error, problem.message.clone())),
        None => sheet.put(inset(area), 0, sheet.pen.line(Tone::Muted, overview::unknown(subject.server))),
    }
}
