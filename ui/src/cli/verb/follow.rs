//! `mypaas follow`: a deploy from its beginning, until it ends; also one that ended long ago.

use clap::Args;
use mypaas::name::{DeployId, ServerName};

use crate::cli::follow::{Until, follow};
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
    let Arguments { server, deploy, json } = arguments;
    let deploy = session.ask(server, async |client| client.deploy_state(*deploy).await).await?;
    follow(session, server, deploy, Until::Finished, *json).await
}
