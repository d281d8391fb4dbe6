//! `mypaas server upgrade`: brings this program to a server, which takes it on by itself, or goes back.

use std::time::Duration;

use clap::Args;
use mypaas::fleet::{Address, SshAddress};
use mypaas::install::PROGRAM;
use mypaas::install::probe::Wanted;
use mypaas::install::remote::quoted;
use mypaas::name::ServerName;

use super::delivery::{There, Way, destination, with_home};
use super::init;
use crate::cli::output::units;
use crate::cli::session::Session;
use crate::cli::set_up::SetUpError;
use crate::cli::steps::Steps;

pub(super) const HELP: &str = "\
Services are not touched. Neither is the router, and no request fails, unless the new program brings another one, such as a
newer Traefik: then those that are under way are answered, and those that come while it takes over are turned away, for a
second or two after the old router has answered its last one. The server tries the new program, keeps the old one beside it,
lets running deploys come to their end, and restarts; a build that takes longer than a minute and a half is to be pushed
again. Then the unit of systemd becomes that of the new program, unless somebody has changed it. When the new program does
not come up in time, the server goes back to the old one by itself, also when the connection to it is lost meanwhile.";

/// Trying, waiting for deploys, restarting, and going back.
const SWAP_LIMIT: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server's name
    name: ServerName,
    /// How it is reached by ssh, when its address in the fleet is another [default: as in the fleet]
    #[arg(long, value_parser = destination, value_name = "USER@HOST")]
    ssh: Option<SshAddress>,
    #[command(flatten)]
    way: Way,
    /// How long the new program may take to come up, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    limit: u64,
}

pub(super) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { name, ssh, way, limit } = arguments;
    let server = session.server(name)?;
    let machine = match (ssh, &server.address) {
        (Some(machine), _) | (None, Address::Ssh(machine)) => machine.clone(),
        (None, _) => return Err(SetUpError::NoSsh { name: name.clone() }.into()),
    };
    session.unlock(name).await?;
    let mut steps = Steps::begin(&session.screen);
    let wanted = Wanted { http_port: 0, https_port: 0, architecture: None, privileged: true };
    let there = way.open(machine.clone(), wanted).await?;
    steps.done("machine", &format!("{}: {}", there.remote.destination(), init::describe(&there.findings)))?;
    let Some(program) = &there.findings.program else {
        let (step, host) = ("finding mypaas", there.remote.destination());
        let (complaint, hint) = (format!("there is no {PROGRAM}"), "`mypaas server add` brings it there");
        return Err(SetUpError::There { step, host, complaint, hint }.into());
    };
    if there.is_same()? && !there.findings.has_open_upgrade {
        steps.done("program", &format!("{} is there already, to the byte", program.version))?;
        return session.screen.print(&format!("{name} runs this very program already\n"));
    }
    there.upload().await?;
    steps.done("program", &format!("{} was brought there", there.program.display()))?;
    swap(&there, &machine, *limit, &steps).await?;
    session.screen.print(&format!("{name} is upgraded after {}\n", units::duration(steps.total())))
}

async fn swap(there: &There, machine: &SshAddress, limit: u64, steps: &Steps<'_>) -> anyhow::Result<()> {
    let command = format!(
        "cd / && {} server swap {} --program {PROGRAM} --user {} --limit {limit}",
        with_home(machine, there.sudo()),
        there.upload,
        quoted(&there.findings.user)
    );
    let told = there.remote.follow("the upgrade", &command, SWAP_LIMIT, |line| steps.pass_on(line)).await?;
    there.succeeded(
        told,
        "the upgrade",
        "services were not touched; `mypaas server status` there tells how it stands",
    )?;
    Ok(())
}
