//! `mypaas deploys`: what was done, when, by whom, and how it ended.

use clap::Args;
use jiff::Timestamp;
use mypaas::name::{ServerName, ServiceName};

use super::act::{On, known};
use crate::cli::many::{Servers, Touch, each};
use crate::cli::output::history;
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server's name; `local` is this machine. Several: `shop,attic`, or `all`
    #[arg(value_name = "SERVER")]
    servers: Servers,
    /// Of one service only
    service: Option<ServiceName>,
    /// At most so many, the newest ones
    #[arg(long, short = 'n', default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { servers, json, .. } = arguments;
    each(session, servers, Touch::Reads, *json, async |session, server| show(arguments, session, server).await).await
}

async fn show(arguments: &Arguments, session: &Session, server: &ServerName) -> anyhow::Result<()> {
    let Arguments { service, limit, .. } = arguments;
    if let Some(service) = service {
        known(session, &On { server: server.clone(), service: service.clone() }).await?;
    }
    let deploys = session.ask(server, async |client| client.deploys(service.as_ref(), *limit).await).await?;
    if arguments.json {
        return session.screen.print_json(&deploys);
    }
    if deploys.is_empty() {
        return session.screen.print("no deploys yet\n");
    }
    let table = history::deploys(&deploys, Timestamp::now());
    session.screen.print(&table.render(session.screen.paint(), session.screen.width()))
}
