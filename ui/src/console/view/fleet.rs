//! All servers: how each is, what it has left, what it runs.

use mypaas::api::MachineFigures;
use mypaas::name::ServerName;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::history::{Rows, Selected, Sorted};
use super::pen::Pen;
use super::sheet::Sheet;
use super::table::{Cells, Column, left, right, text};
use super::{format, header, named, nothing, server};
use crate::console::command::Command;
use crate::console::model::fleet::{Connection, ServerEntry};
use crate::console::model::servers::place_of;
use crate::console::model::{Model, concern, servers};
use crate::console::symbols::{DOWN, NONE, RUNNING, WAITING};
use crate::console::theme::Tone;

const COLUMNS: [Column; 10] = [
    text("SERVER", 8, 0),
    left("DATA", 0),
    right("CPU", 1),
    right("MEM", 2),
    right("DISK", 3),
    left("SERVICES", 1),
    right("ALERTS", 0),
    left("VERSION", 5),
    right("UP", 6),
    text("ADDRESS", 12, 7),
];

/// What sorts by each of them.
const SORTS: [Command; 10] = [
    Command::SortName,
    Command::SortState,
    Command::SortCpu,
    Command::SortMemory,
    Command::SortDisk,
    Command::SortServices,
    Command::SortAlerts,
    Command::SortVersion,
    Command::SortAge,
    Command::SortUrl,
];

/// From here on a resource is about to run out.
const SCARCE: f64 = 0.75;
const NEARLY_GONE: f64 = 0.9;

/// Below the list, where there is room for it.
const STRIP_HEIGHT: u16 = 12;

pub(crate) fn draw(model: &Model, selected: Option<&ServerName>, area: Rect, sheet: &mut Sheet<'_>) {
    let servers = model.shown_servers();
    if servers.is_empty() {
        let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
        if model.fleet.servers.is_empty() {
            return sheet.put(inner, 1, sheet.pen.line(Tone::Muted, "No server is known."));
        }
        let below = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
        return nothing::draw(model, "No server", model.servers.filter.line.text(), below, sheet);
    }
    let place = place_of(selected, &servers);
    // The list matters more than all that is known of one of them.
    let rest = if area.height >= STRIP_HEIGHT + 6 { area.height - STRIP_HEIGHT } else { area.height };
    let needed = u16::try_from(servers.len() + 2).unwrap_or(u16::MAX);
    let height = if rest < area.height { needed.min(rest) } else { rest };
    let table = Rect { height, ..area };
    let rows = servers.iter().map(|server| row(server, sheet.pen)).collect();
    let rows = Rows { columns: &COLUMNS, rows, chosen: Some(Selected::of(place, model)) };
    let order = model.servers.order;
    let by = SORTS.iter().position(|command| command.server_column() == Some(order.by));
    let sorted = Sorted { commands: &SORTS, by: by.map(|by| (by, order.direction())) };
    sheet.seen.body = rows.draw_sorted(&sorted, table, sheet);
    let below = Rect { y: table.bottom(), height: area.height - height, ..area };
    draw_selected(servers[place], below, sheet);
}

fn draw_selected(entry: &ServerEntry, area: Rect, sheet: &mut Sheet<'_>) {
    if area.height < 3 {
        return;
    }
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    sheet.rule_across(inner, 0);
    let body = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
    sheet.put_all(body, server::lines(entry, usize::from(body.width), sheet.pen));
}

fn row(server: &ServerEntry, pen: &Pen<'_>) -> Cells {
    let view = server.snapshot().map(|snapshot| &snapshot.server);
    let machine = view.and_then(|view| view.machine.as_ref());
    // What a silent server said is not how it is.
    let now = |tone| if server.is_live() { tone } else { Tone::Outdated };
    let figure = |text: Option<(String, Tone)>| match text {
        Some((text, tone)) => pen.line(now(tone), text),
        None => pen.line(Tone::Muted, NONE),
    };
    let alerts = concern::count(server);
    vec![
        named::server_line(server, Tone::Strong, pen),
        data(server, pen),
        figure(machine.and_then(cpu)),
        figure(machine.map(servers::memory).and_then(share)),
        figure(machine.map(servers::disk).and_then(share)),
        services(server, pen),
        pen.line(if alerts > 0 { Tone::Warning } else { Tone::Muted }, alerts.to_string()),
        figure(view.map(|view| (view.version.clone(), Tone::Text))),
        figure(view.map(|view| (pen.age(server.here(view.started)), Tone::Muted))),
        pen.line(Tone::Muted, server.endpoint.clone()),
    ]
}

/// How old what is shown is.
fn data(server: &ServerEntry, pen: &Pen<'_>) -> Line<'static> {
    let (sign, text, tone) = match &server.connection {
        Connection::Connecting => (WAITING, "connecting".to_owned(), Tone::Pending),
        Connection::Remembered { heard, .. } => (WAITING, format!("connecting; {} old", pen.age(*heard)), Tone::Stale),
        Connection::Live { .. } if server.is_read_only() => (RUNNING, "live, read only".to_owned(), Tone::Healthy),
        Connection::Live { .. } => (RUNNING, "live".to_owned(), Tone::Healthy),
        Connection::Stale { since, .. } => (DOWN, format!("silent for {}", pen.age(*since)), Tone::Stale),
        Connection::Unreachable { since, .. } => (DOWN, format!("silent for {}", pen.age(*since)), Tone::Failing),
    };
    pen.line(tone, format!("{sign} {text}"))
}

fn cpu(machine: &MachineFigures) -> Option<(String, Tone)> {
    let percent = machine.cpu_percent?;
    Some((format::percent(percent), pressure(f64::from(percent) / 100.0)))
}

/// How much of it is in use.
fn share((used, all): (u64, u64)) -> Option<(String, Tone)> {
    let share = servers::share(used, all)?;
    Some((format!("{:.0}%", share * 100.0), pressure(share)))
}

/// How grave it is that so much of something is in use.
pub(super) fn pressure(share: f64) -> Tone {
    match share {
        _ if share >= NEARLY_GONE => Tone::Failing,
        _ if share >= SCARCE => Tone::Degraded,
        _ => Tone::Text,
    }
}

fn services(server: &ServerEntry, pen: &Pen<'_>) -> Line<'static> {
    if server.snapshot().is_none() {
        return pen.line(Tone::Muted, NONE);
    }
    let mut line = header::signs_line(&server.tally(), pen);
    if line.spans.is_empty() {
        line.push_span(Span::styled("none", pen.style(Tone::Muted)));
    }
    if !server.is_live() {
        let style = pen.style(Tone::Outdated);
        line.spans.iter_mut().for_each(|span| span.style = style);
    }
    line
}
