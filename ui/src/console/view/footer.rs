//! The line at the bottom: the keys that matter here, those that were pressed, or what is being typed.

use mypaas::api::VariableView;
use ratatui::layout::Rect;
use ratatui::text::Line as Drawn;

use super::pen::Pen;
use super::pending;
use super::sheet::Sheet;
use super::text::cut;
use crate::console::command::Command;
use crate::console::keymap::{Binding, Context, Section};
use crate::console::model::detail::Tab;
use crate::console::model::dialog::Dialog;
use crate::console::model::disk::Disk;
use crate::console::model::line::{Line, Unseen};
use crate::console::model::list::{Item, Row};
use crate::console::model::{Focus, Model, Page, Target, Typing};
use crate::console::symbols::DOT;
use crate::console::theme::Tone;
use crate::console::words::counted;

/// Between two hints.
const GAP: usize = 2;

pub(crate) fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    sheet.paint(area, Tone::Bar);
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    if let Some(typing) = model.typing.filter(|_| model.dialog.is_none()) {
        return draw_typed(model, typing, inner, sheet);
    }
    if model.pending.is_empty() { draw_hints(model, inner, sheet) } else { pending::draw_title(model, inner, sheet) }
}

fn draw_typed(model: &Model, typing: Typing, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let (sign, line, found, example) = match typing {
        Typing::ServiceFilter => {
            let shown = model.list.rows(&model.fleet);
            let found = shown.iter().filter(|row| matches!(row, Row::Service { .. })).count();
            (
                "/",
                &model.list.filter.line,
                format!("{found} of {}", model.fleet.tally().total()),
                "state:down, cpu>50, mem>200m, age<1h, p95>200ms, errors>1%, cert<14d, !not",
            )
        }
        Typing::ServerFilter => (
            "/",
            &model.servers.filter.line,
            format!("{} of {}", model.shown_servers().len(), model.fleet.servers.len()),
            "state:silent, cpu>50, mem>80, disk>80, alerts>0, down>0, up<1h, service:api, !not",
        ),
        Typing::AlertFilter => (
            "/",
            &model.alerts.filter.line,
            format!("{} of {}", model.shown_concerns().len(), model.fleet.concerns().len()),
            "alert:disk, server:s2, service:api, since<1h, !not",
        ),
        Typing::JournalFilter => {
            let Page::Journal(page) = &model.page else { return };
            let found = format!("{} of {}", model.shown_records(page.half).len(), model.records(page.half).len());
            ("/", &model.journal.arrangement.filter.line, found, "what:push, by:ada, result:failed, ago<1h, !not")
        }
        Typing::LogFilter => {
            let Some(logs) = &model.logs else { return };
            let found = format!("{} of {} lines", logs.match_count(), logs.tape.len());
            ("/", &logs.pattern.line, found, "a regular expression; !… for lines without it")
        }
        Typing::LogSince => {
            let Some(logs) = &model.logs else { return };
            ("since ", &logs.since_line, String::new(), "10m, 2h, 14:03, 2026-11-23 14:03; nothing: the newest lines")
        }
        Typing::VariableName => {
            let Page::Variables(page) = &model.page else { return };
            ("name ", &page.name, String::new(), "as in DATABASE_PASSWORD")
        }
        Typing::VariableValue => return draw_unseen(model, area, sheet),
        Typing::LogPath => {
            let Some(logs) = &model.logs else { return };
            ("save as ", &logs.path, counted(logs.shown_count(), "line", "lines"), "a file that is not there yet")
        }
    };
    let usual = (Tone::Muted, if line.is_empty() { example.to_owned() } else { found });
    let (tone, right) = mistake_beside(model, typing, line, area.width).unwrap_or(usual);
    let width = u16::try_from(right.chars().count()).unwrap_or(0) + 2;
    let room = area.width.saturating_sub(2);
    sheet.put(area, 0, pen.line(Tone::Key, sign));
    let used = u16::try_from(sign.len()).unwrap_or(0).min(room);
    let field =
        Rect { x: area.x + used, width: (room - used).saturating_sub(width).max((room - used).min(12)), ..area };
    if field.width + width <= room {
        sheet.put_right(area, 0, pen.line(tone, right));
    }
    sheet.typed(field, 0, line);
}

/// What a filter lacks, in the room that it leaves.
fn mistake_beside(model: &Model, typing: Typing, line: &Line, room: u16) -> Option<(Tone, String)> {
    let mistake = if typing.is_filter() { model.filter_mistake()? } else { return None };
    let typed = 12.max(line.text().chars().count() + 1);
    Some((Tone::Warning, cut(&mistake, usize::from(room).saturating_sub(typed + 5))))
}

/// A value is typed: how long it is may be seen, and nothing else of it.
fn draw_unseen(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let Page::Variables(page) = &model.page else { return };
    let name = page.meant().map(|name| name.to_string()).unwrap_or_default();
    let sign = format!("value of {name} (not shown) ");
    let Unseen(line) = &page.value;
    let hidden = Line::of(&DOT.repeat(line.text().chars().count()));
    let used = u16::try_from(sign.chars().count()).unwrap_or(u16::MAX).min(area.width);
    sheet.put(area, 0, sheet.pen.line(Tone::Key, sign));
    sheet.typed(Rect { x: area.x + used, width: area.width - used, ..area }, 0, &hidden);
}

/// As many of the context's keys as there is room for; how to get all of them comes last and always.
fn draw_hints(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let room = usize::from(area.width);
    let shown = model.keymap.of(model.context()).filter(|binding| matters(binding, model));
    let hints: Vec<Hint<'_>> = shown.map(|binding| Hint::of(binding, word(binding, model), sheet.pen)).collect();
    let (mut last, first): (Vec<_>, Vec<_>) =
        hints.into_iter().partition(|hint| hint.binding.section == Section::Anywhere);
    while last.len() > 1 && width(&last) > room {
        last.remove(0);
    }
    let mut place = area.x;
    let mut left = room.saturating_sub(width(&last));
    let fitting = first.into_iter().filter(|hint| {
        let fits = hint.width() + GAP <= left;
        left -= if fits { hint.width() + GAP } else { 0 };
        fits
    });
    for hint in fitting.chain(last) {
        let width = u16::try_from(hint.width()).unwrap_or(u16::MAX).min(area.right().saturating_sub(place));
        let part = Rect { x: place, width, ..area };
        sheet.spot(part, Target::Command(hint.binding.command));
        sheet.put(part, 0, hint.line);
        place = place.saturating_add(width).saturating_add(GAP as u16);
    }
}

/// A key and its word.
struct Hint<'a> {
    binding: &'a Binding,
    line: Drawn<'static>,
}

impl<'a> Hint<'a> {
    fn of(binding: &'a Binding, word: &str, pen: &Pen<'_>) -> Self {
        let key = binding.keys.first().map(ToString::to_string).unwrap_or_default();
        let line = Drawn::from(vec![pen.span(Tone::Key, key), pen.span(Tone::Muted, format!(" {word}"))]);
        Self { binding, line }
    }

    fn width(&self) -> usize {
        self.line.width()
    }
}

fn width(hints: &[Hint<'_>]) -> usize {
    hints.iter().map(|hint| hint.width() + GAP).sum::<usize>().saturating_sub(GAP)
}

/// The selected one.
fn variable(model: &Model) -> Option<&VariableView> {
    match &model.page {
        Page::Variables(page) => page.selected(),
        _ => None,
    }
}

fn disk(model: &Model) -> Option<&Disk> {
    match &model.page {
        Page::Disk(page) => Some(page),
        _ => None,
    }
}

/// The word for what the key does now.
fn word<'a>(binding: &'a Binding, model: &Model) -> &'a str {
    let hint = binding.hint.as_deref().unwrap_or_default();
    match (binding.section, binding.command, model.focus, &model.list.selected) {
        (Section::Services, Command::Open, Focus::List, Some(Item::Server(name))) => {
            if model.list.is_folded(name) {
                "unfold"
            } else {
                "fold"
            }
        }
        _ => hint,
    }
}

/// It is a key for the footer, and it would do something now.
fn matters(binding: &Binding, model: &Model) -> bool {
    let at_root = model.page_context() == Context::Services
        && model.focus == Focus::List
        && model.list.filter.is_empty()
        && model.dialog.is_none();
    let idle = match (binding.section, binding.command) {
        (Section::Anywhere, Command::Back) => at_root,
        (Section::Page | Section::Services, Command::NextTab) => model.tab_with_keys().is_none(),
        (Section::Page, Command::Open) => !model.tab_with_keys().is_some_and(Tab::has_lines),
        // Of a service there is more to do than there is room for.
        (Section::Page, Command::Push) => model.selected_service().is_some(),
        // They are a tab there.
        (Section::Service, Command::Logs) if model.page_context() == Context::Page => true,
        (Section::Service, Command::Pin) => model.tab_with_keys() != Some(Tab::Releases),
        (Section::Service, _) => model.selected_service().is_none(),
        (Section::Services, Command::Open | Command::Mark) => model.list.selected.is_none(),
        (Section::Services, Command::LongerSpan | Command::ShorterSpan) => model.pane.tab != Tab::Graphs,
        (Section::Deploy, Command::CancelDeploy) => {
            matches!(&model.page, Page::Deploy(page) if page.is_over() || page.too_late_to_cancel().is_some())
        }
        (Section::Variables, Command::SetVariable) => variable(model).is_none(),
        (Section::Variables, Command::UnsetVariable) => !variable(model).is_some_and(|view| view.is_set),
        (Section::Scale, Command::Accept) => matches!(&model.dialog, Some(Dialog::Scale(scale)) if !scale.can_do()),
        (Section::Disk, Command::Prune) => !disk(model).is_some_and(Disk::has_something_to_prune),
        (Section::Disk, Command::Open) => disk(model).and_then(Disk::selected).is_none(),
        (Section::Folder | Section::Variables | Section::Disk, Command::OtherServer) => model.fleet.servers.len() < 2,
        _ => false,
    };
    binding.hint.is_some() && !idle
}
