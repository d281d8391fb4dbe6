//! The line at the bottom: the keys that matter here, what may follow a key, or what is being typed.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::sheet::Sheet;
use crate::console::command::Command;
use crate::console::keymap::{Binding, Context, Section};
use crate::console::model::{Focus, Model, Page, Typing};
use crate::console::theme::Tone;

pub(crate) fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    sheet.paint(area, Tone::Bar);
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    if let Some(typing) = model.typing.filter(|_| model.dialog.is_none()) {
        return draw_typed(model, typing, inner, sheet);
    }
    let line = if model.pending.is_empty() {
        hints(model, sheet.pen, usize::from(inner.width))
    } else {
        pending(model, sheet.pen)
    };
    sheet.put(inner, 0, line);
}

fn draw_typed(model: &Model, typing: Typing, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let (line, found, example) = match typing {
        Typing::ServiceFilter => {
            let shown = model.list.rows(&model.fleet);
            let found =
                shown.iter().filter(|row| matches!(row, crate::console::model::list::Row::Service { .. })).count();
            let all = model.fleet.tally().total();
            (
                &model.list.filter.line,
                format!("{found} of {all}"),
                "name, state:down, server:…, release:r3, url:…, !not",
            )
        }
        Typing::LogFilter => {
            let Some(logs) = &model.logs else { return };
            let found = format!("{} of {} lines", logs.match_count(), logs.tape.len());
            (&logs.pattern.line, found, "a regular expression")
        }
    };
    let right = if line.is_empty() { example.to_owned() } else { found };
    let width = u16::try_from(right.chars().count()).unwrap_or(0) + 2;
    let room = area.width.saturating_sub(2);
    sheet.put(area, 0, pen.line(Tone::Key, "/"));
    let field = Rect { x: area.x + 1, width: room.saturating_sub(width).max(room.min(12)), ..area };
    if field.width + width <= room {
        sheet.put_right(area, 0, pen.line(Tone::Muted, right));
    }
    sheet.typed(field, 0, line);
}

/// What may follow the keys pressed so far.
fn pending(model: &Model, pen: &Pen<'_>) -> Line<'static> {
    let pressed: String = model.pending.iter().map(ToString::to_string).collect();
    let mut spans = vec![pen.span(Tone::Accent, format!("{pressed} …"))];
    for (rest, binding) in model.keymap.continuations(model.context(), &model.pending) {
        spans.push(Span::raw("   "));
        spans.push(pen.span(Tone::Key, rest.to_string()));
        spans.push(pen.span(Tone::Muted, format!(" {}", binding.about.to_lowercase())));
    }
    Line::from(spans)
}

/// As many of the context's keys as there is room for; how to get all of them comes last and always.
fn hints(model: &Model, pen: &Pen<'_>, room: usize) -> Line<'static> {
    let context = model.context();
    let shown: Vec<&Binding> = model.keymap.of(context).filter(|binding| matters(binding, model)).collect();
    let (last, first): (Vec<_>, Vec<_>) = shown.into_iter().partition(|binding| binding.section == Section::Anywhere);
    let tail: Vec<Span<'static>> = last.iter().flat_map(|binding| hint(binding, pen)).collect();
    let tail_width: usize = tail.iter().map(Span::width).sum();
    let mut spans = Vec::new();
    let mut used = 0;
    for binding in first {
        let next = hint(binding, pen);
        let width: usize = next.iter().map(Span::width).sum();
        if used + width + tail_width > room {
            break;
        }
        used += width;
        spans.extend(next);
    }
    spans.extend(tail);
    Line::from(spans)
}

/// It is a key for the footer, and it would do something now.
fn matters(binding: &Binding, model: &Model) -> bool {
    let at_root = model.page_context() == Context::Services
        && model.focus == Focus::List
        && model.list.filter.is_empty()
        && model.dialog.is_none();
    let idle = match (binding.section, binding.command) {
        (Section::Anywhere, Command::Back) => at_root,
        (Section::Service, _) => model.selected_service().is_none(),
        (Section::Deploy, Command::CancelDeploy) => {
            matches!(&model.page, Page::Deploy(page) if page.progress.finished.is_some() || page.deploy.is_finished())
        }
        (Section::Folder, Command::OtherServer) => model.fleet.servers.len() < 2,
        _ => false,
    };
    binding.hint.is_some() && !idle
}

fn hint(binding: &Binding, pen: &Pen<'_>) -> [Span<'static>; 3] {
    let key = binding.keys.first().map(ToString::to_string).unwrap_or_default();
    let word = binding.hint.clone().unwrap_or_default();
    [pen.span(Tone::Key, key), pen.span(Tone::Muted, format!(" {word}")), Span::raw("  ")]
}
