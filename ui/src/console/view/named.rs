//! Servers by their names, each in its colour, so that none is taken for another.

use mypaas::fleet::Colour;
use ratatui::text::{Line, Span};

use super::pen::Pen;
use crate::console::model::fleet::ServerEntry;
use crate::console::symbols::LOCKED;
use crate::console::theme::Tone;

/// The name, with a sign behind it when the server is locked.
pub(crate) fn server(server: &ServerEntry, usual: Tone, pen: &Pen<'_>) -> Vec<Span<'static>> {
    let mut spans = vec![pen.span(tone(server, usual), server.name.to_string())];
    if server.lock {
        spans.push(pen.span(Tone::Warning, format!(" {LOCKED}")));
    }
    spans
}

/// The same as a line.
pub(crate) fn server_line(entry: &ServerEntry, usual: Tone, pen: &Pen<'_>) -> Line<'static> {
    Line::from(server(entry, usual, pen))
}

/// How the name looks: in the server's colour, else as it usually does there.
pub(crate) fn tone(server: &ServerEntry, usual: Tone) -> Tone {
    match server.colour {
        None => usual,
        Some(Colour::Red) => Tone::ServerRed,
        Some(Colour::Yellow) => Tone::ServerYellow,
        Some(Colour::Green) => Tone::ServerGreen,
        Some(Colour::Cyan) => Tone::ServerCyan,
        Some(Colour::Blue) => Tone::ServerBlue,
        Some(Colour::Magenta) => Tone::ServerMagenta,
    }
}

/// What to know of a server before anything is changed there: `on shop, which is locked`.
pub(crate) fn place(entry: &ServerEntry, pen: &Pen<'_>) -> Line<'static> {
    let mut spans = vec![pen.span(Tone::Muted, "on ")];
    spans.extend(server(entry, Tone::Strong, pen));
    if entry.lock {
        spans.push(pen.span(Tone::Warning, " locked"));
    }
    spans.push(pen.span(Tone::Muted, format!("  {}", entry.endpoint)));
    Line::from(spans)
}
