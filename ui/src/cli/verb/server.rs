//! `mypaas server …`: what is done on the server itself.

use clap::{Args, Subcommand};

use super::push::Pushed;
use super::{adopt, deploy};
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: ServerCommand,
}

#[derive(Debug, Subcommand)]
enum ServerCommand {
    /// Deploy a folder on this machine, as `mypaas deploy` does
    Deploy(Pushed),
    /// Take over what the Python original (MyPaas 0.5.9) runs on this machine
    #[command(after_help = adopt::HELP)]
    Adopt,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    match &arguments.command {
        ServerCommand::Deploy(pushed) => deploy::run(pushed, session).await,
        ServerCommand::Adopt => adopt::run(session).await,
    }
}
