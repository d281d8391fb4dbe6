//! One graph: a title with the newest figures, columns of blocks from zero upwards, the scale at the left, the time
//! below. Where nothing was measured nothing is drawn; a measured zero is a line at the bottom.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mypaas::api::{History, Span};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span as Text};

use super::format;
use super::pen::Pen;
use super::sheet::Sheet;
use crate::console::symbols::{BAR_EMPTY, BLOCKS};
use crate::console::theme::Tone;

/// For the scale at the left.
const SCALE_WIDTH: u16 = 7;

/// In one cell, from bottom to top.
const STEPS: usize = BLOCKS.len();

pub(crate) struct Graph<'a> {
    pub title: &'static str,
    pub unit: Unit,
    pub front: Series<'a>,
    /// Drawn behind the other one: what is above it.
    pub back: Option<Series<'a>>,
    /// What there is at most, told beside the title.
    pub limit: Option<f32>,
}

#[derive(Clone, Copy)]
pub(crate) struct Series<'a> {
    /// Empty where there is only one.
    pub name: &'static str,
    pub values: &'a [Option<f32>],
    pub tone: Tone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Percent,
    Bytes,
    /// A second.
    Rate,
    Seconds,
}

impl Unit {
    pub(crate) fn words(self, value: f32) -> String {
        match self {
            Unit::Percent => format::percent(value),
            Unit::Bytes => format::bytes(value.max(0.0) as u64),
            Unit::Rate => format!("{}/s", format::rate(value)),
            Unit::Seconds => format::latency(Duration::try_from_secs_f32(value.max(0.0)).unwrap_or_default()),
        }
    }

    /// The end of the scale: a round figure that is not below any value.
    fn ceiling(self, greatest: f32) -> f32 {
        let least = match self {
            Unit::Percent | Unit::Rate => 1.0,
            Unit::Bytes => 1024.0 * 1024.0,
            Unit::Seconds => 0.001,
        };
        let greatest = greatest.max(least);
        if self == Unit::Bytes {
            return greatest.log2().ceil().exp2();
        }
        let power = 10f32.powf(greatest.log10().floor());
        // A little more than a round figure by rounding alone is that figure.
        let step = [1.0, 2.0, 5.0].into_iter().find(|step| power * step >= greatest * 0.999_99);
        power * step.unwrap_or(10.0)
    }
}

pub(crate) fn draw(graph: &Graph<'_>, history: &History, area: Rect, sheet: &mut Sheet<'_>) {
    if area.height < 3 || area.width <= SCALE_WIDTH + 8 {
        return;
    }
    let plot = Rect {
        x: area.x + SCALE_WIDTH + 1,
        y: area.y + 1,
        width: area.width - SCALE_WIDTH - 1,
        height: area.height - 2,
    };
    let front = fitted(graph.front.values, usize::from(plot.width));
    let back = graph.back.map(|back| fitted(back.values, usize::from(plot.width)));
    let all = front.iter().chain(back.iter().flatten()).copied().flatten();
    let top = graph.unit.ceiling(all.fold(0.0, f32::max));
    sheet.put(area, 0, title(graph, sheet.pen));
    draw_scale(graph.unit, top, area, plot, sheet);
    for row in 0..plot.height {
        let below = usize::from(plot.height - 1 - row);
        let line = (0..front.len()).map(|index| {
            let back = back.as_ref().map(|back| back[index]);
            cell(graph, front[index], back, top, below, usize::from(plot.height))
        });
        sheet.put(plot, row, run_together(line, sheet.pen));
    }
    draw_time(history, Rect { y: plot.bottom(), height: 1, ..plot }, sheet);
}

/// So many columns: each the largest of its figures, or a figure over several columns where there are fewer.
fn fitted(values: &[Option<f32>], columns: usize) -> Vec<Option<f32>> {
    let count = values.len();
    let column = |index: usize| {
        let from = index * count / columns;
        let to = ((index + 1) * count / columns).max(from + 1).min(count);
        values[from.min(count)..to].iter().flatten().copied().reduce(f32::max)
    };
    (0..columns).map(column).collect()
}

/// What stands in a cell that has so many cells below it.
fn cell(
    graph: &Graph<'_>,
    front: Option<f32>,
    back: Option<Option<f32>>,
    top: f32,
    below: usize,
    height: usize,
) -> (&'static str, Tone) {
    let steps = |value: f32| ((value / top).clamp(0.0, 1.0) * (height * STEPS) as f32).round() as usize;
    let filled = |value: Option<f32>| value.map_or(0, steps).saturating_sub(below * STEPS).min(STEPS);
    let (near, far) = (filled(front), filled(back.flatten()));
    let is_measured = front.is_some() || back.flatten().is_some();
    match (near, far) {
        (1.., _) => (BLOCKS[near - 1], graph.front.tone),
        // The one behind is shaded, so that the two differ without colours; half a cell of it counts as one.
        (0, far) if far * 2 >= STEPS => (BAR_EMPTY, graph.back.map_or(Tone::Muted, |back| back.tone)),
        (0, 1..) if below == 0 => (BLOCKS[0], graph.back.map_or(Tone::Muted, |back| back.tone)),
        _ if below == 0 && is_measured => (BLOCKS[0], Tone::Rule),
        _ => (" ", Tone::Text),
    }
}

/// Cells of one tone are one span.
fn run_together(cells: impl Iterator<Item = (&'static str, Tone)>, pen: &Pen<'_>) -> Line<'static> {
    let mut runs: Vec<(String, Tone)> = Vec::new();
    for (symbol, tone) in cells {
        match runs.last_mut() {
            Some((text, last)) if *last == tone => text.push_str(symbol),
            _ => runs.push((symbol.to_owned(), tone)),
        }
    }
    Line::from(runs.into_iter().map(|(text, tone)| pen.span(tone, text)).collect::<Vec<_>>())
}

/// What is measured, its newest figure and its greatest.
fn title(graph: &Graph<'_>, pen: &Pen<'_>) -> Line<'static> {
    let mut spans = vec![pen.span(Tone::Heading, graph.title)];
    for series in std::iter::once(&graph.front).chain(&graph.back) {
        let newest = series.values.last().copied().flatten();
        let greatest = series.values.iter().flatten().copied().reduce(f32::max);
        let now = newest.map_or_else(|| "not measured now".to_owned(), |value| graph.unit.words(value));
        spans.push(Text::raw("  "));
        if !series.name.is_empty() {
            spans.push(pen.span(series.tone, format!("{} ", series.name)));
        }
        spans.push(pen.span(Tone::Strong, now));
        if let Some(greatest) = greatest {
            spans.push(pen.span(Tone::Muted, format!(", max {}", graph.unit.words(greatest))));
        }
    }
    if let Some(limit) = graph.limit {
        spans.push(pen.span(Tone::Muted, format!("  of {}", graph.unit.words(limit))));
    }
    Line::from(spans)
}

/// The top of the scale, its middle where there is room, and zero.
fn draw_scale(unit: Unit, top: f32, area: Rect, plot: Rect, sheet: &mut Sheet<'_>) {
    let label = Rect { width: SCALE_WIDTH, y: plot.y, height: plot.height, ..area };
    let put = |value: f32, row: u16, sheet: &mut Sheet<'_>| {
        let text = sheet.pen.line(Tone::Muted, unit.words(value));
        sheet.put_right(label, row, text);
    };
    put(top, 0, sheet);
    if plot.height >= 6 {
        put(top / 2.0, plot.height / 2, sheet);
    }
    if plot.height >= 2 {
        sheet.put_right(label, plot.height - 1, sheet.pen.line(Tone::Muted, "0"));
    }
}

/// When the last figure was measured.
pub(crate) fn end(history: &History) -> Timestamp {
    let count = history.series.values().map(Vec::len).max().unwrap_or(0);
    let whole = SignedDuration::try_from(history.step.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX)));
    whole.ok().and_then(|whole| history.from.checked_add(whole).ok()).unwrap_or(history.from)
}

/// The time at the left, in the middle, at the right.
fn draw_time(history: &History, area: Rect, sheet: &mut Sheet<'_>) {
    let (from, end) = (history.from, end(history));
    let middle = from.checked_add(end.duration_since(from) / 2).unwrap_or(from);
    let pen = sheet.pen;
    let words = |at: Timestamp| match history.span {
        Span::Hour | Span::Day => pen.minute(at),
        Span::Month => pen.day(at),
    };
    let muted = |text: String| pen.line(Tone::Muted, text);
    sheet.put(area, 0, muted(words(from)));
    sheet.put_right(area, 0, muted(words(end)));
    if area.width >= 30 {
        let text = words(middle);
        let width = u16::try_from(text.len()).unwrap_or(0);
        let place = Rect { x: area.x + (area.width - width) / 2, width, ..area };
        sheet.put(place, 0, muted(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_figure_that_is_not_below_any_value() {
        let ends = |unit: Unit, values: [f32; 4]| values.map(|value| unit.words(unit.ceiling(value)));
        assert_eq!(ends(Unit::Percent, [0.0, 3.2, 48.0, 100.0]), ["1.0%", "5.0%", "50%", "100%"]);
        assert_eq!(ends(Unit::Rate, [0.0, 12.0, 200.0, 201.0]), ["1/s", "20/s", "200/s", "500/s"]);
        assert_eq!(ends(Unit::Seconds, [0.0, 0.0021, 0.12, 4.9]), ["1ms", "5ms", "200ms", "5.0s"]);
        let mega = 1024.0 * 1024.0;
        assert_eq!(
            ends(Unit::Bytes, [0.0, 100.0 * mega, 256.0 * mega, 257.0 * mega]),
            ["1.0M", "128M", "256M", "512M"]
        );
    }

    #[test]
    fn a_column_is_the_largest_of_its_figures_and_a_gap_stays_one() {
        let values = [Some(1.0), Some(4.0), None, None, Some(2.0), None];
        assert_eq!(fitted(&values, 3), [Some(4.0), None, Some(2.0)]);
        assert_eq!(fitted(&values[..2], 4), [Some(1.0), Some(1.0), Some(4.0), Some(4.0)]);
        assert_eq!(fitted(&[], 2), [None, None]);
    }

    #[test]
    fn zero_is_drawn_and_a_gap_is_not() {
        let values: [Option<f32>; 0] = [];
        let front = Series { name: "", values: &values, tone: Tone::Link };
        let graph = Graph { title: "", unit: Unit::Rate, front, back: None, limit: None };
        let at = |value, below| cell(&graph, value, None, 8.0, below, 2).0;
        assert_eq!([at(Some(0.0), 0), at(None, 0), at(Some(0.0), 1)], ["▁", " ", " "]);
        assert_eq!([at(Some(8.0), 1), at(Some(4.0), 0), at(Some(4.0), 1), at(Some(1.0), 0)], ["█", "█", " ", "▂"]);
    }
}
