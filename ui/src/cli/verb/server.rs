//! `mypaas server …`: what is done on the server itself.

use clap::{Args, Subcommand};

use super::push::Pushed;
use super::{deploy, dial_stdio};
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
    /// Connect the standard streams to the server's socket, for ssh:// addresses
    #[command(hide = true)]
    DialStdio,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    match &arguments.command {
        ServerCommand::Deploy(pushed) => deploy::run(pushed, session).await,
        ServerCommand::DialStdio => dial_stdio::run(&session.environment).await,
    }
}
