//! The journal: what was done from this console, and what the servers noted of everybody.

use mypaas::api::{AuditEntry, AuditResult, Deploy};
use mypaas::name::ServerName;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::history::{self, Rows, Selected, Sorted};
use super::pen::Pen;
use super::problem::labelled;
use super::sheet::Sheet;
use super::table::{Cells, Column, left, name, right, text};
use super::text::wrap;
use super::{look, named, nothing, strip};
use crate::console::command::Command;
use crate::console::model::Model;
use crate::console::model::about::record_ids;
use crate::console::model::entries::Record;
use crate::console::model::journal::{Answer, Half, JournalPage};
use crate::console::model::order::Order;
use crate::console::symbols::{ACTIVE, DONE, FAILED, NONE};
use crate::console::theme::Tone;
use crate::console::words;

const OWN: [Column; 5] =
    [right("AGO", 1), text("SERVER", 6, 0), name("SERVICE", 8, 0), left("WHAT", 0), text("RESULT", 16, 0)];

const NOTED: [Column; 8] = [
    right("AGO", 1),
    text("SERVER", 6, 0),
    text("BY", 8, 0),
    left("KEY", 2),
    name("SERVICE", 7, 0),
    text("WHAT", 16, 0),
    text("RESULT", 12, 1),
    left("FROM", 3),
];

/// What sorts by each of them.
const OWN_SORTS: [Command; 5] =
    [Command::SortAge, Command::SortServer, Command::SortName, Command::SortMessage, Command::SortState];

const NOTED_SORTS: [Command; 8] = [
    Command::SortAge,
    Command::SortServer,
    Command::SortWho,
    Command::SortKey,
    Command::SortName,
    Command::SortMessage,
    Command::SortState,
    Command::SortUrl,
];

pub(crate) fn draw(model: &Model, page: &JournalPage, area: Rect, sheet: &mut Sheet<'_>) {
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let pen = sheet.pen;
    let tab = |half: Half, label: String| pen.span(if page.half == half { Tone::TabActive } else { Tone::Tab }, label);
    let own = format!("this console {}", model.journal.own.len());
    let tabs = vec![tab(Half::Own, own), Span::raw("   "), tab(Half::Servers, "the servers' logs".into())];
    sheet.put(inner, 0, Line::from(tabs));
    let problems = if page.half == Half::Servers { draw_problems(model, inner, sheet) } else { 0 };
    let top = 2 + problems;
    let body = Rect { y: area.y + top.min(area.height), height: area.height.saturating_sub(top), ..area };
    let records = model.shown_records(page.half);
    if records.is_empty() {
        let inner = Rect { x: body.x + 1, width: body.width.saturating_sub(2), ..body };
        if !model.records(page.half).is_empty() {
            let filter = model.journal.arrangement.filter.line.text();
            return nothing::draw(model, "Nothing in this half", filter, inner, sheet);
        }
        return sheet.put(inner, 0, sheet.pen.line(Tone::Muted, why_empty(page.half)));
    }
    let (columns, sorts): (&[Column], &[Command]) = match page.half {
        Half::Own => (&OWN, &OWN_SORTS),
        Half::Servers => (&NOTED, &NOTED_SORTS),
    };
    let place = page.chosen.place(&record_ids(&records));
    let chosen = Some(Selected::of(place, model));
    let height = strip::height(body);
    let table = Rect { height: body.height - height, ..body };
    let window = history::window(records.len(), chosen, table);
    let seen = records.iter().skip(window.top).take(window.page);
    let rows: Vec<Cells> = seen.map(|record| row(model, *record, sheet.pen)).collect();
    let order = model.journal.arrangement.order;
    let by = sorts.iter().position(|command| command.entry_column() == Some(order.by));
    let sorted =
        Sorted { commands: sorts, by: by.filter(|_| order != Order::default()).map(|by| (by, order.direction())) };
    sheet.seen.body = Rows { columns, rows, chosen }.draw_seen(window, &sorted, table, sheet);
    draw_selected(records[place], Rect { y: table.bottom(), height, ..body }, sheet);
}

/// All of what came of the selected one.
fn draw_selected(record: Record<'_>, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let room = usize::from(area.width.saturating_sub(2));
    let (came, hint) = match record {
        Record::Own(deed) => match &deed.result {
            Answer::Refused(problem) => (answer(&deed.result, pen), problem.hint.as_deref()),
            Answer::Waiting | Answer::Done | Answer::Deploy(_) => (answer(&deed.result, pen), None),
        },
        Record::Noted { entry, deploy, .. } => {
            let mut came = result(entry, deploy, pen);
            let ending = deploy.and_then(words::ending).map(|ending| pen.span(Tone::Text, format!(": {ending}")));
            came.spans.extend(ending);
            (came, None)
        }
    };
    let style = came.spans.first().map(|span| span.style).unwrap_or_default();
    let mut lines: Vec<_> = wrap(&came.to_string(), room).into_iter().map(|line| Line::styled(line, style)).collect();
    lines.extend(hint.into_iter().flat_map(|hint| labelled("hint ", Tone::Hint, hint, Tone::Text, room, pen)));
    lines.push(pen.line(Tone::Muted, origin(record, pen)));
    strip::draw(lines, area, sheet);
}

/// When, by whom and from where, as far as that is known.
fn origin(record: Record<'_>, pen: &Pen<'_>) -> String {
    let known = [("by ", record.who()), ("key ", record.key()), ("from ", record.from())];
    let told = known.into_iter().filter_map(|(word, text)| Some(format!("{word}{}", text?)));
    std::iter::once(pen.date(record.at())).chain(told).collect::<Vec<_>>().join(", ")
}

fn why_empty(half: Half) -> &'static str {
    match half {
        Half::Own => "Nothing was changed from this console yet.",
        Half::Servers => "No server has told what was done there yet.",
    }
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

fn row(model: &Model, record: Record<'_>, pen: &Pen<'_>) -> Cells {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
    let ago = pen.line(Tone::Muted, pen.age(record.at()));
    let server = server_cell(model, record.server(), pen);
    let service = pen.line(Tone::Strong, or_none(record.service().map(ToString::to_string)));
    let what = pen.line(Tone::Text, record.what());
    match record {
        Record::Own(deed) => vec![ago, server, service, what, answer(&deed.result, pen)],
        Record::Noted { entry, deploy, .. } => vec![
            ago,
            server,
            pen.line(Tone::Text, or_none(record.who())),
            pen.line(Tone::Muted, or_none(record.key())),
            service,
            what,
            result(entry, deploy, pen),
            pen.line(Tone::Muted, or_none(record.from())),
        ],
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

/// How its deploy ended, as far as the server still tells; else whether it was taken on.
fn result(entry: &AuditEntry, deploy: Option<&Deploy>, pen: &Pen<'_>) -> Line<'static> {
    if let AuditResult::Refused { message, .. } = &entry.result {
        return pen.line(Tone::Failing, format!("{FAILED} refused: {message}"));
    }
    match (entry.deploy, deploy) {
        (None, _) => pen.line(Tone::Healthy, format!("{DONE} done")),
        (Some(id), Some(deploy)) => {
            Line::from(vec![look::of_deploy(deploy).both(pen), pen.span(Tone::Muted, format!("  {id}"))])
        }
        (Some(id), None) => pen.line(Tone::Muted, format!("taken on as {id}")),
    }
}
