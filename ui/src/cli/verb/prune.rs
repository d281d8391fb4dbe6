//! `mypaas prune`: removes what is of no use any more, so that there is room again. It asks first.

use clap::Args;
use mypaas::api::{PruneRequest, Reclaimable};
use mypaas::client::ClientError;
use mypaas::name::ServerName;

use crate::cli::confirm;
use crate::cli::output::{disk, foreign};
use crate::cli::session::Session;

pub(crate) const HELP: &str = "\
What goes: releases beyond those that are kept, images of mypaas that belong to no release, and what builds left. What
stays: the live release, pinned ones, those that a deploy needs, and everything that mypaas has not made.";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server's name; `local` is this machine
    server: ServerName,
    /// Keep so many releases of each service instead of as many as the server's keep_releases
    #[arg(long, value_name = "N", value_parser = keep)]
    keep: Option<u32>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Only say what would be removed
    #[arg(long, alias = "plan")]
    dry_run: bool,
    /// Print what was removed as JSON; with --dry-run what would be
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { server, keep, yes, dry_run, json } = arguments;
    if *dry_run {
        let reclaimable = reclaimable(arguments, session).await?;
        return match json {
            true => session.screen.print_json(&reclaimable),
            false => session.screen.print(&disk::reclaimable(server, &reclaimable)),
        };
    }
    session.unlock(server).await?;
    if !yes {
        ask(arguments, session).await?;
    }
    let pruned = session.change(server, async |client| client.prune(PruneRequest { keep: *keep }).await).await?;
    if *json {
        return session.screen.print_json(&pruned);
    }
    for left in &pruned.left {
        session.screen.tell(&format!("note: {}\n", foreign::line(left, false)));
    }
    session.screen.print(&disk::pruned(server, &pruned))
}

fn keep(text: &str) -> Result<u32, String> {
    let releases = text.parse().ok().filter(|releases| *releases > 0);
    releases.ok_or_else(|| "it takes a whole number of releases, 1 or more".to_owned())
}

/// Where there is nothing to remove, there is nothing to ask.
async fn ask(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let server = &arguments.server;
    confirm::check_asks(&format!("pruning {server}"))?;
    let reclaimable = reclaimable(arguments, session).await?;
    if reclaimable.what.is_empty() {
        return Ok(());
    }
    confirm::ask(session, disk::reclaimable(server, &reclaimable).trim_end(), server.as_str()).await
}

async fn reclaimable(arguments: &Arguments, session: &Session) -> anyhow::Result<Reclaimable> {
    let Arguments { server, keep, .. } = arguments;
    let view = session.ask(server, async |client| client.disk(*keep).await).await?;
    match view.problem {
        Some(problem) => Err(ClientError::Refused(Box::new(problem)).into()),
        None => Ok(view.reclaimable),
    }
}
