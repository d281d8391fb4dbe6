//! One server: how it is, what it runs on, and how that was over time.

use jiff::Timestamp;
use mypaas::api::{Limits, MachineFigures, Part, Problem, Role, Snapshot};
use mypaas::name::ServiceName;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::header::states_line;
use super::pen::Pen;
use super::sheet::Sheet;
use super::{format, graphs, history, named, overview, problem};
use crate::console::model::Model;
use crate::console::model::fleet::{Connection, ServerEntry};
use crate::console::model::histories::Measured;
use crate::console::symbols::{DOWN, RUNNING};
use crate::console::theme::Tone;
use crate::console::words::counted;

/// Lower than this there is no room for graphs below the rest.
const GRAPHS_NEED: u16 = 30;
const GRAPHS_HEIGHT: u16 = 15;

pub(crate) fn draw(model: &Model, server: &ServerEntry, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let mut title = named::server(server, Tone::Strong, pen);
    title.push(pen.span(Tone::Muted, format!("  {}", server.endpoint)));
    sheet.put(area, 0, Line::from(title));
    let rule = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    sheet.rule_across(rule, 0);
    let body = Rect { y: area.y + 2.min(area.height), height: area.height.saturating_sub(2), ..area };
    let is_live = server.is_live() && body.height >= GRAPHS_NEED;
    let text = Rect { height: body.height - if is_live { GRAPHS_HEIGHT + 1 } else { 0 }, ..body };
    // Two columns at the right are for the mark that says where one is.
    let room = usize::from(area.width.saturating_sub(2));
    sheet.scroll(text, lines(server, room, pen), model.pane.scroll);
    if is_live {
        let graphs = Rect { y: text.bottom() + 1, height: GRAPHS_HEIGHT, ..body };
        let of_text = sheet.seen.body;
        graphs::draw(model, &Measured::Machine(server.name.clone()), graphs, sheet);
        if of_text.last_top > 0 {
            sheet.seen.body = of_text;
        }
    }
}

pub(crate) fn lines(server: &ServerEntry, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    match &server.connection {
        Connection::Connecting => vec![pen.line(Tone::Pending, "connecting …")],
        Connection::Unreachable { since, problem } => silent(server, *since, problem, room, pen),
        Connection::Stale { snapshot, since, problem } => {
            let mut lines = silent(server, *since, problem, room, pen);
            lines.push(Line::default());
            lines.push(overview::title("WHAT IT SAID LAST", pen));
            lines.extend(facts(server, snapshot, room, pen));
            lines
        }
        Connection::Remembered { snapshot, heard } => {
            let text = format!("connecting … what follows is from {} ago", pen.age(*heard));
            let mut lines = vec![pen.line(Tone::Stale, text), Line::default()];
            lines.extend(facts(server, snapshot, room, pen));
            lines
        }
        Connection::Live { snapshot, .. } => facts(server, snapshot, room, pen),
    }
}

fn silent(server: &ServerEntry, since: Timestamp, why: &Problem, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let mut lines = vec![pen.line(Tone::Stale, format!("Silent for {}.", pen.elapsed(since)))];
    lines.extend(problem::lines(why, room, pen));
    let next = if server.has_way {
        "It is tried again every few seconds."
    } else {
        "It is tried again when the console is started anew."
    };
    lines.push(pen.line(Tone::Muted, next));
    lines
}

fn facts(server: &ServerEntry, snapshot: &Snapshot, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let view = &snapshot.server;
    let mut lines = vec![
        field(
            pen,
            "services",
            if snapshot.services.is_empty() {
                pen.line(Tone::Muted, "none yet")
            } else {
                states_line(&server.tally(), pen)
            },
        ),
        field(
            pen,
            "server",
            pen.line(Tone::Text, format!("mypaas {}, up for {}", view.version, pen.age(server.here(view.started)))),
        ),
    ];
    lines.extend(view.machine.as_ref().map(|machine| field(pen, "machine", of_machine(machine, pen))));
    lines.extend(view.limits.as_ref().map(|limits| field(pen, "your key", rights(limits, pen))));
    lines.extend(part(pen, "engine", &view.engine, room, |info| {
        let memory = format::bytes(info.memory_bytes);
        format!("{} {}, {} CPUs, {memory} of memory", info.name, info.version, info.cpus)
    }));
    lines.extend(part(pen, "router", &view.router, room, |info| {
        format!("{} {}, http on port {}, https on {}", info.name, info.version, info.http_port, info.https_port)
    }));
    lines.push(Line::default());
    if snapshot.deploys.is_empty() {
        lines.push(pen.line(Tone::Muted, "no deploys yet"));
    } else {
        lines.extend(history::of_all(server, &snapshot.deploys, room, pen));
    }
    lines
}

fn of_machine(machine: &MachineFigures, pen: &Pen<'_>) -> Line<'static> {
    let of = |used: u64, all: u64| format!("{} of {}", format::bytes(used), format::bytes(all));
    let cpu = machine.cpu_percent.map_or_else(|| "not measured yet".to_owned(), format::percent);
    let text = format!(
        "CPU {cpu} of {}, memory {}, disk {}",
        counted(machine.cpus as usize, "core", "cores"),
        of(machine.memory_used_bytes, machine.memory_bytes),
        of(machine.disk_used_bytes, machine.disk_bytes)
    );
    pen.line(Tone::Text, text)
}

/// What whoever looks may do there.
fn rights(limits: &Limits, pen: &Pen<'_>) -> Line<'static> {
    let names = limits.services.as_ref().map(|services| {
        let names: Vec<_> = services.iter().map(ServiceName::as_str).collect();
        format!(" {} only", names.join(", "))
    });
    let verb = if limits.role < Role::Operator { "may look at" } else { "may change" };
    pen.line(Tone::Warning, format!("{verb}{}", names.unwrap_or_else(|| " everything, and change nothing".into())))
}

fn part<T>(
    pen: &Pen<'_>,
    name: &str,
    part: &Part<T>,
    room: usize,
    words: impl FnOnce(&T) -> String,
) -> Vec<Line<'static>> {
    match part {
        Part::Up { info } => {
            let line = vec![pen.span(Tone::Healthy, format!("{RUNNING} ")), pen.span(Tone::Text, words(info))];
            vec![field(pen, name, Line::from(line))]
        }
        Part::Down { problem: why } => {
            let mut lines = vec![field(pen, name, pen.line(Tone::Failing, format!("{DOWN} down")))];
            lines.extend(problem::lines(why, room.saturating_sub(10), pen).into_iter().map(indented));
            lines
        }
    }
}

fn indented(mut line: Line<'static>) -> Line<'static> {
    line.spans.insert(0, Span::raw("          "));
    line
}

fn field(pen: &Pen<'_>, name: &str, value: Line<'static>) -> Line<'static> {
    let mut spans = vec![pen.span(Tone::Heading, format!("{name:<10}"))];
    spans.extend(value.spans);
    Line::from(spans)
}
