//! `mypaas alerts`: what gives cause for concern on servers, and whether their webhooks work.

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;
use mypaas::name::ServerName;

use crate::cli::many::{Servers, Touch, each};
use crate::cli::output::alerts;
use crate::cli::session::Session;

pub(crate) const HELP: &str = "\
An alert begins when its cause lasts for some seconds, and is over when the cause has been away for a while. Webhooks are
told of both: sections [[webhook]] of the server's config.toml, with a url, a kind (json, slack or ntfy) and perhaps
kinds = [\"down\", \"disk\"], the only kinds of alerts that this one is told of. --test tells all of them that it is a test.";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server's name; `local` is this machine. Several: `shop,attic`, or `all`
    #[arg(value_name = "SERVER")]
    servers: Servers,
    /// Send a test to each webhook of the server, and show what came of it
    #[arg(long)]
    test: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { servers, test, json } = arguments;
    each(session, servers, Touch::Reads, *json, async |session, server| match test {
        true => try_webhooks(session, server, *json).await,
        false => show(session, server, *json).await,
    })
    .await
}

async fn show(session: &Session, server: &ServerName, json: bool) -> anyhow::Result<()> {
    let alerts = session.ask(server, async |client| client.snapshot().await).await?.alerts;
    if json {
        return session.screen.print_json(&alerts);
    }
    let (paint, width) = (session.screen.paint(), session.screen.width());
    session.screen.print(&alerts::list(server, &alerts, paint, width, Timestamp::now()))
}

async fn try_webhooks(session: &Session, server: &ServerName, json: bool) -> anyhow::Result<()> {
    let tests = session.ask(server, async |client| client.test_webhooks().await).await?;
    if json {
        session.screen.print_json(&tests)?;
    } else {
        session.screen.print(&alerts::tests(&tests, session.screen.paint()))?;
    }
    let failed: Vec<&str> =
        tests.iter().filter(|test| test.problem.is_some()).map(|test| test.webhook.as_str()).collect();
    if !failed.is_empty() {
        bail!("a test did not arrive: {}", failed.join(", "));
    }
    Ok(())
}
