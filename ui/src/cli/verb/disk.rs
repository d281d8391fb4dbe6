//! `mypaas disk`: how much room a server has, what takes it, and what may go.

use clap::Args;
use mypaas::name::ServerName;

use crate::cli::many::{Servers, Touch, each};
use crate::cli::output::disk;
use crate::cli::session::Session;

pub(crate) const HELP: &str = "\
IMAGES is what all images of a service take together, SHARED the part of it that other images are made of too; CONTEXTS
are the folders from which the newest releases can be built again. `mypaas prune` makes room.";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server's name; `local` is this machine. Several: `shop,attic`, or `all`
    #[arg(value_name = "SERVER")]
    servers: Servers,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { servers, json } = arguments;
    each(session, servers, Touch::Reads, *json, async |session, server| show(session, server, *json).await).await
}

async fn show(session: &Session, server: &ServerName, json: bool) -> anyhow::Result<()> {
    let view = session.ask(server, async |client| client.disk(None).await).await?;
    if json {
        return session.screen.print_json(&view);
    }
    session.screen.print(&disk::disk(server, &view, session.screen.paint(), session.screen.width()))
}
