//! `mypaas demo`: simulated servers to look at, and to measure the console on. Not for operators, so no help names it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;
use clap::Args;
use mypaas::server::{Place, Simulation, simulate, socket_path};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::session::Session;
use crate::cli::signal::Signals;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// So many servers, with so many containers each: 20x50
    #[arg(long, value_name = "SERVERSxCONTAINERS")]
    fleet: Extent,
    /// No figure changes, and nothing is written to logs
    #[arg(long)]
    still: bool,
    /// The first service of each server writes so many lines a second
    #[arg(long, value_name = "LINES")]
    flood: Option<u32>,
    /// Only serves, in this folder; else the console is opened on the fleet, which is removed afterwards
    #[arg(long, value_name = "DIR")]
    serve: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    servers: usize,
    containers: usize,
}

impl FromStr for Extent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('x').and_then(|(one, other)| Some((one.parse().ok()?, other.parse().ok()?)));
        match numbers {
            Some((servers @ 1..=100, containers @ 1..=5000)) => Ok(Self { servers, containers }),
            _ => Err("a fleet is written as in 20x50: 20 servers with 50 containers each".to_owned()),
        }
    }
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let own = std::env::temp_dir().join(format!("mypaas-demo-{}", std::process::id()));
    let folder = arguments.serve.as_ref().unwrap_or(&own);
    let shutdown = CancellationToken::new();
    let mut servers = start(arguments, folder, &shutdown).await?;
    session.screen.print(&format!("{} servers in {}\n", arguments.fleet.servers, folder.display()))?;
    let mut signals = Signals::listen()?;
    let shown = match arguments.serve {
        Some(_) => {
            signals.next().await;
            Ok(())
        }
        None => console(folder).await,
    };
    shutdown.cancel();
    while let Some(ended) = servers.join_next().await {
        ended??;
    }
    if arguments.serve.is_none() {
        fs::remove_dir_all(folder)?;
    }
    Ok(shown?)
}

/// All servers, once all their services run; and the file that lists them.
async fn start(
    arguments: &Arguments,
    folder: &Path,
    shutdown: &CancellationToken,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let mut servers = JoinSet::new();
    let mut waiting = Vec::new();
    let mut fleet = String::new();
    for number in 1..=arguments.fleet.servers {
        let home = folder.join(format!("s{number:02}"));
        fleet.push_str(&format!("[servers.s{number:02}]\naddress = \"unix://{}\"\n", socket_path(&home).display()));
        let place = Place { user_home: home.join("user"), home, docker_host: None, docker_config: None };
        let containers = arguments.fleet.containers;
        let simulation = Simulation { containers, number, still: arguments.still, flood: arguments.flood };
        let (told, is_ready) = oneshot::channel();
        // Nobody waits any more where another server could not be started.
        let ready = move || {
            let _ = told.send(());
        };
        let shutdown = shutdown.clone();
        servers.spawn(async move { Ok(simulate(place, simulation, ready, shutdown).await?) });
        waiting.push(is_ready);
    }
    for is_ready in waiting {
        if is_ready.await.is_err() {
            let ended = servers.join_next().await.context("no server was started")??;
            ended?;
        }
    }
    let config = folder.join("config/mypaas");
    fs::create_dir_all(&config)?;
    fs::write(config.join("fleet.toml"), fleet)?;
    Ok(servers)
}

/// The console as a process of its own, with nothing of the operator's.
async fn console(folder: &Path) -> io::Result<()> {
    let mut command = tokio::process::Command::new(std::env::current_exe()?);
    for (name, part) in [("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state"), ("MYPAAS_HOME", "none")] {
        command.env(name, folder.join(part));
    }
    command.status().await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_is_written_as_servers_by_containers() {
        assert_eq!("20x50".parse(), Ok(Extent { servers: 20, containers: 50 }));
        for text in ["20", "0x5", "x", "20x", "20x50x2", "1000x1"] {
            assert!(text.parse::<Extent>().is_err(), "{text}");
        }
    }
}
