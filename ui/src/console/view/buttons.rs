//! Cancel and the other one.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::sheet::Sheet;
use crate::console::model::Target;
use crate::console::model::dialog::Choice;
use crate::console::symbols::INTO;
use crate::console::theme::Tone;

pub(crate) fn draw(deed: &str, choice: Choice, danger: bool, row: Rect, sheet: &mut Sheet<'_>) {
    draw_two("Cancel", deed, choice, danger, row, sheet);
}

/// With another word for leaving everything as it is.
pub(crate) fn draw_two(no: &str, deed: &str, choice: Choice, danger: bool, row: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let chosen = if danger { Tone::ButtonDanger } else { Tone::ButtonChosen };
    // The sign tells the chosen one where colours do not.
    let label = |text: &str, on: bool| if on { format!(" {INTO} {text}  ") } else { format!("   {text}  ") };
    let (cancel, other) = match choice {
        Choice::Cancel => (Tone::ButtonChosen, Tone::Button),
        Choice::Do => (Tone::Button, chosen),
    };
    let line = Line::from(vec![
        pen.span(cancel, label(no, choice == Choice::Cancel)),
        Span::raw("  "),
        pen.span(other, label(deed, choice == Choice::Do)),
    ]);
    let mut x = row.x;
    for (span, target) in [(0, Choice::Cancel), (2, Choice::Do)] {
        let width = u16::try_from(line.spans[span].width()).unwrap_or(0);
        sheet.spot(Rect { x, width, ..row }, Target::Choice(target));
        x += width + 2;
    }
    sheet.put(row, 0, line);
}
