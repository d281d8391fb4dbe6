//! `mypaas cancel`: ends a deploy that waits or builds, before it changes anything.

use clap::Args;
use mypaas::api::CancelRequest;
use mypaas::name::{DeployId, ServerName};

use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server's name; `local` is this machine
    server: ServerName,
    /// The deploy, as in d41
    deploy: DeployId,
    /// Print the deploy as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { server, deploy, json } = arguments;
    let request = CancelRequest { who: session.environment.who.clone() };
    let deploy = session.change(server, async |client| client.cancel(*deploy, &request).await).await?;
    if *json {
        return session.screen.print_json(&deploy);
    }
    session.screen.print(&format!("{} of {} is cancelled\n", deploy.id, deploy.service))
}
