//! The overview where there is room for everything at once: facts and containers above, options, releases and deploys
//! side by side, the newest log lines below.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::pane::Subject;
use super::pen::Pen;
use super::sheet::Sheet;
use super::{containers, history, overview, stream_logs};
use crate::console::model::Model;
use crate::console::model::detail::Known;
use crate::console::symbols::ELLIPSIS;
use crate::console::theme::Tone;

/// Fewer lines of the log are not worth their heading.
const LEAST_LOG: u16 = 6;

pub(super) fn draw(model: &Model, subject: &Subject<'_>, area: Rect, sheet: &mut Sheet<'_>) {
    let rest = draw_now(subject, area, sheet);
    let (middle, log) = split(subject, rest);
    draw_past(subject, middle, sheet);
    draw_options(model, subject, middle, sheet);
    if let Some(log) = log.filter(|_| model.shows_log_tail()) {
        // The moving keys go through the options, not through the log.
        let body = sheet.seen.body;
        sheet.rule_across(inset(log), 0);
        stream_logs::draw(model, Rect { y: log.y + 1, height: log.height - 1, ..log }, sheet);
        sheet.seen.body = body;
    }
}

fn inset(area: Rect) -> Rect {
    Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area }
}

/// What runs now; hands back what is left below.
fn draw_now(subject: &Subject<'_>, area: Rect, sheet: &mut Sheet<'_>) -> Rect {
    let inner = inset(area);
    let room = usize::from(inner.width);
    let mut lines = overview::facts(subject.server, subject.service, room, sheet.pen);
    lines.push(Line::default());
    lines.extend(overview::drift(subject.service, subject.known, room, sheet.pen));
    lines.extend(containers::lines(subject.server, subject.service, room, sheet.pen));
    let height = rows(lines.len()).min(area.height / 2);
    cut_with_word(&mut lines, usize::from(height), sheet.pen);
    sheet.put_all(Rect { height, ..inner }, lines);
    let used = (height + 1).min(area.height);
    Rect { y: area.y + used, height: area.height - used, ..area }
}

/// In so many lines; of those that do not fit, how many they are.
fn cut_with_word(lines: &mut Vec<Line<'static>>, height: usize, pen: &Pen<'_>) {
    if lines.len() > height && height > 0 {
        let more = lines.len() - (height - 1);
        lines.truncate(height - 1);
        lines.push(pen.line(Tone::Muted, format!("{ELLIPSIS} {more} more")));
    }
}

/// The middle as high as what is in it, and the rest for the log when that is enough.
fn split(subject: &Subject<'_>, rest: Rect) -> (Rect, Option<Rect>) {
    let detail = subject.known.and_then(Known::detail);
    let options = detail.and_then(|detail| detail.manifest.as_ref()).map_or(1, |manifest| manifest.options.len());
    let past = detail.map_or(0, |detail| detail.releases.len() + detail.deploys.len() + 3);
    let needed = rows((options + 1).max(past) + 1).min(rest.height * 3 / 5);
    let middle = Rect { height: needed, ..rest };
    let log = Rect { y: middle.bottom(), height: rest.height - needed, ..rest };
    if log.height > LEAST_LOG { (middle, Some(log)) } else { (rest, None) }
}

fn options_width(area: Rect) -> u16 {
    (area.width * 2 / 5).clamp(40, 64).min(area.width)
}

fn draw_options(model: &Model, subject: &Subject<'_>, area: Rect, sheet: &mut Sheet<'_>) {
    let options = Rect { width: options_width(area), height: area.height.saturating_sub(1), ..area };
    let room = usize::from(options.width.saturating_sub(4));
    let lines = overview::options(subject.server, subject.known, room, sheet.pen);
    sheet.scroll(inset(options), lines, model.pane.scroll);
}

/// The releases, and below them the deploys.
fn draw_past(subject: &Subject<'_>, area: Rect, sheet: &mut Sheet<'_>) {
    let Some(detail) = subject.known.and_then(Known::detail) else { return };
    let left = options_width(area) + 1;
    let height = area.height.saturating_sub(1);
    let right = Rect { x: area.x + left, width: area.width.saturating_sub(left), height, ..area };
    let deploys_height = rows(detail.deploys.len() + 1).min(height / 2);
    let releases_height = rows(detail.releases.len() + 2).min(height - deploys_height);
    let table = history::release_rows(subject.server, &detail.releases, sheet.pen);
    history::releases(table, None).draw(Rect { height: releases_height.saturating_sub(1), ..right }, sheet);
    let below = Rect { y: right.y + releases_height, height: height - releases_height, ..right };
    history::deploys(subject.server, &detail.deploys, None, sheet.pen).draw(below, sheet);
}

fn rows(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
