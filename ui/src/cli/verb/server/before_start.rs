//! `mypaas server before-start`: what systemd asks before it starts a server. A supervisor asks itself.

use std::path::PathBuf;

use clap::Args;
use mypaas::install::manager::Daemon;
use mypaas::install::upgrade;

use super::daemon;
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The program that is going to be started
    #[arg(long, value_name = "FILE")]
    program: PathBuf,
    /// Of the server of this user
    #[arg(long, value_name = "NAME")]
    user: String,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let daemon = daemon::of(Some(&arguments.user), &session.environment)?;
    let daemon = Daemon { program: arguments.program.clone(), ..daemon };
    match upgrade::before_start(&daemon) {
        Some(told) => session.screen.print(&format!("{told}\n")),
        None => Ok(()),
    }
}
