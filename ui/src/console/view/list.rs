//! The list: servers → services → containers.

use mypaas::api::{ContainerState, ContainerView, ServiceView};
use mypaas::manifest::ServiceUrl;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::header::states_line;
use super::look::Look;
use super::named;
use super::pen::Pen;
use super::sheet::Sheet;
use super::table::{self, Fit, left, right, text};
use super::{certificate, format, look, nothing};
use crate::console::model::column::{self, Column};
use crate::console::model::fleet::{Connection, ServerEntry};
use crate::console::model::list::{List, Row};
use crate::console::model::order::Order;
use crate::console::model::{Focus, Model, Target, Window};
use crate::console::symbols::{CHOSEN, FOLDED, MARKED, NONE, UNFOLDED};
use crate::console::theme::Tone;
use crate::console::words;

/// The columns; those of the highest rank go first where there is no room.
const COLUMNS: [(Column, table::Column); 13] = [
    (Column::Name, table::name("SERVICE", 12, 0)),
    (Column::Server, text("SERVER", 6, 0)),
    (Column::State, left("STATE", 1)),
    (Column::Live, left("LIVE", 3)),
    (Column::Ready, right("READY", 2)),
    (Column::Age, right("AGE", 4)),
    (Column::Cpu, right("CPU", 5)),
    (Column::Memory, right("MEM", 6)),
    (Column::Requests, right("REQ/S", 7)),
    (Column::P95, right("P95", 8)),
    (Column::Errors, right("ERRORS", 9)),
    (Column::Certificate, right("CERT", 10)),
    (Column::Url, text("URL", 16, 11)),
];

/// An address longer than this is cut.
const LONGEST_URL: usize = 40;

/// How much of the room names keep: figures go before they get narrower than that.
fn kept_for_names(room: usize) -> usize {
    (room * 2 / 5).max(24).min(room)
}

pub(crate) fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let rows = model.list.rows(&model.fleet);
    if rows.is_empty() {
        return nothing::draw_services(model, area, sheet);
    }
    sheet.spot(area, Target::List);
    let inner = inset(area);
    let columns = Columns::of(model, &rows, usize::from(inner.width));
    let mut fit = columns.fit(usize::from(inner.width));
    draw_heading(model, &columns, &fit, inner, sheet);
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let page = usize::from(body.height);
    let place = model.list.position(&rows);
    let top = table::top(model.list.top, place.unwrap_or(0), rows.len(), page);
    sheet.seen.list = Window::of_rows(top, page, rows.len());
    columns.tell_apart(&mut fit, rows.iter().skip(top).take(page));
    for (offset, row) in rows.iter().enumerate().skip(top).take(page) {
        let line = u16::try_from(offset - top).unwrap_or(u16::MAX);
        let line = Rect { y: body.y + line, height: 1, ..body };
        if let Some(item) = row.item() {
            sheet.spot(line, Target::Item(item));
        }
        let shown = Shown { row, chosen: place == Some(offset), columns: &columns, fit: &fit };
        draw_row(model, &shown, line, sheet);
    }
    sheet.scroll_mark(body, top, rows.len());
}

/// One column at the left for the mark of the selection; at the right one, and one for that of the place.
fn inset(area: Rect) -> Rect {
    Rect { x: area.x + 1, width: area.width.saturating_sub(3), ..area }
}

/// The columns that are shown now, and what their contents need.
struct Columns {
    meanings: Vec<Column>,
    columns: Vec<table::Column>,
    widths: Vec<usize>,
    /// The one that the list is sorted by.
    sorted: usize,
}

impl Columns {
    fn of(model: &Model, rows: &[Row<'_>], room: usize) -> Self {
        let List { flat, order, .. } = &model.list;
        let shown = COLUMNS.into_iter().filter(|(meaning, _)| *flat || *meaning != Column::Server);
        let (meanings, mut columns): (Vec<_>, Vec<_>) = shown.unzip();
        let sorted = meanings.iter().position(|meaning| *meaning == order.by).unwrap_or(0);
        let mut widths: Vec<_> = meanings.iter().map(|meaning| needed(*meaning, rows)).collect();
        if let Some(name) = meanings.iter().position(|meaning| *meaning == Column::Name) {
            columns[name].least = columns[name].least.max(Some(kept_for_names(room)));
        }
        table::make_room_for_sign(&mut columns[sorted], &mut widths[sorted]);
        Self { meanings, columns, widths, sorted }
    }

    fn fit(&self, room: usize) -> Fit<'_> {
        Fit::of(&self.columns, &self.widths, room)
    }

    /// Only what is on the screen can be taken for each other.
    fn tell_apart<'a>(&self, fit: &mut Fit<'_>, rows: impl Iterator<Item = &'a Row<'a>>) {
        let names = rows.filter_map(|row| match row {
            Row::Service { service, .. } => Some(service.name.as_str()),
            Row::Server { .. } | Row::Container { .. } | Row::Empty => None,
        });
        if let Some(index) = self.meanings.iter().position(|meaning| *meaning == Column::Name) {
            fit.tell_apart(index, BEFORE_NAME, names);
        }
    }
}

/// Before the name of a service: where it would be marked, a blank, its sign, a blank.
const BEFORE_NAME: usize = 4;

/// How wide a column's contents are. Figures have a fixed width, so that nothing moves when they change.
fn needed(column: Column, rows: &[Row<'_>]) -> usize {
    let widest = |width: &dyn Fn(&Row<'_>) -> usize| rows.iter().map(width).max().unwrap_or(0);
    match column {
        Column::Name => widest(&|row| match row {
            Row::Service { service, .. } => service.name.as_str().len() + BEFORE_NAME,
            Row::Container { service, container, .. } => words::short(&container.name, &service.name).len() + 6,
            Row::Server { .. } | Row::Empty => 0,
        }),
        Column::Server => widest(&|row| match row {
            Row::Service { server, .. } => server.name.as_str().len() + if server.lock { 2 } else { 0 },
            _ => 0,
        }),
        Column::State => 10,
        Column::Live => 4,
        Column::Ready | Column::Cpu | Column::Memory | Column::Requests | Column::P95 => 5,
        Column::Errors => 6,
        Column::Certificate => 7,
        Column::Age => 3,
        Column::Url => LONGEST_URL,
    }
}

fn draw_heading(model: &Model, columns: &Columns, fit: &Fit<'_>, area: Rect, sheet: &mut Sheet<'_>) {
    let order = model.list.order;
    let is_usual = order == Order::default() && !model.list.flat;
    let sorted = (!is_usual).then(|| (columns.sorted, order.direction()));
    fit.draw_heading(sorted, |index| Some(Target::Column(columns.meanings[index])), area, sheet);
}

/// One line, and how it is shown.
struct Shown<'a> {
    row: &'a Row<'a>,
    chosen: bool,
    columns: &'a Columns,
    fit: &'a Fit<'a>,
}

fn draw_row(model: &Model, shown: &Shown<'_>, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let inner = inset(area);
    let cells = |cell: &dyn Fn(Column) -> Line<'static>| {
        shown.fit.row(shown.columns.meanings.iter().map(|meaning| cell(*meaning)).collect())
    };
    let line = match shown.row {
        Row::Server { server, folded } => of_server(server, *folded, pen),
        Row::Service { server, service, .. } => cells(&|column| of_service(column, server, service, pen)),
        Row::Container { server, service, container } => {
            cells(&|column| of_container(column, server, service, container, pen))
        }
        Row::Empty => nothing::yet(model, pen),
    };
    sheet.put(inner, 0, line);
    if let Row::Service { server, .. } | Row::Container { server, .. } = shown.row
        && !server.is_live()
    {
        sheet.paint(inner, Tone::Outdated);
    }
    if let Row::Service { server, service } = shown.row
        && model.list.marks.has(server, service)
    {
        sheet.put(inner, 0, pen.line(Tone::Accent, MARKED));
    }
    if shown.chosen {
        let focused = model.focus == Focus::List;
        sheet.put(area, 0, pen.line(Tone::Accent, CHOSEN));
        sheet.paint(area, if focused { Tone::Selected } else { Tone::SelectedElsewhere });
    }
}

fn of_server(server: &ServerEntry, folded: bool, pen: &Pen<'_>) -> Line<'static> {
    let sign = if folded { FOLDED } else { UNFOLDED };
    let mut spans = vec![pen.span(Tone::Muted, format!("{sign} "))];
    spans.extend(named::server(server, Tone::Strong, pen));
    spans.push(Span::raw("  "));
    if server.is_read_only() {
        spans.push(pen.span(Tone::Warning, "read only  "));
    }
    spans.extend(connection(server, folded, pen));
    Line::from(spans)
}

/// How a server is, in few words.
fn connection(server: &ServerEntry, folded: bool, pen: &Pen<'_>) -> Vec<Span<'static>> {
    match &server.connection {
        Connection::Connecting => vec![pen.span(Tone::Pending, "connecting")],
        Connection::Unreachable { since, problem } => {
            let text = format!("silent for {}: {}", pen.age(*since), problem.message);
            vec![pen.span(Tone::Failing, text)]
        }
        Connection::Stale { since, .. } => {
            vec![pen.span(Tone::Stale, format!("silent for {}, shown as it was then", pen.elapsed(*since)))]
        }
        Connection::Remembered { heard, .. } => {
            vec![pen.span(Tone::Stale, format!("connecting; as it was {} ago", pen.age(*heard)))]
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

fn of_service(column: Column, server: &ServerEntry, service: &ServiceView, pen: &Pen<'_>) -> Line<'static> {
    let look = look::service(service);
    match column {
        Column::Name => with_sign("  ", &look, service.name.as_str(), pen),
        Column::Server => named::server_line(server, Tone::Muted, pen),
        Column::State => Line::from(look.word(pen)),
        Column::Live => {
            pen.line(Tone::Text, service.release.map_or_else(|| NONE.to_owned(), |release| release.to_string()))
        }
        Column::Ready => {
            let tone = if service.ready < service.wanted { Tone::Degraded } else { Tone::Text };
            pen.line(tone, ready(service))
        }
        Column::Age => {
            pen.line(Tone::Muted, service.since.map_or_else(|| NONE.to_owned(), |since| pen.age(server.here(since))))
        }
        Column::Cpu => figure(pen, column::cpu(service).map(format::percent)),
        Column::Memory => figure(pen, column::memory(service).map(format::bytes)),
        Column::Requests => figure(pen, service.traffic.map(|traffic| format::rate(traffic.requests_per_second))),
        Column::P95 => figure(pen, service.traffic.and_then(|traffic| traffic.p95).map(format::latency)),
        Column::Errors => errors(service, pen),
        Column::Certificate => certificate::short(server, service, pen),
        Column::Url => pen.line(Tone::Link, service.urls.first().map(short_url).unwrap_or_default()),
    }
}

fn errors(service: &ServiceView, pen: &Pen<'_>) -> Line<'static> {
    let Some(traffic) = service.traffic else { return figure(pen, None) };
    let tone = if traffic.error_share > 0.0 { Tone::Failing } else { Tone::Text };
    pen.line(tone, format::share(traffic.error_share))
}

fn with_sign(indent: &'static str, look: &Look, name: &str, pen: &Pen<'_>) -> Line<'static> {
    Line::from(vec![Span::raw(indent), look.sign(pen), Span::raw(" "), pen.span(Tone::Text, name)])
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

fn of_container(
    column: Column,
    server: &ServerEntry,
    service: &ServiceView,
    container: &ContainerView,
    pen: &Pen<'_>,
) -> Line<'static> {
    let look = look::container(container);
    match column {
        Column::Name => with_sign("    ", &look, words::short(&container.name, &service.name), pen),
        Column::State => Line::from(look.word(pen)),
        Column::Live => pen.line(Tone::Text, container.release.to_string()),
        Column::Age => {
            let since = match &container.state {
                ContainerState::Running { since, .. } => Some(*since),
                ContainerState::Exited { at, .. } => Some(*at),
                _ => None,
            };
            pen.line(Tone::Muted, since.map(|since| pen.age(server.here(since))).unwrap_or_default())
        }
        Column::Cpu => figure(pen, container.cpu_percent.map(format::percent)),
        Column::Memory => figure(pen, container.memory_bytes.map(format::bytes)),
        Column::Url => pen.line(Tone::Muted, container.address.to_string()),
        Column::Server | Column::Ready | Column::Requests | Column::P95 | Column::Errors | Column::Certificate => {
            Line::default()
        }
    }
}

fn figure(pen: &Pen<'_>, text: Option<String>) -> Line<'static> {
    match text {
        Some(text) => pen.line(Tone::Text, text),
        None => pen.line(Tone::Muted, NONE),
    }
}
