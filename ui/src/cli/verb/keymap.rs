//! `mypaas keymap`: the console's keys, as the file that changes them wants them.

use crate::cli::output::Screen;
use crate::console;

/// What surrounds it, for its help.
pub(crate) const HELP: &str = "\
Keys of your own stand in keymap.toml beside fleet.toml (~/.config/mypaas on Linux), in the form that this prints. Only
what is named there changes; two commands that want the same key in the same place are an error that names both.";

pub(crate) fn run(screen: &Screen) -> anyhow::Result<()> {
    screen.print(&console::keymap_file()?)
}
