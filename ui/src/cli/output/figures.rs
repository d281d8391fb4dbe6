//! Figures over time, a line a measure: as a row of marks, with the figure of now and the largest one.

use std::fmt::Write;
use std::time::Duration;

use mypaas::api::{History, Measure};
use mypaas::name::{ServerName, ServiceName};

use super::paint::Paint;
use super::units;

/// Heights of a mark, lowest first; the first one stands for nothing measured.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 9] = [' ', '_', '.', ',', '-', '~', '=', '*', '#'];

/// Of the name of a measure, and of the two figures behind the marks.
const NAME_WIDTH: usize = 9;
const FIGURES_WIDTH: usize = 22;

/// What the marks are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marks {
    Blocks,
    Ascii,
}

/// How many marks a line of this width has room for.
pub(crate) fn marks_within(width: usize) -> u32 {
    width.saturating_sub(NAME_WIDTH + FIGURES_WIDTH).clamp(10, 400) as u32
}

pub(crate) fn history(
    server: &ServerName,
    service: Option<&ServiceName>,
    history: &History,
    marks: Marks,
    paint: Paint,
) -> String {
    let about = service.map_or_else(|| server.to_string(), |service| format!("{service} on {server}"));
    let heading = format!("{}: a mark is {}", paint.strong(&about), step(history.step));
    if history.series.is_empty() {
        return format!("{}: nothing was measured in this time\n", paint.strong(&about));
    }
    let mut text = format!("{heading}\n");
    for (measure, figures) in &history.series {
        let _ = writeln!(text, "{}", line(*measure, figures, marks, paint));
    }
    text
}

fn line(measure: Measure, figures: &[Option<f32>], marks: Marks, paint: Paint) -> String {
    let largest = figures.iter().flatten().copied().fold(0.0, f32::max);
    let row: String = figures.iter().map(|figure| mark(*figure, largest, marks)).collect();
    let last = figures.iter().rev().take(2).flatten().next();
    let now = last.map_or_else(|| "-".to_owned(), |figure| told(measure, *figure));
    let most = paint.muted(&format!("most {}", told(measure, largest)));
    format!("{:NAME_WIDTH$}{row} {now}, {most}", name(measure))
}

/// Anything that was measured is seen.
fn mark(figure: Option<f32>, largest: f32, marks: Marks) -> char {
    let heights = if marks == Marks::Blocks { BLOCKS } else { ASCII };
    let Some(figure) = figure else { return heights[0] };
    let share = if largest > 0.0 { figure / largest } else { 0.0 };
    heights[1 + (share * 7.0).round().clamp(0.0, 7.0) as usize]
}

fn name(measure: Measure) -> &'static str {
    match measure {
        Measure::Cpu => "cpu",
        Measure::Memory => "memory",
        Measure::Disk => "disk",
        Measure::Requests => "requests",
        Measure::Errors => "errors",
        Measure::Median => "median",
        Measure::P95 => "p95",
    }
}

fn told(measure: Measure, figure: f32) -> String {
    match measure {
        Measure::Cpu => format!("{figure:.1}%"),
        Measure::Memory | Measure::Disk => units::bytes(figure as u64),
        Measure::Requests | Measure::Errors => format!("{figure:.1}/s"),
        Measure::Median | Measure::P95 if figure < 1.0 => format!("{:.0}ms", figure * 1000.0),
        Measure::Median | Measure::P95 => format!("{figure:.1}s"),
    }
}

fn step(step: Duration) -> String {
    match step.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds if seconds % 60 == 0 && seconds < 3600 => format!("{}m", seconds / 60),
        seconds if seconds < 3600 => format!("{}m{}s", seconds / 60, seconds % 60),
        seconds => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mypaas::api::Span;

    use super::*;

    fn some() -> History {
        let cpu = vec![None, Some(0.0), Some(12.5), Some(25.0), Some(100.0), Some(50.0)];
        let p95 = vec![None, None, Some(0.012), Some(0.5), Some(1.5), None];
        History {
            span: Span::Hour,
            from: jiff::Timestamp::UNIX_EPOCH,
            step: Duration::from_secs(90),
            series: BTreeMap::from([(Measure::Cpu, cpu), (Measure::P95, p95)]),
        }
    }

    #[test]
    fn a_measure_is_a_row_of_marks_with_its_figures() {
        let shown = |marks| {
            let (server, service) = ("s1".parse().unwrap(), "web".parse().unwrap());
            history(&server, Some(&service), &some(), marks, Paint { colour: false })
        };
        insta::assert_snapshot!(shown(Marks::Blocks), @r"
        web on s1: a mark is 1m30s
        cpu       ▁▂▃█▅ 50.0%, most 100.0%
        p95        ▁▃█  1.5s, most 1.5s
        ");
        assert!(shown(Marks::Ascii).is_ascii());
        let nothing = History { series: BTreeMap::new(), ..some() };
        let told = history(&"s1".parse().unwrap(), None, &nothing, Marks::Ascii, Paint { colour: false });
        assert_eq!(told, "s1: nothing was measured in this time\n");
    }
}
