//! The question before an action: what exactly happens, to which service of which server, or to each of several.

use mypaas::api::{Action, ReleaseView, ServiceView};
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::dialogs::{effect, silence, split};
use super::pen::Pen;
use super::sheet::{Sheet, centred};
use super::table::{self, Cells, Column, left, right, text};
use super::{buttons, named, plan};
use crate::console::model::Model;
use crate::console::model::dialog::{Aim, Confirm, Load, Stage};
use crate::console::symbols::NONE;
use crate::console::theme::Tone;
use crate::console::words;

const COLUMNS: [Column; 5] =
    [text("SERVICE", 8, 0), text("SERVER", 6, 0), left("LIVE", 2), right("RUNS", 1), text("WHAT HAPPENS", 16, 0)];

pub(super) fn draw(model: &Model, confirm: &Confirm, area: Rect, sheet: &mut Sheet<'_>) {
    let danger = words::is_dangerous(&confirm.action);
    let tone = if danger { Tone::DialogDanger } else { Tone::Dialog };
    let widest = if confirm.single().is_some() { 84 } else { 110 };
    let width = area.width.saturating_sub(4).min(widest);
    let inner = usize::from(width.saturating_sub(6));
    let lines = match confirm.single() {
        Some(aim) => about_one(model, confirm, aim, inner, sheet.pen),
        None => about_several(model, confirm, inner, sheet.pen),
    };
    let height = u16::try_from(lines.len() + 4).unwrap_or(u16::MAX);
    let about: Vec<_> = confirm.aims.iter().map(|aim| &aim.at).collect();
    let room = sheet.dialog(centred(area, width, height), &words::question(&confirm.action, &about), tone);
    let (text, answer) = split(room);
    sheet.scroll(text, lines, confirm.scroll);
    match confirm.stage {
        Stage::Asked => sheet.put(answer, 0, progress(confirm, sheet.pen)),
        Stage::Deciding(_) if !confirm.can_do() => {
            sheet.put(answer, 0, sheet.pen.line(Tone::Error, "This cannot be done now."));
        }
        Stage::Deciding(choice) => buttons::draw(&button(confirm), choice, danger, answer, sheet),
    }
}

/// As in `Restart`, `Restart 3`.
fn button(confirm: &Confirm) -> String {
    let word = words::button(&confirm.action);
    match confirm.single() {
        Some(_) => word.to_owned(),
        None => format!("{word} {}", confirm.aims.iter().filter(|aim| aim.can_be_done()).count()),
    }
}

fn about_one(model: &Model, confirm: &Confirm, aim: &Aim, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let mut lines = silence(model, &aim.at, room, pen);
    lines.extend(model.fleet.server(&aim.at.server).map(|server| named::place(server, pen)));
    if let Some(service) = model.fleet.service(&aim.at).filter(|_| confirm.can_do()) {
        let told = words::effect(&confirm.action, service, meant(model, &confirm.action, aim));
        lines.extend(effect(&told, room, pen));
        lines.push(Line::default());
    }
    lines.extend(plan::loaded(&aim.plan, room, pen));
    lines
}

/// The release that a rollback makes live.
fn meant<'a>(model: &'a Model, action: &Action, aim: &Aim) -> Option<&'a ReleaseView> {
    let Action::Rollback { to } = action else { return None };
    let detail = model.details.get(&aim.at)?.detail()?;
    detail.releases.iter().find(|release| release.release.id == *to)
}

fn about_several(model: &Model, confirm: &Confirm, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let can_be_done = confirm.aims.iter().filter(|aim| aim.can_be_done());
    let services: Vec<&ServiceView> = can_be_done.filter_map(|aim| model.fleet.service(&aim.at)).collect();
    let mut servers: Vec<_> = confirm.aims.iter().map(|aim| &aim.at).collect();
    servers.dedup_by_key(|at| &at.server);
    let mut lines: Vec<_> = servers.into_iter().flat_map(|at| silence(model, at, room, pen)).collect();
    if !services.is_empty() {
        lines.extend(effect(&words::effect_on_all(&confirm.action, &services), room, pen));
    }
    if services.len() < confirm.aims.len() {
        let left = confirm.aims.len() - services.len();
        lines.push(pen.line(Tone::Error, format!("For {left} of the {} it cannot be done now.", confirm.aims.len())));
    }
    if confirm.left_out > 0 {
        let left = words::services(confirm.left_out);
        lines.push(pen.line(Tone::Muted, format!("{left} more: marked, and stopped already.")));
    }
    if confirm.forbidden > 0 {
        let left = words::services(confirm.forbidden);
        lines.push(pen.line(Tone::Warning, format!("{left} more: marked, and not for your key to change.")));
    }
    lines.push(Line::default());
    let rows = confirm.aims.iter().map(|aim| row(model, confirm.stage, aim, pen)).collect();
    lines.extend(table::lines(&COLUMNS, rows, room, pen));
    lines
}

fn row(model: &Model, stage: Stage, aim: &Aim, pen: &Pen<'_>) -> Cells {
    let service = model.fleet.service(&aim.at);
    let live = service.and_then(|service| service.release).map_or_else(|| NONE.into(), |release| release.to_string());
    let wanted = service.map_or(0, |service| service.wanted);
    let server = model.fleet.server(&aim.at.server);
    let stale = server.is_none_or(|server| !server.is_live());
    vec![
        pen.line(Tone::Strong, aim.at.service.to_string()),
        match server.filter(|_| !stale) {
            Some(server) => named::server_line(server, Tone::Text, pen),
            None => pen.line(Tone::Stale, aim.at.server.to_string()),
        },
        pen.line(Tone::Text, live),
        pen.line(Tone::Text, wanted.to_string()),
        what_happens(stage, aim, pen),
    ]
}

/// What was answered; before that what the server would do.
fn what_happens(stage: Stage, aim: &Aim, pen: &Pen<'_>) -> Line<'static> {
    if stage == Stage::Asked && aim.can_be_done() && aim.answer.is_none() {
        return pen.line(Tone::Pending, format!("telling {} …", aim.at.server));
    }
    match (&aim.answer, &aim.plan) {
        (Some(Ok(id)), _) => pen.line(Tone::Healthy, format!("begun as {id}")),
        (Some(Err(problem)), _) => pen.line(Tone::Error, format!("not done: {}", problem.message)),
        (None, Load::Waiting) => pen.line(Tone::Pending, "asking the server …"),
        (None, Load::Failed(problem)) => pen.line(Tone::Error, problem.message.clone()),
        (None, Load::Ready(plan)) => match plan.refusals.first() {
            Some(refusal) => pen.line(Tone::Error, refusal.message.clone()),
            None => Line::from(plan::notice(&plan.downtime, pen)),
        },
    }
}

fn progress(confirm: &Confirm, pen: &Pen<'_>) -> Line<'static> {
    let asked: Vec<_> = confirm.aims.iter().filter(|aim| aim.can_be_done()).collect();
    let waiting = asked.iter().filter(|aim| aim.answer.is_none()).count();
    match (confirm.single(), waiting) {
        (Some(aim), _) => pen.line(Tone::Pending, format!("telling {} …", aim.at.server)),
        (None, 0) => pen.line(Tone::Hint, "all have answered; esc closes this"),
        (None, _) => pen.line(Tone::Pending, format!("{} of {} have answered …", asked.len() - waiting, asked.len())),
    }
}
