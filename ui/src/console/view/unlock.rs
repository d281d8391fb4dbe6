//! The last question before something is done on a locked server, or several services are removed: a name, a number.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::named;
use super::sheet::{Sheet, centred};
use super::text::wrap;
use crate::console::model::Model;
use crate::console::model::dialog::Unlock;
use crate::console::theme::Tone;

pub(crate) fn draw(model: &Model, unlock: &Unlock, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let width = area.width.saturating_sub(4).min(84);
    let room = usize::from(width.saturating_sub(6));
    let servers = unlock.servers.iter().filter_map(|name| model.fleet.server(name));
    let mut lines: Vec<_> = servers.map(|server| named::place(server, pen)).collect();
    if !lines.is_empty() {
        lines.push(Line::default());
    }
    let told = format!("{} Type {} to go on.", reason(unlock), unlock.words());
    lines.extend(wrap(&told, room).into_iter().map(|line| pen.line(Tone::Text, line)));
    lines.push(Line::default());
    let height = u16::try_from(lines.len() + 3).unwrap_or(u16::MAX);
    let inner = sheet.dialog(centred(area, width, height), &unlock.question, Tone::DialogDanger);
    let typed = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(inner.height.saturating_sub(1));
    sheet.put_all(inner, lines);
    let line = Rect { y: inner.y + typed, height: inner.height.min(1), ..inner };
    sheet.put(line, 0, sheet.pen.line(Tone::Key, "> "));
    sheet.typed(Rect { x: line.x + 2, width: line.width.saturating_sub(2), ..line }, 0, &unlock.line);
}

fn reason(unlock: &Unlock) -> String {
    let locked = match unlock.servers.len() {
        0 => None,
        1 => Some("Nothing is changed on a locked server before its name was typed.".to_owned()),
        _ => Some("Nothing is changed on locked servers before their names were typed.".to_owned()),
    };
    let removed = unlock.removed.map(|count| format!("{count} services would be gone for good."));
    [locked, removed].into_iter().flatten().collect::<Vec<_>>().join(" ")
}
