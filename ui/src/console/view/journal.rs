//! The journal: what was done from this console, and what the servers noted of everybody.

use mypaas::api::{AuditEntry, AuditResult, By};
use mypaas::name::ServerName;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::history::Rows;
use super::pen::Pen;
use super::sheet::Sheet;
use super::table::{Cells, Column, left, right, text};
use super::{look, named};
use crate::console::model::Model;
use crate::console::model::journal::{Answer, Deed, Half, JournalPage, What};
use crate::console::symbols::{ACTIVE, DONE, FAILED, NONE};
use crate::console::theme::Tone;
use crate::console::words;

const OWN: [Column; 5] =
    [right("AGO", 1), text("SERVER", 6, 0), text("SERVICE", 8, 0), left("WHAT", 0), text("RESULT", 16, 0)];

const NOTED: [Column; 8] = [
    right("AGO", 1),
    text("SERVER", 6, 0),
    text("BY", 8, 0),
    left("KEY", 2),
    text("SERVICE", 7, 0),
    text("WHAT", 10, 0),
    text("RESULT", 12, 1),
    left("FROM", 3),
];

pub(crate) fn draw(model: &Model, page: JournalPage, area: Rect, sheet: &mut Sheet<'_>) {
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let pen = sheet.pen;
    let tab = |half: Half, label: String| pen.span(if page.half == half { Tone::TabActive } else { Tone::Tab }, label);
    let own = format!("this console {}", model.journal.own.len());
    let tabs = vec![tab(Half::Own, own), Span::raw("   "), tab(Half::Servers, "the servers' logs".into())];
    sheet.put(inner, 0, Line::from(tabs));
    let problems = if page.half == Half::Servers { draw_problems(model, inner, sheet) } else { 0 };
    let top = 2 + problems;
    let body = Rect { y: area.y + top.min(area.height), height: area.height.saturating_sub(top), ..area };
    let (columns, rows): (&[Column], Vec<Cells>) = match page.half {
        Half::Own => (&OWN, model.journal.own.iter().map(|deed| of_deed(model, deed, sheet.pen)).collect()),
        Half::Servers => {
            let noted = model.journal.noted();
            (&NOTED, noted.into_iter().map(|(server, entry)| of_entry(model, server, entry, sheet.pen)).collect())
        }
    };
    if rows.is_empty() {
        let text = match page.half {
            Half::Own => "Nothing was changed from this console yet.",
            Half::Servers => "No server has told what was done there yet.",
        };
        let inner = Rect { x: body.x + 1, width: body.width.saturating_sub(2), ..body };
        return sheet.put(inner, 0, sheet.pen.line(Tone::Muted, text));
    }
    let place = page.cursor.min(rows.len() - 1);
    sheet.seen.body = Rows { columns, rows, chosen: Some((place, true)) }.draw(body, sheet);
}

/// Servers that cannot tell what was done; says how many lines that took.
fn draw_problems(model: &Model, area: Rect, sheet: &mut Sheet<'_>) -> u16 {
    let mut row = 1;
    for server in &model.fleet.servers {
        let told = match model.journal.audits.get(&server.name) {
            Some(Err(problem)) => format!("{}: {}", server.name, problem.message),
            _ if !server.is_live() => {
                format!("{} does not answer: what was done there since is not known", server.name)
            }
            _ => continue,
        };
        sheet.put(area, row, sheet.pen.line(Tone::Stale, told));
        row += 1;
    }
    row - 1
}

fn server_cell(model: &Model, name: &ServerName, pen: &Pen<'_>) -> Line<'static> {
    let entry = model.fleet.server(name);
    entry.map_or_else(|| pen.line(Tone::Text, name.to_string()), |entry| named::server_line(entry, Tone::Text, pen))
}

fn of_deed(model: &Model, deed: &Deed, pen: &Pen<'_>) -> Cells {
    let service = deed.service.as_ref().map_or_else(|| NONE.to_owned(), ToString::to_string);
    vec![
        pen.line(Tone::Muted, pen.age(deed.at)),
        server_cell(model, &deed.server, pen),
        pen.line(Tone::Strong, service),
        pen.line(Tone::Text, what(&deed.what)),
        answer(&deed.result, pen),
    ]
}

fn what(what: &What) -> String {
    match what {
        What::Action(action) => words::action(action),
        What::Cancel(id) => format!("cancel {id}"),
        What::SetVariable(name) => format!("set {name}"),
        What::UnsetVariable(name) => format!("unset {name}"),
        What::Shell => "shell".into(),
    }
}

fn answer(answer: &Answer, pen: &Pen<'_>) -> Line<'static> {
    match answer {
        Answer::Waiting => pen.line(Tone::Pending, format!("{ACTIVE} the server has not answered")),
        Answer::Done => pen.line(Tone::Healthy, format!("{DONE} done")),
        Answer::Refused(problem) => pen.line(Tone::Failing, format!("{FAILED} not done: {}", problem.message)),
        Answer::Deploy(deploy) => {
            let mut spans = vec![look::of_deploy(deploy).both(pen)];
            let told = words::ending(deploy).map(|ending| format!(": {ending}")).unwrap_or_default();
            spans.push(pen.span(Tone::Muted, format!("  {}{told}", deploy.id)));
            Line::from(spans)
        }
    }
}

fn of_entry(model: &Model, server: &ServerName, entry: &AuditEntry, pen: &Pen<'_>) -> Cells {
    let here = model.fleet.server(server).map_or(entry.at, |server| server.here(entry.at));
    let (who, key) = by(&entry.by);
    let service = entry.service.as_ref().map_or_else(|| NONE.to_owned(), ToString::to_string);
    let action = entry.action.as_ref().map_or_else(|| entry.request.clone(), words::action);
    let from = entry.address.map_or_else(|| "on the server".to_owned(), |address| address.to_string());
    vec![
        pen.line(Tone::Muted, pen.age(here)),
        server_cell(model, server, pen),
        pen.line(Tone::Text, who),
        pen.line(Tone::Muted, key),
        pen.line(Tone::Strong, service),
        pen.line(Tone::Text, action),
        result(model, server, entry, pen),
        pen.line(Tone::Muted, from),
    ]
}

/// Who it was, and with which key.
fn by(by: &By) -> (String, String) {
    match by {
        By::Local { user } => (user.clone(), NONE.to_owned()),
        By::Key(holder) => (holder.name().to_owned(), words::key(&holder.fingerprint)),
        By::Nobody { claimed } => {
            let key = claimed.as_ref().map_or_else(|| NONE.to_owned(), words::key);
            ("nobody known".to_owned(), key)
        }
    }
}

/// How its deploy ended, as far as the server still tells; else whether it was taken on.
fn result(model: &Model, server: &ServerName, entry: &AuditEntry, pen: &Pen<'_>) -> Line<'static> {
    if let AuditResult::Refused { message, .. } = &entry.result {
        return pen.line(Tone::Failing, format!("{FAILED} refused: {message}"));
    }
    let Some(id) = entry.deploy else { return pen.line(Tone::Healthy, format!("{DONE} done")) };
    let snapshot = model.fleet.server(server).and_then(|server| server.snapshot());
    match snapshot.and_then(|snapshot| snapshot.deploys.iter().find(|deploy| deploy.id == id)) {
        Some(deploy) => Line::from(vec![look::of_deploy(deploy).both(pen), pen.span(Tone::Muted, format!("  {id}"))]),
        None => pen.line(Tone::Muted, format!("taken on as {id}")),
    }
}
