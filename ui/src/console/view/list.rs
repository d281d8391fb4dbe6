//! The list: servers → services → containers.

use mypaas::api::{ContainerView, ServiceView};
use mypaas::manifest::ServiceUrl;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::header::states_line;
use super::pen::Pen;
use super::sheet::Sheet;
use super::table::{Cells, Column, Fit, left, right, text};
use super::{format, look};
use crate::console::command::Command;
use crate::console::model::fleet::{Connection, ServerEntry};
use crate::console::model::list::Row;
use crate::console::model::{Focus, Model, Window};
use crate::console::symbols::{CHOSEN, FOLDED, NONE, UNFOLDED};
use crate::console::theme::Tone;

const COLUMNS: [Column; 8] = [
    text("SERVICE", 12, 0),
    text("STATE", 9, 1),
    left("LIVE", 3),
    right("READY", 2),
    right("AGE", 4),
    right("CPU", 5),
    right("MEM", 6),
    text("URL", 16, 7),
];

/// What the columns' contents need; the names' own width comes first.
const WIDTHS: [usize; 7] = [10, 4, 5, 3, 5, 5, 40];

pub(crate) fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let rows = model.list.rows(&model.fleet);
    if rows.is_empty() {
        return draw_nothing(model, area, sheet);
    }
    let inner = inset(area);
    let fit = fit(&rows, usize::from(inner.width));
    sheet.put(inner, 0, fit.heading(sheet.pen));
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let page = usize::from(body.height);
    let place = model.list.position(&rows);
    let top = top(model.list.top, place.unwrap_or(0), rows.len(), page);
    sheet.seen.list = Window { top, page, last_top: rows.len().saturating_sub(page) };
    for (offset, row) in rows.iter().enumerate().skip(top).take(page) {
        let line = u16::try_from(offset - top).unwrap_or(u16::MAX);
        draw_row(model, row, place == Some(offset), &fit, Rect { y: body.y + line, height: 1, ..body }, sheet);
    }
    sheet.scroll_mark(body, top, rows.len());
}

/// One column at the left for the mark of the selection; at the right one, and one for that of the place.
fn inset(area: Rect) -> Rect {
    Rect { x: area.x + 1, width: area.width.saturating_sub(3), ..area }
}

/// As before where that still shows the selected line.
fn top(before: usize, place: usize, count: usize, page: usize) -> usize {
    let least = (place + 1).saturating_sub(page);
    before.clamp(least, place.max(least)).min(count.saturating_sub(page))
}

fn fit(rows: &[Row<'_>], room: usize) -> Fit<'static> {
    let name = |row: &Row<'_>| match row {
        Row::Service { service, .. } => service.name.as_str().len() + 4,
        Row::Container { service, container, .. } => short_name(service, container).len() + 6,
        Row::Server { .. } | Row::Empty => 0,
    };
    let mut widths = vec![rows.iter().map(name).max().unwrap_or(0).min(40)];
    widths.extend(WIDTHS);
    Fit::of(&COLUMNS, &widths, room)
}

fn draw_row(model: &Model, row: &Row<'_>, chosen: bool, fit: &Fit<'_>, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let inner = inset(area);
    let line = match row {
        Row::Server { server, folded } => of_server(server, *folded, pen),
        Row::Service { server, service, .. } => fit.row(of_service(server, service, pen)),
        Row::Container { server, service, container } => fit.row(of_container(server, service, container, pen)),
        Row::Empty => nothing_yet(model, pen),
    };
    sheet.put(inner, 0, line);
    if let Row::Service { server, .. } | Row::Container { server, .. } = row
        && !server.is_live()
    {
        sheet.paint(inner, Tone::Outdated);
    }
    if chosen {
        let focused = model.focus == Focus::List;
        sheet.put(area, 0, pen.line(Tone::Accent, CHOSEN));
        sheet.paint(area, if focused { Tone::Selected } else { Tone::SelectedElsewhere });
    }
}

fn of_server(server: &ServerEntry, folded: bool, pen: &Pen<'_>) -> Line<'static> {
    let sign = if folded { FOLDED } else { UNFOLDED };
    let mut spans = vec![
        pen.span(Tone::Muted, format!("{sign} ")),
        pen.span(Tone::Strong, server.name.to_string()),
        Span::raw("  "),
    ];
    spans.extend(connection(server, folded, pen));
    Line::from(spans)
}

/// How a server is, in few words.
fn connection(server: &ServerEntry, folded: bool, pen: &Pen<'_>) -> Vec<Span<'static>> {
    match &server.connection {
        Connection::Connecting => vec![pen.span(Tone::Pending, "connecting")],
        Connection::Unreachable { since, problem } => {
            let text = format!("unreachable for {}: {}", pen.age(*since), problem.message);
            vec![pen.span(Tone::Failing, text)]
        }
        Connection::Stale { since, .. } => {
            vec![pen.span(Tone::Stale, format!("stale: no answer for {}", pen.elapsed(*since)))]
        }
        Connection::Live { snapshot, .. } => {
            if snapshot.server.engine.up().is_none() {
                return vec![pen.span(Tone::Failing, "the engine is down")];
            }
            if snapshot.server.router.up().is_none() {
                return vec![pen.span(Tone::Failing, "the router is down")];
            }
            if folded { states_line(&server.tally(), pen).spans } else { Vec::new() }
        }
    }
}

fn of_service(server: &ServerEntry, service: &ServiceView, pen: &Pen<'_>) -> Cells {
    let look = look::service(service);
    let cpu = service.containers.iter().filter_map(|container| container.cpu_percent).reduce(|sum, next| sum + next);
    let memory =
        service.containers.iter().filter_map(|container| container.memory_bytes).reduce(|sum, next| sum + next);
    let ready_tone = if service.ready < service.wanted { Tone::Degraded } else { Tone::Text };
    vec![
        Line::from(vec![
            Span::raw("  "),
            look.sign(pen),
            Span::raw(" "),
            pen.span(Tone::Text, service.name.to_string()),
        ]),
        Line::from(look.word(pen)),
        pen.line(Tone::Text, service.release.map_or_else(|| NONE.to_owned(), |release| release.to_string())),
        pen.line(ready_tone, ready(service)),
        pen.line(Tone::Muted, service.since.map_or_else(|| NONE.to_owned(), |since| pen.age(server.here(since)))),
        figure(pen, cpu.map(format::percent)),
        figure(pen, memory.map(format::bytes)),
        pen.line(Tone::Link, service.urls.first().map(short_url).unwrap_or_default()),
    ]
}

/// Without the scheme where it is the usual one.
fn short_url(url: &ServiceUrl) -> String {
    let text = url.to_string();
    text.strip_prefix("https://").map(ToOwned::to_owned).unwrap_or(text)
}

/// As in `2/3`; nothing where none should be.
fn ready(service: &ServiceView) -> String {
    if service.wanted == 0 && service.ready == 0 {
        NONE.to_owned()
    } else {
        format!("{}/{}", service.ready, service.wanted)
    }
}

fn of_container(server: &ServerEntry, service: &ServiceView, container: &ContainerView, pen: &Pen<'_>) -> Cells {
    let look = look::container(container);
    let since = match &container.state {
        mypaas::api::ContainerState::Running { since, .. } => Some(*since),
        mypaas::api::ContainerState::Exited { at, .. } => Some(*at),
        _ => None,
    };
    vec![
        Line::from(vec![
            Span::raw("    "),
            look.sign(pen),
            Span::raw(" "),
            pen.span(Tone::Text, short_name(service, container)),
        ]),
        Line::from(look.word(pen)),
        pen.line(Tone::Text, container.release.to_string()),
        Line::default(),
        pen.line(Tone::Muted, since.map(|since| pen.age(server.here(since))).unwrap_or_default()),
        figure(pen, container.cpu_percent.map(format::percent)),
        figure(pen, container.memory_bytes.map(format::bytes)),
        pen.line(Tone::Muted, container.address.to_string()),
    ]
}

fn figure(pen: &Pen<'_>, text: Option<String>) -> Line<'static> {
    match text {
        Some(text) => pen.line(Tone::Text, text),
        None => pen.line(Tone::Muted, NONE),
    }
}

/// The container's name without the service's, which stands above it.
pub(crate) fn short_name(service: &ServiceView, container: &ContainerView) -> String {
    let name = container.name.as_str();
    let flat = service.name.flat();
    let own = name.split_once(&flat).map(|(_, rest)| rest.trim_start_matches('.'));
    own.filter(|rest| !rest.is_empty()).unwrap_or(name).to_owned()
}

fn nothing_yet(model: &Model, pen: &Pen<'_>) -> Line<'static> {
    let key = model.keymap.key_of(Command::Push).map(ToString::to_string).unwrap_or_default();
    Line::from(vec![
        pen.span(Tone::Muted, "    no services yet: press "),
        pen.span(Tone::Key, key),
        pen.span(Tone::Muted, " to push a folder"),
    ])
}

fn draw_nothing(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let text = if model.list.filter.is_empty() {
        "No server is known.".to_owned()
    } else {
        format!("No service matches {:?}; esc shows all again.", model.list.filter.line.text())
    };
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let lines = super::text::wrap(&text, usize::from(inner.width)).into_iter().map(|line| pen.line(Tone::Muted, line));
    sheet.put_all(Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner }, lines.collect());
}
