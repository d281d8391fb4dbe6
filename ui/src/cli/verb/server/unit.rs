//! `mypaas server unit`: the unit of systemd with which this program wants to be started. The program that an upgrade
//! replaces asks for it.

use std::path::PathBuf;

use clap::Args;
use mypaas::install::manager::{Daemon, Systemd};

use super::daemon;
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where the program lies, or will
    #[arg(long, value_name = "FILE")]
    program: PathBuf,
    /// For the server of this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let daemon = daemon::of(arguments.user.as_deref(), &session.environment)?;
    let daemon = Daemon { program: arguments.program.clone(), ..daemon };
    session.screen.print(&Systemd::new(daemon).wanted())
}
