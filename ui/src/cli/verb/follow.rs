//! `mypaas follow`: a deploy from its beginning, until it ends; also one that ended long ago.

use clap::Args;
use mypaas::name::{DeployId, ServerName};

use crate::cli::follow::follow;
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server's name; `local` is this machine
    server: ServerName,
    /// The deploy, as in d41
    deploy: DeployId,
    /// Print its events as JSON, one a line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let server = session.server(&arguments.server).await?;
    let deploy = server.client.deploy_state(arguments.deploy).await?;
    follow(session, &server, deploy, arguments.json).await
}
