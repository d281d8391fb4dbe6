//! `mypaas servers`: the servers that can be named, and whether they answer.

use std::time::Duration;

use clap::Args;
use futures_util::future::join_all;
use mypaas::api::ServerView;
use mypaas::client::Client;
use mypaas::fleet::Address;
use mypaas::name::ServerName;
use serde::Serialize;

use crate::cli::local::nobody_listens;
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
    state: State,
    /// None when it does not answer.
    server: Option<ServerView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Answers,
    /// There is one, or its socket may not be opened.
    Silent,
    /// Nobody listens there.
    Down,
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
    session.screen.print(&table.render(session.screen.paint(), session.screen.width()))
}

async fn ask(starts_by_itself: bool, name: ServerName, address: Address) -> Known {
    let Address::Unix(socket) = &address;
    let answer = async { Client::unix(socket)?.server().await };
    let (state, server) = match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(server)) => (State::Answers, Some(server)),
        Ok(Err(error)) if nobody_listens(&error) => (State::Down, None),
        Ok(Err(_)) | Err(_) => (State::Silent, None),
    };
    Known { name, address, starts_by_itself, state, server }
}

fn state(known: &Known) -> Cell {
    match known.state {
        State::Answers => Cell::new(Style::Good, "answers"),
        State::Down if known.starts_by_itself => Cell::new(Style::Muted, "starts when needed"),
        State::Down => Cell::new(Style::Bad, "does not run"),
        State::Silent => Cell::new(Style::Bad, "does not answer"),
    }
}
