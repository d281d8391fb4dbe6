//! `mypaas servers`: the servers that can be named, and whether they answer.

use std::time::Duration;

use clap::Args;
use futures_util::future::join_all;
use mypaas::api::ServerView;
use mypaas::client::Client;
use mypaas::fleet::Address;
use mypaas::name::ServerName;
use serde::Serialize;

use crate::cli::output::paint::Style;
use crate::cli::output::table::{Cell, Table};
use crate::cli::output::words;
use crate::cli::session::Session;

/// One that has not answered by then is shown as such.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

/// One server in the JSON output.
#[derive(Debug, Serialize)]
struct Known {
    name: ServerName,
    address: Address,
    /// This machine's own, which the verbs start when it does not run.
    starts_by_itself: bool,
    /// None when it does not answer.
    server: Option<ServerView>,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let mut asked = Vec::new();
    for (name, address) in session.all()? {
        asked.push(ask(session.is_own(&name)?, name, address));
    }
    let servers = join_all(asked).await;
    if arguments.json {
        return session.screen.print_json(&servers);
    }
    let mut table = Table::new(&["SERVER", "STATE", "VERSION", "ADDRESS"]);
    for known in &servers {
        let version = known.server.as_ref().map_or(words::NONE, |view| view.version.as_str());
        table.row([known.name.as_str().into(), state(known), version.into(), known.address.to_string().into()]);
    }
    Ok(session.screen.print(&table.render(session.screen.paint(), session.screen.width()))?)
}

async fn ask(starts_by_itself: bool, name: ServerName, address: Address) -> Known {
    let Address::Unix(socket) = &address;
    let answer = async { Client::unix(socket)?.server().await };
    let server = tokio::time::timeout(PATIENCE, answer).await.ok().and_then(Result::ok);
    Known { name, address, starts_by_itself, server }
}

fn state(known: &Known) -> Cell {
    match known {
        Known { server: Some(_), .. } => Cell::new(Style::Good, "answers"),
        Known { starts_by_itself: true, .. } => Cell::new(Style::Muted, "starts when needed"),
        Known { .. } => Cell::new(Style::Bad, "does not answer"),
    }
}
