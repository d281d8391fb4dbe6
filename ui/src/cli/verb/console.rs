//! `mypaas` alone: the console.

use clap::CommandFactory;

use crate::cli::args::{Cli, ConsoleArguments};
use crate::cli::session::Session;

pub(crate) async fn run(_arguments: &ConsoleArguments, session: &Session) -> anyhow::Result<()> {
    session.screen.print(&Cli::command().render_help().to_string())
}
