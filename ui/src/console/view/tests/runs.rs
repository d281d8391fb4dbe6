//! Pictures as runs of what looks alike: what is written, and how.

use std::collections::BTreeMap;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Style};

use crate::console::fixture;
use crate::console::model::Model;
use crate::console::theme::Theme;

/// A line for each row: its runs, each after what `told` says of its style. Blanks without a background are left out.
fn runs(buffer: &Buffer, told: impl Fn(&Style) -> String) -> String {
    let width = usize::from(buffer.area().width);
    let lines = buffer.content().chunks(width).map(|cells| {
        let chunks = cells.chunk_by(|one, other| one.style() == other.style());
        let runs = chunks.map(|run| (run.iter().map(Cell::symbol).collect::<String>(), run[0].style()));
        runs.filter(|(text, style)| !text.trim().is_empty() || style.bg != Some(Color::Reset))
            .map(|(text, style)| format!("{}{:?}", told(&style), text.trim_end()))
            .collect::<Vec<_>>()
            .join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// In the colours of a theme: `#828A99/#1F242E+BOLD"text"`.
pub(super) fn in_colours(model: &mut Model, theme: &Theme) -> String {
    runs(&fixture::draw(model, theme).0, |style| {
        let colour = |colour: Option<Color>| match colour {
            None | Some(Color::Reset) => String::new(),
            Some(colour) => colour.to_string(),
        };
        let background = colour(style.bg);
        let background = if background.is_empty() { background } else { format!("/{background}") };
        let emphasis = if style.add_modifier.is_empty() { String::new() } else { format!("+{:?}", style.add_modifier) };
        format!("{}{background}{}", colour(style.fg), emphasis.replace("Modifier", ""))
    })
}

/// In what the colours mean, whatever the theme: `healthy/selected"text"`, where text without a meaning has none.
pub(super) fn in_meanings(model: &mut Model) -> String {
    let buffer = fixture::draw(model, &Theme::of_meanings()).0;
    let mut names = BTreeMap::new();
    for cell in buffer.content() {
        for colour in [cell.fg, cell.bg] {
            names.entry(colour.to_string()).or_insert_with(|| Theme::meaning(colour).unwrap_or_default());
        }
    }
    let name = |colour: Option<Color>| colour.map(|colour| names[&colour.to_string()].as_str()).unwrap_or_default();
    runs(&buffer, |style| match (name(style.fg), name(style.bg)) {
        (meaning, "") => meaning.to_owned(),
        (meaning, behind) => format!("{meaning}/{behind}"),
    })
}
