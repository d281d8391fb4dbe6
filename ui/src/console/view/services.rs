//! The main page: the list, and beside or below it what is selected.

use ratatui::layout::Rect;

use super::sheet::Sheet;
use super::{list, pane, summary};
use crate::console::model::{Breadth, Focus, Model, Window};

/// Lower than this there is no room for anything below the list.
const SUMMARY_NEEDS: u16 = 18;

const SUMMARY_HEIGHT: u16 = 9;

pub(crate) fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    match (model.breadth(), model.focus) {
        (Breadth::Narrow, Focus::Pane { .. }) | (_, Focus::Pane { whole: true }) => {
            list_unseen(model, area, sheet);
            pane::draw(model, area, sheet);
        }
        (_, Focus::List) if model.list.alone => list::draw(model, area, sheet),
        (Breadth::Narrow, Focus::List) if area.height < SUMMARY_NEEDS => list::draw(model, area, sheet),
        (Breadth::Narrow, Focus::List) => {
            let height = area.height - SUMMARY_HEIGHT;
            list::draw(model, Rect { height, ..area }, sheet);
            summary::draw(model, Rect { y: area.y + height, height: SUMMARY_HEIGHT, ..area }, sheet);
        }
        (breadth, _) => beside(model, breadth, area, sheet),
    }
}

/// The list keeps its place while it is not drawn.
fn list_unseen(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    sheet.seen.list = Window { top: model.list.top, page: usize::from(area.height), ..Window::default() };
}

fn beside(model: &Model, breadth: Breadth, area: Rect, sheet: &mut Sheet<'_>) {
    let width = if breadth == Breadth::Wide { 94 } else { (area.width * 2 / 5).clamp(46, 56) };
    let left = Rect { width, ..area };
    list::draw(model, left, sheet);
    sheet.rule_down(left.right(), area);
    let right = Rect { x: left.right() + 1, width: area.width.saturating_sub(width + 1), ..area };
    pane::draw(model, right, sheet);
}
