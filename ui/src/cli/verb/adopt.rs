//! `mypaas server adopt`: takes over what the Python original runs on this machine.

use std::path::Path;

use anyhow::{Context, bail};
use mypaas::server::{self, AdoptStep};
use tokio::process::Command;

use crate::cli::output::foreign;
use crate::cli::output::units;
use crate::cli::refused::Refusal;
use crate::cli::session::Session;

/// What surrounds it, for its help.
pub(crate) const HELP: &str = "\
The original's daemon is stopped, and starts no more. Its services run on as they are, and become services of this server,
each with a first release; the next push of one replaces its containers. Requests go to our router from then on; those under
way end where they are. config.toml, authorized_keys and acme.json stay. Nothing is changed unless all can be taken over;
`docker start traefik` and `systemctl enable --now mypaasd` undo it, as long as nothing was pushed.";

/// The original's service of systemd.
const UNIT: &str = "mypaasd";
const UNIT_FILE: &str = "/etc/systemd/system/mypaasd.service";

pub(crate) async fn run(session: &Session) -> anyhow::Result<()> {
    let _whole = session.whole().begin().await;
    if Path::new(UNIT_FILE).exists() {
        stop_daemon().await?;
        session.screen.print("stopped and disabled mypaasd, the original's daemon\n")?;
    }
    let mut written = Ok(());
    let adopted = server::adopt(&session.environment.place(), |step| {
        let printed = session.screen.print(&told(&step));
        if written.is_ok() {
            written = printed;
        }
    })
    .await;
    adopted.map_err(|problem| Refusal { first: Box::new(problem), others: Vec::new() })?;
    written?;
    session.screen.print("all of it is taken over\n")
}

async fn stop_daemon() -> anyhow::Result<()> {
    let stopped = Command::new("systemctl").args(["disable", "--now", UNIT]).output().await;
    let stopped = stopped.context("the original's daemon could not be stopped")?;
    if !stopped.status.success() {
        bail!("the original's daemon could not be stopped: {}", String::from_utf8_lossy(&stopped.stderr).trim());
    }
    Ok(())
}

fn told(step: &AdoptStep) -> String {
    match step {
        AdoptStep::Service { service, release, containers, notes } => {
            let count = units::counted(*containers as u64, "container");
            let notes = notes.iter().map(|note| format!("  note: {}\n", foreign::line(note, false)));
            format!("{service}: {release} is live, in {count} that run on\n{}", notes.collect::<String>())
        }
        AdoptStep::Known { service } => format!("{service}: taken over before\n"),
        AdoptStep::Statistics { container } => {
            format!(
                "{container}, the original's figures, runs on without a route; `docker rm -f {container}` removes it\n"
            )
        }
        AdoptStep::Router { old, gap: None } => {
            format!("requests come to our router; {old} is stopped, `docker rm {old}` removes it\n")
        }
        AdoptStep::Router { old, gap: Some(gap) } => {
            format!("requests come to our router, and for {} came to none; {old} is stopped\n", units::duration(*gap))
        }
        AdoptStep::NoRouter => "the original's router did not run; ours does\n".to_owned(),
    }
}
