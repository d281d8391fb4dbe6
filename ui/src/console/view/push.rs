//! The page for a push.

use mypaas::manifest::Severity;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::problem::labelled;
use super::sheet::Sheet;
use super::text::cut_start;
use super::{buttons, diagnostics, format, glance, named, plan, problem};
use crate::console::model::push::{Choosing, ContextSize, FolderReport, Offer, OfferKind, Push, Review, Step};
use crate::console::model::{Model, Page, Target, Window};
use crate::console::symbols::{BAR_EMPTY, BAR_FULL, CHOSEN};
use crate::console::theme::Tone;
use crate::console::words::counted;

/// What the chosen folder is takes so many lines, where there are so many.
const GLANCE_HEIGHT: u16 = 5;
const GLANCE_NEEDS: u16 = 10;

pub(crate) fn draw(model: &Model, page: &Push, area: Rect, sheet: &mut Sheet<'_>) {
    let inner = Rect { x: area.x + 2, width: area.width.saturating_sub(4), ..area };
    let pen = sheet.pen;
    sheet.put(inner, 1, target(model, page, pen));
    let body = Rect { y: inner.y + 3.min(inner.height), height: inner.height.saturating_sub(3), ..inner };
    match &page.step {
        Step::Choosing(choosing) => draw_choosing(model, page, choosing, body, sheet),
        Step::Checking { folder } => {
            sheet.put(
                body,
                0,
                pen.line(Tone::Pending, format!("reading {} and asking {} …", folder.display(), page.server)),
            );
        }
        Step::Review(review) => draw_review(page, review, body, sheet),
        Step::Sending { report, sent } => draw_sending(page, report, *sent, body, sheet),
        Step::Refused { folder, problem: why } => {
            sheet.put(body, 0, pen.line(Tone::Strong, format!("{} was not deployed.", folder.display())));
            let lines = problem::lines(why, usize::from(body.width), pen);
            sheet
                .put_all(Rect { y: body.y + 2.min(body.height), height: body.height.saturating_sub(2), ..body }, lines);
        }
    }
}

/// Its lowest line is for what is about to be done, which no note may cover.
pub(crate) fn has_buttons(model: &Model) -> bool {
    matches!(&model.page, Page::Push(page) if matches!(page.step, Step::Review(_)))
}

fn target(model: &Model, page: &Push, pen: &Pen<'_>) -> Line<'static> {
    let mut spans = vec![pen.span(Tone::Strong, "Push a folder to ")];
    let server = model.fleet.server(&page.server);
    spans.extend(server.into_iter().flat_map(|server| named::server(server, Tone::Accent, pen)));
    if model.fleet.server(&page.server).is_some_and(|server| !server.is_live()) {
        spans.push(pen.span(Tone::Stale, "  which does not answer now"));
    }
    Line::from(spans)
}

fn draw_choosing(model: &Model, page: &Push, choosing: &Choosing, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    sheet.put(area, 0, pen.line(Tone::Heading, "FOLDER"));
    let field = Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1).min(1), ..area };
    sheet.put(field, 0, pen.line(Tone::Key, "> "));
    sheet.typed(Rect { x: field.x + 2, width: field.width.saturating_sub(2), ..field }, 0, &choosing.line);
    let below = Rect { y: area.y + 3.min(area.height), height: area.height.saturating_sub(3), ..area };
    let strip = if below.height >= GLANCE_NEEDS { GLANCE_HEIGHT } else { 0 };
    let list = Rect { height: below.height - strip, ..below };
    draw_offers(choosing, list, sheet);
    glance::draw(model, page, choosing, Rect { y: list.bottom(), height: strip, ..below }, sheet);
}

fn draw_offers(choosing: &Choosing, list: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let offers = choosing.offers();
    if offers.is_empty() {
        // Behind a slash nothing has begun yet: the folder itself may be the one.
        let is_inside = choosing.line.text().ends_with('/');
        let none = if is_inside { "no folders are here" } else { "no folder begins like this" };
        return sheet.put(list, 0, pen.line(Tone::Muted, none));
    }
    let count = usize::from(list.height);
    let place = choosing.cursor.unwrap_or(0);
    let top = (place + 1).saturating_sub(count);
    sheet.seen.body = Window::of_rows(top, count, offers.len());
    for (index, offer) in offers.iter().enumerate().skip(top).take(count) {
        let row = u16::try_from(index - top).unwrap_or(u16::MAX);
        let line = Rect { y: list.y + row, height: 1, ..list };
        sheet.spot(line, Target::Line(index));
        sheet.put(line, 0, of_offer(offer, usize::from(line.width), pen));
        if choosing.cursor == Some(index) {
            sheet.put(line, 0, pen.line(Tone::Accent, CHOSEN));
            sheet.paint(line, Tone::Selected);
        }
    }
    sheet.scroll_mark(list, top, offers.len());
}

fn of_offer(offer: &Offer, room: usize, pen: &Pen<'_>) -> Line<'static> {
    let (word, tone) = match offer.kind {
        OfferKind::Recent => ("pushed before", Tone::Accent),
        OfferKind::WithDockerfile => ("Dockerfile", Tone::Healthy),
        OfferKind::Folder => ("", Tone::Muted),
    };
    let path = cut_start(&offer.path, room.saturating_sub(20));
    Line::from(vec![
        Span::raw("  "),
        pen.span(if offer.kind == OfferKind::Folder { Tone::Muted } else { Tone::Text }, path),
        pen.span(tone, format!("  {word}")),
    ])
}

fn draw_review(page: &Push, review: &Review, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let lines = report(&review.report, usize::from(area.width.saturating_sub(2)), pen);
    let text = Rect { height: area.height.saturating_sub(2), ..area };
    sheet.scroll(text, lines, review.scroll);
    let row = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
    if review.can_push() {
        buttons::draw(&format!("Push to {}", page.server), review.choice, false, row, sheet);
    } else {
        sheet.put(row, 0, pen.line(Tone::Error, "This cannot be pushed."));
    }
}

/// The folder, what is wrong in it, and what would happen.
fn report(report: &FolderReport, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let mut lines = vec![folder(report, pen)];
    let contents = match &report.contents {
        Ok(contents) => contents,
        Err(why) => {
            lines.push(Line::default());
            lines.extend(problem::lines(why, room, pen));
            return lines;
        }
    };
    lines.extend(size(&contents.size, room, pen));
    if !contents.checked.diagnostics.is_empty() {
        let errors = contents.checked.diagnostics.iter().filter(|found| found.severity == Severity::Error).count();
        let warnings = contents.checked.diagnostics.len() - errors;
        let counts = format!("{}, {}", counted(errors, "error", "errors"), counted(warnings, "warning", "warnings"));
        lines.extend([Line::default(), pen.line(Tone::Heading, format!("DOCKERFILE: {counts}"))]);
        lines.extend(diagnostics::lines(&contents.checked.diagnostics, room, pen));
    }
    lines.push(Line::default());
    match &contents.plan {
        None => lines.push(pen.line(Tone::Muted, "Nothing is planned while there are errors.")),
        Some(Err(why)) => lines.extend(problem::lines(why, room, pen)),
        Some(Ok(planned)) => {
            let service = pen.span(Tone::Accent, planned.service.to_string());
            lines.push(Line::from(vec![pen.span(Tone::Heading, "SERVICE  "), service]));
            lines.extend(plan::lines(planned, room, pen));
        }
    }
    lines
}

fn folder(report: &FolderReport, pen: &Pen<'_>) -> Line<'static> {
    let mut spans =
        vec![pen.span(Tone::Heading, "FOLDER   "), pen.span(Tone::Strong, report.folder.display().to_string())];
    if let Some(commit) = &report.commit {
        spans.push(Span::raw("  "));
        spans.extend(glance::commit(commit, pen));
    }
    Line::from(spans)
}

fn size(size: &Result<ContextSize, mypaas::api::Problem>, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    match size {
        Err(why) => problem::lines(why, room, pen),
        Ok(size) => {
            let files = counted(usize::try_from(size.files).unwrap_or(usize::MAX), "file", "files");
            let text = format!("{files}, {} before compression", format::bytes(size.bytes));
            let mut lines = vec![Line::from(vec![pen.span(Tone::Heading, "SENDS    "), pen.span(Tone::Text, text)])];
            for note in &size.notes {
                lines.extend(labelled("         ", Tone::Muted, note, Tone::Muted, room, pen));
            }
            lines
        }
    }
}

fn draw_sending(page: &Push, report: &FolderReport, sent: u64, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let total =
        report.contents.as_ref().ok().and_then(|contents| contents.size.as_ref().ok()).map_or(0, |size| size.bytes);
    sheet.put(area, 0, pen.line(Tone::Text, format!("sending {} to {}", report.folder.display(), page.server)));
    let width = usize::from(area.width).saturating_sub(24).min(60);
    let share = if total == 0 { 1.0 } else { (sent as f64 / total as f64).min(1.0) };
    let full = (width as f64 * share) as usize;
    let line = Line::from(vec![
        pen.span(Tone::Accent, BAR_FULL.repeat(full)),
        pen.span(Tone::Muted, BAR_EMPTY.repeat(width - full)),
        pen.span(Tone::Text, format!("  {} of {}", format::bytes(sent.min(total)), format::bytes(total))),
    ]);
    sheet.put(area, 2, line);
    if sent >= total {
        sheet.put(area, 4, pen.line(Tone::Pending, "all read; waiting for the server to take it …"));
    }
}
