//! The selected service in a few lines, below the list where there is no room beside it.

use ratatui::layout::Rect;

use super::sheet::Sheet;
use super::{containers, overview, server};
use crate::console::model::Model;

pub(crate) fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    sheet.rule_across(inner, 0);
    let body = Rect { y: inner.y + 1.min(inner.height), height: inner.height.saturating_sub(1), ..inner };
    let Some(item) = &model.list.selected else { return };
    let Some(entry) = model.fleet.server(item.server()) else { return };
    let Some(service) = item.service().and_then(|at| entry.service(&at.service)) else {
        return sheet.put_all(body, server::lines(entry, usize::from(body.width), sheet.pen));
    };
    let mut lines = overview::facts(entry, service, usize::from(body.width), sheet.pen);
    lines.extend(containers::lines(entry, service, usize::from(body.width), sheet.pen));
    sheet.put_all(body, lines);
}
