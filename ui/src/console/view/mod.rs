//! `view`: the model as cells. Pure: what it shows follows from the model, the theme and the size alone.
//!
//! ```text
//! pen.rs       text with a meaning; notes when something written will be out of date
//! sheet.rs     lines, rules, boxes on the buffer      table.rs   columns that fit
//! text.rs, apart.rs   cutting and wrapping            format.rs  ages, sizes, shares
//! look.rs      states → symbol, word, tone            stream.rs  lines that keep coming
//!
//! header.rs  footer.rs  pending.rs  toasts.rs          named.rs  servers in their colours
//! services.rs  = list.rs + pane.rs (or summary.rs)
//!    pane.rs   = server.rs, or overview.rs (with certificate.rs, containers.rs), history.rs with strip.rs, stream_logs.rs; all at once in dashboard.rs
//!    graphs.rs = graph.rs, one for each measure
//! fleet.rs  alerts.rs  journal.rs  variables.rs  disk.rs      nothing.rs  where there is no list
//! deploy.rs    = phases.rs, activity.rs, failure.rs
//! push.rs      = glance.rs, diagnostics.rs, plan.rs, problem.rs, buttons.rs
//! dialogs.rs   = help.rs, palette.rs, confirm.rs, prune.rs, unlock.rs, and rollback, scale
//! ```

mod activity;
mod alerts;
mod apart;
mod buttons;
mod certificate;
mod confirm;
mod containers;
mod dashboard;
mod deploy;
mod diagnostics;
mod dialogs;
mod disk;
mod failure;
mod fleet;
mod footer;
pub(crate) mod format;
mod glance;
mod graph;
mod graphs;
mod header;
mod help;
mod history;
mod journal;
mod list;
mod look;
mod named;
mod nothing;
mod overview;
mod palette;
mod pane;
mod pen;
mod pending;
mod phases;
mod plan;
mod problem;
mod prune;
mod push;
mod server;
mod services;
mod sheet;
mod stream;
mod stream_logs;
mod strip;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod toasts;
mod unlock;
mod variables;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use self::pen::Pen;
use self::sheet::Sheet;
use super::model::{Model, Page, Seen, Target};
use super::theme::{Theme, Tone};

/// Smaller than this nothing can be shown that helps.
const LEAST_WIDTH: u16 = 20;
const LEAST_HEIGHT: u16 = 6;

/// What was drawn, as far as others need to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawn {
    pub seen: Seen,
    /// When something that is shown will be out of date by itself; none when nothing will.
    pub wake: Option<Timestamp>,
    pub cursor: Option<Position>,
}

/// Draws the whole screen on an empty buffer.
pub(crate) fn view(model: &Model, theme: &Theme, buffer: &mut Buffer) -> Drawn {
    let area = *buffer.area();
    let pen = Pen::new(theme, model.now, &model.zone);
    let mut sheet = Sheet::new(buffer, &pen);
    if area.width < LEAST_WIDTH || area.height < LEAST_HEIGHT {
        sheet.put(area, 0, pen.line(Tone::Text, "terminal too small"));
    } else {
        draw(model, area, &mut sheet);
    }
    Drawn { seen: sheet.seen, cursor: sheet.cursor, wake: pen.wake() }
}

fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let header = Rect { height: 1, ..area };
    let footer = Rect { y: area.bottom() - 1, height: 1, ..area };
    let body = Rect { y: area.y + 1, height: area.height - 2, ..area };
    header::draw(model, header, sheet);
    sheet.spot(body, Target::Body);
    match &model.page {
        Page::Services => services::draw(model, body, sheet),
        Page::Logs => stream_logs::draw(model, body, sheet),
        Page::Deploy(page) => deploy::draw(model, page, body, sheet),
        Page::Push(page) => push::draw(model, page, body, sheet),
        Page::Fleet(selected) => fleet::draw(model, selected.as_ref(), body, sheet),
        Page::Alerts(chosen) => alerts::draw(model, chosen, body, sheet),
        Page::Journal(page) => journal::draw(model, page, body, sheet),
        Page::Variables(page) => variables::draw(model, page, body, sheet),
        Page::Disk(page) => disk::draw(model, page, body, sheet),
    }
    if let Some(dialog) = &model.dialog {
        sheet.cursor = None;
        // What lies below a dialog answers to nothing.
        sheet.seen.spots.clear();
        sheet.spot(body, Target::Body);
        dialogs::draw(model, dialog, body, sheet);
    }
    footer::draw(model, footer, sheet);
    if !model.pending.is_empty() {
        pending::draw(model, body, sheet);
    }
    let kept = u16::from(push::has_buttons(model));
    toasts::draw(model, Rect { height: body.height - kept, ..body }, sheet);
}
