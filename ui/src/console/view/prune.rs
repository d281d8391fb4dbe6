//! The question before anything is pruned: what exactly goes, from where, and what that gives.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::dialogs::{effect, silence_of, split};
use super::disk::bullets;
use super::pen::Pen;
use super::sheet::{Sheet, centred};
use super::text::wrap;
use super::{buttons, format, named, problem};
use crate::console::model::Model;
use crate::console::model::dialog::{Load, Stage};
use crate::console::model::disk::PruneConfirm;
use crate::console::theme::Tone;
use crate::console::words;

pub(super) fn draw(model: &Model, confirm: &PruneConfirm, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let width = area.width.saturating_sub(4).min(84);
    let room = usize::from(width.saturating_sub(6));
    let mut lines = silence_of(model, &confirm.server, room, pen);
    lines.extend(model.fleet.server(&confirm.server).map(|server| named::place(server, pen)));
    lines.push(Line::default());
    lines.extend(what_goes(confirm, room, pen));
    let title = words::prune_question(&confirm.server);
    let inner = sheet.dialog(
        centred(area, width, u16::try_from(lines.len() + 4).unwrap_or(u16::MAX)),
        &title,
        Tone::DialogDanger,
    );
    let (body, answer) = split(inner);
    sheet.scroll(body, lines, confirm.scroll);
    match confirm.stage {
        Stage::Asked => {
            let text = format!("{} removes it; that goes on when you leave …", confirm.server);
            sheet.put(answer, 0, pen.line(Tone::Pending, text));
        }
        Stage::Deciding(choice) if confirm.can_do() => buttons::draw("Prune", choice, true, answer, sheet),
        Stage::Deciding(_) => {}
    }
}

fn what_goes(confirm: &PruneConfirm, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let server = &confirm.server;
    let reclaimable = match &confirm.what {
        Load::Waiting => return vec![pen.line(Tone::Pending, "asking the server what may go …")],
        Load::Failed(why) => return problem::lines(why, room, pen),
        Load::Ready(reclaimable) => reclaimable,
    };
    if reclaimable.what.is_empty() {
        return effect(&format!("There is nothing to prune on {server}."), room, pen);
    }
    let gain = format!("This removes from {server}, and gives back {}:", format::bytes(reclaimable.bytes));
    let mut lines = effect(&gain, room, pen);
    lines.extend(bullets(reclaimable, Tone::Text, room, pen));
    lines.push(Line::default());
    let stays = "What is live, pinned or needed by a deploy stays, and so does all that mypaas has not made.";
    lines.extend(wrap(stays, room).into_iter().map(|line| pen.line(Tone::Muted, line)));
    lines
}
