//! `mypaas server …`: what is done on the server itself.

use clap::{Args, Subcommand};

use super::deploy;
use super::push::Pushed;
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
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let ServerCommand::Deploy(pushed) = &arguments.command;
    deploy::run(pushed, session).await
}
