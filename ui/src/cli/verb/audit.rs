//! `mypaas audit`: what was asked of a server, by whom, and what was refused.

use clap::Args;
use jiff::Timestamp;
use mypaas::name::{ServerName, ServiceName};

use crate::cli::many::{Servers, Touch, each};
use crate::cli::output::audit;
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server's name; `local` is this machine. Several: `shop,attic`, or `all`
    #[arg(value_name = "SERVER")]
    servers: Servers,
    /// Only what was about this service
    #[arg(long, value_name = "SERVICE")]
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
    let Arguments { service, limit, json, .. } = arguments;
    let entries = session.ask(server, async |client| client.audit(service.as_ref(), *limit).await).await?;
    if *json {
        return session.screen.print_json(&entries);
    }
    if entries.is_empty() {
        return session.screen.print("nothing was asked yet that changes anything, and nothing refused\n");
    }
    let table = audit::table(&entries, Timestamp::now());
    session.screen.print(&table.render(session.screen.paint(), session.screen.width()))
}
