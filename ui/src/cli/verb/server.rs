//! `mypaas server …`: what is done on the server itself.

use clap::{Args, Subcommand};

use super::push::Pushed;
use super::{adopt, deploy, dial_stdio};
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
    /// Connect the standard streams to the server's socket, for ssh:// addresses
    #[command(hide = true)]
    DialStdio,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    match &arguments.command {
        ServerCommand::Deploy(pushed) => deploy::run(pushed, session).await,
        ServerCommand::Adopt => adopt::run(session).await,
        ServerCommand::DialStdio => dial_stdio::run(&session.environment).await,
    }
}
