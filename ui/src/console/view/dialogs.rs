//! What lies on top of a page: help, trouble, confirm, rollback, scale.

use mypaas::api::ServiceView;
use mypaas::name::ServerName;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::history::Selected;
use super::pen::Pen;
use super::sheet::{Sheet, centred};
use super::text::wrap;
use super::{buttons, confirm, help, history, named, palette, plan, problem, prune, unlock, variables};
use crate::console::model::Model;
use crate::console::model::dialog::{CancelDeploy, Dialog, Load, Rollback, Scale, ScaleStage, Stage};
use crate::console::model::fleet::{ServerEntry, ServiceAt};
use crate::console::symbols::ARROW;
use crate::console::theme::Tone;
use crate::console::words;

pub(crate) fn draw(model: &Model, dialog: &Dialog, area: Rect, sheet: &mut Sheet<'_>) {
    match dialog {
        Dialog::Help { of, scroll } => help::draw(model, *of, *scroll, area, sheet),
        Dialog::Trouble { title, problem, scroll } => {
            let width = area.width.saturating_sub(4).min(90);
            let lines = problem::lines(problem, usize::from(width.saturating_sub(6)), sheet.pen);
            let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
            let room = sheet.dialog(centred(area, width, height), title, Tone::DialogDanger);
            sheet.scroll(room, lines, *scroll);
        }
        Dialog::Confirm(confirm) => confirm::draw(model, confirm, area, sheet),
        Dialog::CancelDeploy(cancel) => draw_cancel(model, cancel, area, sheet),
        Dialog::Variable(confirm) => variables::draw_confirm(model, confirm, area, sheet),
        Dialog::Prune(confirm) => prune::draw(model, confirm, area, sheet),
        Dialog::Unlock(unlock) => unlock::draw(model, unlock, area, sheet),
        Dialog::Rollback(rollback) => draw_rollback(model, rollback, area, sheet),
        Dialog::Scale(scale) => draw_scale(model, scale, area, sheet),
        Dialog::Palette(palette) => palette::draw(palette, area, sheet),
    }
}

/// Text above, the answer in the last line.
pub(super) fn split(room: Rect) -> (Rect, Rect) {
    let text = Rect { height: room.height.saturating_sub(2), ..room };
    (text, Rect { y: room.bottom().saturating_sub(1), height: room.height.min(1), ..room })
}

pub(super) fn effect(text: &str, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    wrap(text, room).into_iter().map(|line| pen.line(Tone::Strong, line)).collect()
}

/// A warning when the server does not answer.
pub(super) fn silence(model: &Model, at: &ServiceAt, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    silence_of(model, &at.server, room, pen)
}

pub(super) fn silence_of(model: &Model, server: &ServerName, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let Some(since) = model.fleet.server(server).and_then(ServerEntry::as_of) else { return Vec::new() };
    let text = format!(
        "{} has not answered for {}: what is known of it may be wrong, and this may not reach it.",
        server,
        pen.elapsed(since)
    );
    let mut lines: Vec<_> = wrap(&text, room).into_iter().map(|line| pen.line(Tone::Stale, line)).collect();
    lines.push(Line::default());
    lines
}

fn draw_cancel(model: &Model, cancel: &CancelDeploy, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let width = area.width.saturating_sub(4).min(76);
    let inner = usize::from(width.saturating_sub(6));
    let told = format!(
        "What serves now serves on. Once it has begun to start containers, {} cannot be cancelled any more.",
        cancel.id
    );
    let mut lines = silence(model, &cancel.at, inner, pen);
    lines.extend(model.fleet.server(&cancel.at.server).map(|server| named::place(server, pen)));
    lines.extend(effect(&told, inner, pen));
    let height = u16::try_from(lines.len() + 4).unwrap_or(u16::MAX);
    let room =
        sheet.dialog(centred(area, width, height), &format!("Cancel {} of {}?", cancel.id, cancel.at), Tone::Dialog);
    let (text, answer) = split(room);
    sheet.put_all(text, lines);
    match cancel.stage {
        Stage::Asked => sheet.put(answer, 0, pen.line(Tone::Pending, format!("telling {} …", cancel.at.server))),
        Stage::Deciding(choice) => buttons::draw_two("Let it run", "Cancel the deploy", choice, true, answer, sheet),
    }
}

fn draw_rollback(model: &Model, rollback: &Rollback, area: Rect, sheet: &mut Sheet<'_>) {
    let width = area.width.saturating_sub(4).min(120);
    let is_short = matches!(&rollback.releases, Load::Ready(releases) if releases.is_empty());
    let height = area.height.saturating_sub(2).min(if is_short { 5 } else { 34 });
    let title = format!("Roll back {} to …", rollback.at);
    let room = sheet.dialog(centred(area, width, height), &title, Tone::Dialog);
    let pen = sheet.pen;
    let releases = match &rollback.releases {
        Load::Waiting => return sheet.put(room, 0, pen.line(Tone::Pending, "loading the releases …")),
        Load::Failed(why) => return sheet.put_all(room, problem::lines(why, usize::from(room.width), pen)),
        Load::Ready(releases) => releases,
    };
    if releases.is_empty() {
        let text = "There is no other release to go back to.";
        return sheet.put(room, 0, pen.line(Tone::Muted, text));
    }
    let Some(server) = model.fleet.server(&rollback.at.server) else { return };
    let rows = history::release_rows(server, releases, pen);
    let list_height = u16::try_from(releases.len() + 1).unwrap_or(u16::MAX).min(room.height * 2 / 5).max(3);
    let list = Rect { x: room.x.saturating_sub(1), width: room.width + 2, height: list_height, ..room };
    let window = history::releases(rows, Some(Selected::of(rollback.cursor, model))).draw(list, sheet);
    let below = Rect { y: room.y + list_height, height: room.height.saturating_sub(list_height), ..room };
    sheet.rule_across(below, 0);
    let text = Rect { y: below.y + 1.min(below.height), height: below.height.saturating_sub(1), ..below };
    sheet.put_all(text, preview(rollback, usize::from(text.width), pen));
    sheet.seen.body = window;
}

fn preview(rollback: &Rollback, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let Some(selected) = rollback.selected() else { return Vec::new() };
    if !selected.available {
        let text = format!("The image of {} was deleted: one cannot go back to it.", selected.release.id);
        return wrap(&text, room).into_iter().map(|line| pen.line(Tone::Error, line)).collect();
    }
    let mut lines = vec![Line::from(vec![
        pen.span(Tone::Healthy, "The image is still there. "),
        pen.span(Tone::Muted, format!("{} ", selected.release.image)),
    ])];
    lines.extend(plan::loaded(&rollback.plan, room, pen));
    lines
}

fn draw_scale(model: &Model, scale: &Scale, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let width = area.width.saturating_sub(4).min(76);
    let inner = usize::from(width.saturating_sub(6));
    let single = scale.single();
    let title = single.map_or_else(|| words::services(scale.of.len()), ToString::to_string);
    let mut lines = single.map_or_else(Vec::new, |at| silence(model, at, inner, pen));
    lines.extend(single.and_then(|at| model.fleet.server(&at.server)).map(|server| named::place(server, pen)));
    lines.push(chosen(scale, pen));
    lines.push(Line::default());
    match single.and_then(|at| model.fleet.service(at)) {
        Some(service) => lines.extend(about(scale, service, inner, pen)),
        None => lines.extend(scale.of.iter().map(|at| now(model, at, pen))),
    }
    let height = u16::try_from(lines.len() + 4).unwrap_or(u16::MAX).max(9);
    let room = sheet.dialog(centred(area, width, height), &format!("Scale {title}"), Tone::Dialog);
    let (text, answer) = split(room);
    sheet.put_all(text, lines);
    match scale.stage {
        ScaleStage::Asked => sheet.put(answer, 0, pen.line(Tone::Pending, "telling the server …")),
        ScaleStage::Deciding if scale.can_do() => {
            let told = if single.is_some() { "scales" } else { "shows what it takes to scale" };
            sheet.put(answer, 0, pen.line(Tone::Hint, format!("enter {told} {title} to {}", scale.to)));
        }
        ScaleStage::Deciding if scale.is_refused() => {
            sheet.put(answer, 0, pen.line(Tone::Error, "This cannot be done."));
        }
        ScaleStage::Deciding => sheet.put(answer, 0, pen.line(Tone::Muted, "nothing to do")),
    }
}

/// As in `3 → 5 containers`.
fn chosen(scale: &Scale, pen: &Pen<'_>) -> Line<'static> {
    let mut line = Line::default();
    if scale.single().is_some() {
        line.push_span(pen.span(Tone::Text, format!("{} ", scale.from)));
        line.push_span(pen.span(Tone::Muted, format!("{ARROW} ")));
    }
    line.push_span(pen.span(Tone::Accent, scale.to.to_string()));
    let each = if scale.single().is_some() { "" } else { " each" };
    line.push_span(Span::raw(format!(" {}{each}", if scale.to == 1 { "container" } else { "containers" })));
    line
}

fn now(model: &Model, at: &ServiceAt, pen: &Pen<'_>) -> Line<'static> {
    let wanted = model.fleet.service(at).map_or(0, |service| service.wanted as usize);
    Line::from(vec![
        pen.span(Tone::Text, at.to_string()),
        pen.span(Tone::Muted, format!(" runs {} now", words::containers(wanted))),
    ])
}

fn about(scale: &Scale, service: &ServiceView, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    if scale.to == scale.from {
        return effect(&format!("{} runs {} now.", service.name, words::containers(scale.from as usize)), room, pen);
    }
    plan::loaded(&scale.plan, room, pen)
}
