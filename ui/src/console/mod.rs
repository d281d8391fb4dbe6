//! The console: a terminal program that shows the fleet and operates it.
//!
//! ```text
//! run.rs         the loop: input first, draw at once after it, the rest gathered
//! terminal.rs    takes the terminal and gives it back, whatever happens
//! canvas.rs      what is drawn → as few bytes as possible, none when nothing changed
//! input.rs       the terminal's events → messages            key.rs  keys as they are written
//! keymap.rs      keys → commands, from assets/keymap.toml    command.rs
//! message.rs     everything that can reach the console, as data
//! model/         everything it knows and shows
//! update/        message → changed model + what is to be done
//! effect/        does it: talks to servers, reads folders; the only part that touches the world
//! view/          model → cells                               words.rs  data → words
//! theme.rs       meaning → style, from assets/themes         symbols.rs
//! ```
//!
//! A key press goes `input` → `keymap` → `update` → perhaps `effect` → (a message) → `update` → `view`.

mod command;
mod effect;
#[cfg(test)]
mod fixture;
mod key;
mod keymap;
mod message;
mod model;
mod symbols;
mod theme;
mod update;
mod view;
mod words;

pub use theme::ThemeName;
