//! The console: a terminal program that shows the fleet and operates it.
//!
//! ```text
//! run.rs         the loop: input first, draw at once after it, the rest gathered
//! away.rs        while another program has the terminal: shell.rs, an editor
//! terminal.rs    takes the terminal and gives it back, whatever happens
//! canvas.rs      what is drawn → as few bytes as possible, none when nothing changed
//! input.rs       the terminal's events → messages            key.rs  keys as they are written
//! keymap/        keys → commands, from assets/keymap.toml    command.rs
//! message.rs     everything that can reach the console, as data
//! model/         everything it knows and shows
//! update/        message → changed model + what is to be done
//! effect/        does it: talks to servers, reads folders; the only part that touches the world
//! view/          model → cells                               words.rs  data → words
//! theme.rs       meaning → style, from assets/themes         symbols.rs  signs, and ASCII in their place
//! record/        a session in a file, and played again
//! surroundings.rs  what the terminal can show
//! ```
//!
//! A key press goes `input` → `keymap` → `update` → perhaps `effect` → (a message) → `update` → `view`.

mod away;
mod canvas;
mod command;
mod effect;
#[cfg(test)]
mod fixture;
mod input;
mod key;
mod keymap;
mod message;
mod model;
#[cfg(test)]
mod random;
mod record;
mod run;
pub(crate) mod shell;
mod surroundings;
mod symbols;
mod terminal;
mod theme;
mod update;
mod view;
mod words;

use std::path::PathBuf;

use mypaas::api::Problem;
use mypaas::client::Client;
use mypaas::fleet::Colour;
use mypaas::name::ServerName;

pub use keymap::KeymapError;
pub use record::replay;
pub use run::run;
pub use theme::{ThemeName, UnknownTheme};

/// A server to show.
#[derive(Debug, Clone)]
pub struct Server {
    pub name: ServerName,
    /// To tell it from the others at a glance.
    pub colour: Option<Colour>,
    /// Its name has to be typed before anything is changed there.
    pub lock: bool,
    /// As the operator wrote it.
    pub address: String,
    /// The way to it, or why there is none.
    pub client: Result<Client, Problem>,
}

/// The keys that come with the console, as a file for the operator to change.
pub fn keymap_file() -> anyhow::Result<String> {
    Ok(keymap::Keymap::compiled_in()?.as_file())
}

/// How the console looks, and who uses it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Nothing but ASCII is drawn. Where the locale knows nothing else this is so anyhow.
    pub ascii: bool,
    /// No colours. Where `NO_COLOR` is set this is so anyhow.
    pub no_color: bool,
    /// Clicks are left to the terminal.
    pub no_mouse: bool,
    /// None: the one for the terminal's background, where it tells.
    pub theme: Option<ThemeName>,
    /// Where the operator's own keys stand, if there are any.
    pub keymap: Option<PathBuf>,
    /// Where the session is written down, for playing it again.
    pub record: Option<PathBuf>,
    /// Who asks for deploys, as in `ada@laptop`.
    pub who: String,
}
