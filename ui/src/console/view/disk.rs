//! A server's disks: how full they are, what of it is ours, and what may go.

use mypaas::api::{DiskView, FileSystemView, Holds, Reclaimable, ServiceDisk};
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::fleet::pressure;
use super::history::{Rows, Selected};
use super::pen::Pen;
use super::problem::labelled;
use super::sheet::Sheet;
use super::table::{self, Cells, Column, left, name, right, text};
use super::text::wrap;
use super::{format, named, problem};
use crate::console::command::Command;
use crate::console::model::Model;
use crate::console::model::disk::Disk;
use crate::console::model::fleet::ServerEntry;
use crate::console::model::servers::share;
use crate::console::symbols::{BAR_EMPTY, BAR_FULL, DOT, ELLIPSIS, HORIZONTAL, NONE};
use crate::console::theme::Tone;
use crate::console::words::counted;

const DISKS: [Column; 4] = [left("FULL", 0), right("FREE", 0), right("OF", 0), text("HOLDS", 16, 0)];

const SERVICES: [Column; 6] = [
    name("SERVICE", 12, 0),
    right("RELEASES", 2),
    right("PINNED", 3),
    right("IMAGES", 0),
    right("SHARED", 1),
    right("CONTEXTS", 1),
];

/// Of how full a disk is.
const BAR: usize = 20;

/// What may go is told in so many lines at least where it takes as many; the question before it goes tells all of it.
const LEAST_LINES: u16 = 6;

/// From so many lines on it is told what the columns mean.
const ROOM_TO_EXPLAIN: u16 = 30;

const MEANING: &str = "IMAGES is what all images of a service take together, SHARED the part of it that other images \
are made of too; CONTEXTS are the folders from which the newest releases can be built again.";

pub(crate) fn draw(model: &Model, page: &Disk, area: Rect, sheet: &mut Sheet<'_>) {
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let Some(server) = model.fleet.server(&page.server) else { return };
    let pen = sheet.pen;
    let room = usize::from(inner.width);
    let mut head = vec![named::place(server, pen)];
    let Some(view) = &page.known else {
        head.push(Line::default());
        head.extend(not_known(server, page, room, pen));
        return sheet.put_all(inner, head);
    };
    let look = Look { outdated: !server.is_live() || page.problem.is_some() };
    head.extend(age(server, page, view, room, pen));
    head.push(Line::default());
    head.extend(disks(view, look, room, pen));
    head.extend(no_images(view, room, pen));
    head.push(Line::default());
    let foot = foot(model, view, look, area.height, room, pen);
    // The services give way to what is below them, but for their heading and the first of them.
    let below = area.height.saturating_sub(height(head.len()));
    let left = below.saturating_sub(height(foot.len())).max(2).min(below);
    let rows = height(page.lines().len().max(1) + 1).min(left);
    let table = Rect { y: area.bottom() - below, height: rows, ..area };
    sheet.put_all(inner, head);
    draw_services(model, page, view, look, table, sheet);
    sheet.put_all(Rect { y: table.bottom(), height: below - rows, ..inner }, foot);
}

/// What a server that is silent said, or what could not be read anew, is not how it is.
#[derive(Debug, Clone, Copy)]
struct Look {
    outdated: bool,
}

impl Look {
    fn of(self, tone: Tone) -> Tone {
        if self.outdated { Tone::Outdated } else { tone }
    }
}

fn height(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX)
}

fn not_known(server: &ServerEntry, page: &Disk, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    match &page.problem {
        Some(why) => problem::lines(why, room, pen),
        None if server.is_live() => vec![pen.line(Tone::Muted, "loading …")],
        None => {
            let text = format!("{} does not answer: what its disks hold is not known.", server.name);
            vec![pen.line(Tone::Stale, text)]
        }
    }
}

/// How old all of it is, and why nothing newer is known.
fn age(server: &ServerEntry, page: &Disk, view: &DiskView, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let ago = pen.age(server.here(view.at));
    let (tone, text) = match &page.problem {
        _ if !server.is_live() => {
            (Tone::Stale, format!("{} does not answer: this is as it was {ago} ago.", server.name))
        }
        Some(why) => (Tone::Stale, format!("This is as it was {ago} ago. It could not be read anew: {}", why.message)),
        None if page.is_awaited => (Tone::Pending, format!("read {ago} ago; reading it anew …")),
        None => (Tone::Muted, format!("read {ago} ago")),
    };
    wrap(&text, room).into_iter().map(|line| pen.line(tone, line)).collect()
}

fn disks(view: &DiskView, look: Look, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let rows = view.file_systems.iter().flat_map(|found| disk(found, view.min_free_bytes, look, pen)).collect();
    let mut lines = table::lines(&DISKS, rows, room, pen);
    let least = format::bytes(view.min_free_bytes);
    lines.push(pen.line(Tone::Muted, format!("builds are refused where less than {least} would stay free")));
    lines
}

/// A line for each folder on it: beside each other they are cut where there is little room.
fn disk(found: &FileSystemView, min_free: u64, look: Look, pen: &Pen<'_>) -> Vec<Cells> {
    let used = share(found.total_bytes.saturating_sub(found.free_bytes), found.total_bytes).unwrap_or_default();
    let tone = look.of(if found.free_bytes < min_free { Tone::Failing } else { pressure(used) });
    let full = ((BAR as f64 * used).round() as usize).min(BAR);
    let bar = Line::from(vec![
        pen.span(if tone == Tone::Text { Tone::Accent } else { tone }, BAR_FULL.repeat(full)),
        pen.span(Tone::Muted, BAR_EMPTY.repeat(BAR - full)),
        pen.span(tone, format!(" {:>3.0}%", used * 100.0)),
    ]);
    let holds = found.folders.iter().map(|folder| match folder.holds {
        Holds::Images => format!("images ({})", folder.path),
        Holds::ServerFolder => format!("server folder ({})", folder.path),
    });
    let mut figures = vec![
        bar,
        pen.line(tone, format::bytes(found.free_bytes)),
        pen.line(look.of(Tone::Text), format::bytes(found.total_bytes)),
    ];
    let row = |folder: String| {
        let mut cells = std::mem::replace(&mut figures, vec![Line::default(); 3]);
        cells.push(pen.line(look.of(Tone::Text), folder));
        cells
    };
    holds.map(row).collect()
}

/// Why nothing is known of images.
fn no_images(view: &DiskView, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let Some(why) = &view.problem else { return Vec::new() };
    let mut lines = vec![Line::default()];
    lines.extend(problem::lines(why, room, pen));
    lines.push(pen.line(Tone::Muted, "so nothing is known of images, and nothing can be pruned"));
    lines
}

fn draw_services(model: &Model, page: &Disk, view: &DiskView, look: Look, area: Rect, sheet: &mut Sheet<'_>) {
    if page.lines().is_empty() {
        let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
        return sheet.put(inner, 0, sheet.pen.line(Tone::Muted, "No service takes room yet."));
    }
    let images = |bytes| if view.problem.is_some() { NONE.to_owned() } else { size(bytes) };
    let row = |line: &ServiceDisk| {
        let figure = |text: String| {
            let tone = if text == NONE { Tone::Muted } else { look.of(Tone::Text) };
            sheet.pen.line(tone, text)
        };
        vec![
            sheet.pen.line(look.of(Tone::Strong), line.service.to_string()),
            figure(line.releases.to_string()),
            figure(if line.pinned == 0 { NONE.to_owned() } else { line.pinned.to_string() }),
            figure(images(line.images_bytes)),
            figure(images(line.shared_bytes)),
            figure(size(line.contexts_bytes)),
        ]
    };
    let rows = page.lines().iter().map(row).collect();
    let chosen = Some(Selected::of(page.cursor, model));
    sheet.seen.body = Rows { columns: &SERVICES, rows, chosen }.draw(area, sheet);
}

fn size(bytes: u64) -> String {
    if bytes == 0 { NONE.to_owned() } else { format::bytes(bytes) }
}

/// Below the services: what their columns mean, what else is ours, and what may go.
fn foot(
    model: &Model,
    view: &DiskView,
    look: Look,
    page_height: u16,
    room: usize,
    pen: &Pen<'_>,
) -> Vec<Line<'static>> {
    let mut lines = vec![pen.line(Tone::Rule, HORIZONTAL.repeat(room))];
    if page_height >= ROOM_TO_EXPLAIN {
        lines.extend(wrap(MEANING, room).into_iter().map(|line| pen.line(Tone::Muted, line)));
        lines.push(Line::default());
    }
    lines.extend(rest(view, look, room, pen));
    let most = LEAST_LINES.max(page_height / 3).saturating_sub(height(lines.len() - 1));
    lines.extend(what_may_go(model, view, look, usize::from(most), room, pen));
    lines
}

/// What is ours and of no service.
fn rest(view: &DiskView, look: Look, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let mut parts = vec![format!("history of deploys {}", format::bytes(view.store_bytes))];
    if view.leftovers.count > 0 {
        let images = counted(view.leftovers.count as usize, "image", "images");
        parts.push(format!("left by builds {} in {images}", format::bytes(view.leftovers.bytes)));
    }
    if view.uploads_bytes > 0 {
        parts.push(format!("not built yet {}", format::bytes(view.uploads_bytes)));
    }
    let text = parts.join(&format!(" {DOT} "));
    wrap(&text, room).into_iter().map(|line| pen.line(look.of(Tone::Text), line)).collect()
}

fn what_may_go(
    model: &Model,
    view: &DiskView,
    look: Look,
    most: usize,
    room: usize,
    pen: &Pen<'_>,
) -> Vec<Line<'static>> {
    let reclaimable = &view.reclaimable;
    if view.problem.is_some() {
        return Vec::new();
    }
    if reclaimable.what.is_empty() {
        return vec![pen.line(Tone::Muted, "There is nothing to prune.")];
    }
    let gain = format!("pruning gives back {}:", format::bytes(reclaimable.bytes));
    let mut lines = vec![pen.line(look.of(Tone::Strong), gain)];
    lines.extend(bullets(reclaimable, look.of(Tone::Text), room, pen));
    if lines.len() > most.max(2) {
        lines.truncate(most.max(2) - 1);
        let key = model.keymap.key_of(Command::Prune).map(ToString::to_string).unwrap_or_default();
        lines.push(Line::from(vec![
            pen.span(Tone::Muted, format!("{ELLIPSIS} ")),
            pen.span(Tone::Key, key),
            pen.span(Tone::Muted, " asks, and shows all of it"),
        ]));
    }
    lines
}

/// What exactly would go.
pub(super) fn bullets(reclaimable: &Reclaimable, tone: Tone, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let dot = format!("{DOT} ");
    let lines = reclaimable.lines();
    lines.iter().flat_map(|line| labelled(&dot, Tone::Muted, line, tone, room, pen)).collect()
}
