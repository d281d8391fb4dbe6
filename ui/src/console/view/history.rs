//! The releases and the deploys of a service as tables.

use mypaas::api::{Deploy, DeployState, Outcome, ReleaseView, ServiceDetail};
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::pen::Pen;
use super::sheet::Sheet;
use super::table::{self, Cells, Column, Fit, left, right, text};
use super::{format, look};
use crate::console::command::Command;
use crate::console::model::fleet::ServerEntry;
use crate::console::model::order::Direction;
use crate::console::model::progress::between;
use crate::console::model::{Model, Target, Window};
use crate::console::symbols::{CHOSEN, NONE};
use crate::console::theme::Tone;
use crate::console::words;

const RELEASES: [Column; 8] = [
    left("RELEASE", 0),
    left("STATE", 0),
    right("BUILT", 1),
    text("BY", 8, 2),
    left("COMMIT", 4),
    right("BUILD", 6),
    right("IMAGE", 5),
    text("SUBJECT", 12, 3),
];

const DEPLOYS: [Column; 7] = [
    left("DEPLOY", 0),
    left("WHAT", 0),
    left("OUTCOME", 0),
    right("AGO", 1),
    right("TOOK", 3),
    text("BY", 8, 4),
    text("REASON", 12, 2),
];

const DEPLOYS_OF_ALL: [Column; 8] =
    [table::name("SERVICE", 15, 0), DEPLOYS[0], DEPLOYS[1], DEPLOYS[2], DEPLOYS[3], DEPLOYS[4], DEPLOYS[5], DEPLOYS[6]];

/// So many deploys are shown where there is a tab for all of them.
const NEWEST: usize = 8;

/// A table of which one line may be selected.
pub(crate) struct Rows<'a> {
    pub columns: &'a [Column],
    pub rows: Vec<Cells>,
    pub chosen: Option<Selected>,
}

/// The line of a table that is selected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selected {
    pub place: usize,
    pub has_keys: bool,
    /// The first line that was on the screen: it stays there as long as the selected one is seen.
    pub top: usize,
}

impl Selected {
    pub(crate) fn of(place: usize, model: &Model) -> Self {
        Self { place, has_keys: true, top: model.seen.body.top }
    }
}

/// How rows can be sorted, and are.
#[derive(Default)]
pub(crate) struct Sorted<'a> {
    /// What sorts them by each column.
    pub commands: &'a [Command],
    /// The column they are sorted by, and which end of it comes first; none for their usual order.
    pub by: Option<(usize, Direction)>,
}

pub(crate) fn release_rows(server: &ServerEntry, releases: &[ReleaseView], pen: &Pen<'_>) -> Vec<Cells> {
    releases.iter().map(|view| release_row(server, view, pen)).collect()
}

pub(crate) fn releases<'a>(rows: Vec<Cells>, chosen: Option<Selected>) -> Rows<'a> {
    Rows { columns: &RELEASES, rows, chosen }
}

pub(crate) fn deploys<'a>(
    server: &ServerEntry,
    deploys: &[Deploy],
    chosen: Option<Selected>,
    pen: &Pen<'_>,
) -> Rows<'a> {
    let rows = deploys.iter().map(|deploy| deploy_row(server, deploy, pen)).collect();
    Rows { columns: &DEPLOYS, rows, chosen }
}

/// The newest deploys in short.
pub(crate) fn newest(server: &ServerEntry, detail: &ServiceDetail, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    if detail.deploys.is_empty() {
        return vec![pen.line(Tone::Muted, "no deploys yet")];
    }
    let rows = detail.deploys.iter().take(NEWEST).map(|deploy| deploy_row(server, deploy, pen)).collect();
    table::lines(&DEPLOYS, rows, room, pen)
}

/// The deploys of several services.
pub(crate) fn of_all(server: &ServerEntry, deploys: &[Deploy], room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let row = |deploy: &Deploy| {
        let mut cells = deploy_row(server, deploy, pen);
        cells.insert(0, pen.line(Tone::Accent, deploy.service.to_string()));
        cells
    };
    table::lines(&DEPLOYS_OF_ALL, deploys.iter().map(row).collect(), room, pen)
}

fn release_row(server: &ServerEntry, view: &ReleaseView, pen: &Pen<'_>) -> Cells {
    let release = &view.release;
    let (state, tone) = match (view.live, view.available, view.pinned) {
        (true, _, false) => ("live", Tone::Healthy),
        (true, _, true) => ("live, pinned", Tone::Healthy),
        (false, true, false) => ("kept", Tone::Text),
        (false, true, true) => ("pinned", Tone::Strong),
        (false, false, false) => ("image gone", Tone::Muted),
        (false, false, true) => ("image gone, pinned", Tone::Muted),
    };
    let commit = release.origin.commit.as_ref();
    let id = commit
        .map_or_else(|| NONE.to_owned(), |commit| format!("{}{}", commit.id, if commit.dirty { "+" } else { "" }));
    vec![
        pen.line(Tone::Strong, release.id.to_string()),
        pen.line(tone, state),
        pen.line(Tone::Muted, pen.age(server.here(release.built))),
        pen.line(Tone::Text, release.origin.by()),
        pen.line(Tone::Accent, id),
        pen.line(Tone::Muted, format!("{:.1}s", release.build_seconds)),
        pen.line(Tone::Muted, format::bytes(release.image_bytes)),
        pen.line(Tone::Text, commit.map(|commit| commit.subject.clone()).unwrap_or_default()),
    ]
}

fn deploy_row(server: &ServerEntry, deploy: &Deploy, pen: &Pen<'_>) -> Cells {
    let (ago, took, reason) = match &deploy.state {
        DeployState::Queued => (deploy.accepted, None, String::new()),
        DeployState::Running { started, .. } => (*started, None, String::new()),
        DeployState::Finished { started, finished, outcome } => {
            (*finished, started.map(|started| format::took(between(started, *finished))), reason(outcome))
        }
    };
    vec![
        pen.line(Tone::Strong, deploy.id.to_string()),
        pen.line(Tone::Text, words::deed(deploy)),
        Line::from(look::of_deploy(deploy).both(pen)),
        pen.line(Tone::Muted, pen.age(server.here(ago))),
        pen.line(Tone::Muted, took.unwrap_or_else(|| NONE.to_owned())),
        pen.line(Tone::Text, deploy.origin.by()),
        pen.line(Tone::Muted, reason),
    ]
}

fn reason(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded => String::new(),
        Outcome::Failed { failure } => failure.message.clone(),
        Outcome::Superseded { by } => format!("{by} took its place"),
        Outcome::Cancelled { by } => format!("cancelled by {by}"),
        Outcome::Interrupted { detail } => detail.clone(),
    }
}

impl Rows<'_> {
    /// The heading, and the rows around the selected one.
    pub(crate) fn draw(self, area: Rect, sheet: &mut Sheet<'_>) -> Window {
        self.draw_sorted(&Sorted::default(), area, sheet)
    }

    /// The same of rows that can be sorted by their columns.
    pub(crate) fn draw_sorted(self, sorted: &Sorted<'_>, area: Rect, sheet: &mut Sheet<'_>) -> Window {
        let widths = table::widths(self.columns, &self.rows);
        let window = window(self.rows.len(), self.chosen, area);
        let rows = self.rows.into_iter().skip(window.top).take(window.page).collect();
        Rows { rows, ..self }.draw_at(window, widths, sorted, area, sheet)
    }

    /// The same where of many rows only those are there that are seen.
    pub(crate) fn draw_seen(self, window: Window, sorted: &Sorted<'_>, area: Rect, sheet: &mut Sheet<'_>) -> Window {
        let widths = table::widths(self.columns, &self.rows);
        self.draw_at(window, widths, sorted, area, sheet)
    }

    fn draw_at(
        self,
        window: Window,
        mut widths: Vec<usize>,
        sorted: &Sorted<'_>,
        area: Rect,
        sheet: &mut Sheet<'_>,
    ) -> Window {
        let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(3), ..area };
        let mut columns = self.columns.to_vec();
        if let Some((by, _)) = sorted.by {
            table::make_room_for_sign(&mut columns[by], &mut widths[by]);
        }
        let mut fit = Fit::of(&columns, &widths, usize::from(inner.width));
        let target = |index: usize| sorted.commands.get(index).copied().map(Target::Command);
        fit.draw_heading(sorted.by, target, inner, sheet);
        let body = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
        fit.tell_apart_in(&self.rows);
        for ((row, cells), index) in (0u16..).zip(self.rows).zip(window.top..) {
            let line = Rect { y: body.y + row, height: 1, ..body };
            if self.chosen.is_some() {
                sheet.spot(line, Target::Line(index));
            }
            sheet.put(Rect { x: inner.x, width: inner.width, ..line }, 0, fit.row(cells));
            if let Some(selected) = self.chosen.filter(|selected| selected.place == index) {
                sheet.put(line, 0, sheet.pen.line(Tone::Accent, CHOSEN));
                sheet.paint(line, if selected.has_keys { Tone::Selected } else { Tone::SelectedElsewhere });
            }
        }
        sheet.scroll_mark(body, window.top, window.last_top + window.page);
        window
    }
}

/// Which of so many rows are seen, below their heading.
pub(crate) fn window(count: usize, chosen: Option<Selected>, area: Rect) -> Window {
    let page = usize::from(area.height.saturating_sub(1));
    let top = chosen.map_or(0, |selected| table::top(selected.top, selected.place, count, page));
    Window::of_rows(top, page, count)
}
