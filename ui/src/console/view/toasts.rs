//! Short notes above the footer, at the right.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::sheet::Sheet;
use super::text::cut;
use crate::console::model::Model;
use crate::console::model::toast::ToastKind;
use crate::console::symbols::{DONE, DOT, FAILED};
use crate::console::theme::Tone;

pub(crate) fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let widest = usize::from(area.width.saturating_sub(4));
    for (above, toast) in (1u16..).zip(model.toasts.shown.iter().rev()) {
        pen.note_end(toast.until);
        if above > area.height {
            break;
        }
        let (sign, tone) = match toast.kind {
            ToastKind::Note => (DOT, Tone::Text),
            ToastKind::Good => (DONE, Tone::Healthy),
            ToastKind::Bad | ToastKind::Typed => (FAILED, Tone::Failing),
        };
        let text = cut(&format!(" {sign} {} ", toast.text), widest);
        let width = u16::try_from(super::text::width(&text)).unwrap_or(area.width).min(area.width);
        let place = Rect { x: area.right().saturating_sub(width + 1), y: area.bottom() - above, width, height: 1 };
        // What would be left of a line beside a long note is not worth reading.
        let covered = if width > area.width / 2 { Rect { x: area.x, width: area.width, ..place } } else { place };
        sheet.clear(covered);
        sheet.put(place, 0, Line::styled(text, pen.style(tone)));
        sheet.paint(place, Tone::SelectedElsewhere);
    }
}
