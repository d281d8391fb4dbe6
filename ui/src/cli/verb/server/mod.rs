//! `mypaas server …`: what is done on the server itself, and what makes a machine one.

mod add;
mod before_start;
mod daemon;
mod delivery;
mod files;
mod init;
mod question;
mod reach;
mod restart;
mod schedule_reboot;
mod status;
mod supervise;
mod swap;
mod unit;
mod upgrade;

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
    /// From the workstation: make a machine a server, by ssh, and add it to the fleet
    #[command(after_help = add::HELP)]
    Add(add::Arguments),
    /// From the workstation: give a server this very program, and go back when it does not come up
    #[command(after_help = upgrade::HELP)]
    Upgrade(upgrade::Arguments),
    /// On the server: make this machine a server
    #[command(after_help = init::HELP)]
    Init(init::Arguments),
    /// On the server: take over what the Python original (MyPaas 0.5.9) runs there, as `init --adopt` does, and start nothing
    #[command(after_help = adopt::HELP)]
    Adopt,
    /// On the server: show what runs how
    Status(status::Arguments),
    /// On the server: restart mypaas, the router, or both
    #[command(after_help = restart::HELP)]
    Restart(restart::Arguments),
    /// On the server: plan a reboot of the machine, show what is planned, or cancel it
    ScheduleReboot(schedule_reboot::Arguments),
    /// On the server: deploy a folder, as `mypaas deploy` does
    Deploy(Pushed),
    /// Connect the standard streams to the server's socket, for ssh:// addresses
    #[command(hide = true)]
    DialStdio,
    /// Keep the server running, where no systemd is
    #[command(hide = true)]
    Supervise(supervise::Arguments),
    /// Complete or take back an upgrade that was cut off
    #[command(hide = true)]
    BeforeStart(before_start::Arguments),
    /// The server's part of an upgrade
    #[command(hide = true)]
    Swap(swap::Arguments),
    /// Print the unit of systemd that this program wants
    #[command(hide = true)]
    Unit(unit::Arguments),
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    match &arguments.command {
        ServerCommand::Add(arguments) => add::run(arguments, session).await,
        ServerCommand::Upgrade(arguments) => upgrade::run(arguments, session).await,
        ServerCommand::Adopt => adopt::run(session).await,
        ServerCommand::Init(arguments) => init::run(arguments, session).await,
        ServerCommand::Status(arguments) => status::run(arguments, session).await,
        ServerCommand::Restart(arguments) => restart::run(arguments, session).await,
        ServerCommand::ScheduleReboot(arguments) => schedule_reboot::run(arguments, session).await,
        ServerCommand::Deploy(pushed) => deploy::run(pushed, session).await,
        ServerCommand::DialStdio => dial_stdio::run(&session.environment).await,
        ServerCommand::Supervise(arguments) => supervise::run(arguments, session).await,
        ServerCommand::BeforeStart(arguments) => before_start::run(arguments, session),
        ServerCommand::Swap(arguments) => swap::run(arguments, session).await,
        ServerCommand::Unit(arguments) => unit::run(arguments, session),
    }
}

impl Arguments {
    /// Whether ctrl-c means something of its own to it.
    pub(crate) fn handles_signals(&self) -> bool {
        matches!(self.command, ServerCommand::Supervise(_))
    }
}
