//! Figures of a service, or of a machine, over time: as many graphs as there is room for.

use mypaas::api::{History, Measure};
use ratatui::layout::Rect;

use super::graph::{self, Graph, Series, Unit};
use super::sheet::Sheet;
use super::{format, problem};
use crate::console::model::histories::{Known, Measured, span_words};
use crate::console::model::{Model, Window};
use crate::console::theme::Tone;

/// Lower than this nothing can be seen in a graph: its title, two lines, the time.
const LEAST_HEIGHT: u16 = 4;
/// Higher ones are not clearer.
const MOST_HEIGHT: u16 = 14;
/// From this width on two graphs stand side by side.
const TWO_COLUMNS: u16 = 96;
const GAP: u16 = 3;

pub(crate) fn draw(model: &Model, of: &Measured, area: Rect, sheet: &mut Sheet<'_>) {
    let span = model.pane.span;
    let known = model.histories.get(of, span);
    draw_title(model, known, area, sheet);
    let body = Rect { y: area.y + 2.min(area.height), height: area.height.saturating_sub(2), ..area };
    match known {
        None => sheet.put(body, 0, sheet.pen.line(Tone::Muted, waiting(model, of))),
        Some(Known { history: Some(history), .. }) => draw_all(model, of, history, body, sheet),
        Some(Known { problem: Some(why), .. }) => {
            let lines = problem::lines(why, usize::from(body.width), sheet.pen);
            sheet.put_all(body, lines);
        }
        Some(Known { .. }) => {}
    }
}

fn waiting(model: &Model, of: &Measured) -> String {
    let server = match of {
        Measured::Machine(server) => server,
        Measured::Service(at) => &at.server,
    };
    let is_live = model.fleet.server(server).is_some_and(|server| server.is_live());
    if is_live { "loading …".into() } else { format!("not known: {server} does not answer") }
}

/// How far back, and what a point stands for.
fn draw_title(model: &Model, known: Option<&Known>, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let mut text = span_words(model.pane.span).to_owned();
    if let Some(history) = known.and_then(|known| known.history.as_ref()) {
        text.push_str(&format!(", measured each {}", format::elapsed(history.step)));
    }
    let mut line = pen.line(Tone::Strong, text);
    let problem = known.and_then(|known| Some((known.history.as_ref()?, known.problem.as_ref()?)));
    if let Some((history, problem)) = problem {
        let age = pen.age(graph::end(history));
        line.push_span(pen.span(Tone::Stale, format!("  as it was {age} ago: {}", problem.message)));
    }
    sheet.put(area, 0, line);
}

fn draw_all(model: &Model, of: &Measured, history: &History, area: Rect, sheet: &mut Sheet<'_>) {
    let graphs = graphs(model, of, history);
    let columns: u16 = if area.width >= TWO_COLUMNS { 2 } else { 1 };
    let count = graphs.len();
    let lines = u16::try_from(count).unwrap_or(u16::MAX).div_ceil(columns).max(1);
    let height = (area.height / lines).clamp(LEAST_HEIGHT, MOST_HEIGHT);
    let page = usize::from(area.height / height).max(1);
    let top = model.pane.scroll.min(usize::from(lines).saturating_sub(page));
    sheet.seen.body = Window::of_rows(top, page, usize::from(lines));
    let width = (area.width - GAP * (columns - 1)) / columns;
    let shown = graphs.iter().skip(top * usize::from(columns)).take(page * usize::from(columns));
    for (index, graph) in (0u16..).zip(shown) {
        let (column, line) = (index % columns, index / columns);
        let place = Rect { x: area.x + column * (width + GAP), y: area.y + line * height, width, height };
        // One line stays free between two of them, where there is one to spare.
        let spare = u16::from(height > LEAST_HEIGHT + 1);
        // On a very low terminal there may be less room than the least.
        graph::draw(graph, history, Rect { height: height - spare, ..place }.intersection(area), sheet);
    }
}

/// What there is to draw of it.
fn graphs<'a>(model: &Model, of: &Measured, history: &'a History) -> Vec<Graph<'a>> {
    let series = |measure, name, tone| {
        let values = history.series.get(&measure)?;
        Some(Series { name, values, tone })
    };
    let memory = memory_limit(model, of);
    let cpus = cpus(of);
    let alone = |title, unit, measure, limit| {
        Some(Graph { title, unit, front: series(measure, "", Tone::Link)?, back: None, limit })
    };
    let requests =
        series(Measure::Requests, "all", Tone::Link).map(|all| match series(Measure::Errors, "5xx", Tone::Failing) {
            Some(errors) => Graph { title: "REQUESTS", unit: Unit::Rate, front: errors, back: Some(all), limit: None },
            None => Graph { title: "REQUESTS", unit: Unit::Rate, front: all, back: None, limit: None },
        });
    let times = series(Measure::Median, "p50", Tone::Link).map(|median| Graph {
        title: "RESPONSE TIME",
        unit: Unit::Seconds,
        front: median,
        back: series(Measure::P95, "p95", Tone::Source2),
        limit: None,
    });
    let all = [
        alone("CPU", Unit::Percent, Measure::Cpu, cpus),
        alone("MEMORY", Unit::Bytes, Measure::Memory, memory),
        alone("DISK", Unit::Bytes, Measure::Disk, disk(model, of)),
        requests,
        times,
    ];
    all.into_iter().flatten().collect()
}

/// What all containers together may use, when each has a limit; of a machine what it has.
fn memory_limit(model: &Model, of: &Measured) -> Option<f32> {
    match of {
        Measured::Machine(server) => Some(machine(model, server)?.memory_bytes as f32),
        Measured::Service(at) => {
            let containers = &model.fleet.service(at)?.containers;
            let limits: Option<Vec<u64>> = containers.iter().map(|container| container.memory_limit_bytes).collect();
            limits.map(|limits| limits.iter().sum::<u64>() as f32).filter(|limit| *limit > 0.0)
        }
    }
}

/// A machine's CPU is told as a share of all of it.
fn cpus(of: &Measured) -> Option<f32> {
    matches!(of, Measured::Machine(_)).then_some(100.0)
}

fn disk(model: &Model, of: &Measured) -> Option<f32> {
    match of {
        Measured::Machine(server) => Some(machine(model, server)?.disk_bytes as f32),
        Measured::Service(_) => None,
    }
}

fn machine<'a>(model: &'a Model, server: &mypaas::name::ServerName) -> Option<&'a mypaas::api::MachineFigures> {
    model.fleet.server(server)?.snapshot()?.server.machine.as_ref()
}
