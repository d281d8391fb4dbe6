//! `mypaas servers`: the servers that can be named, and whether they answer; and how they get into the list.

use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand};
use futures_util::future::join_all;
use mypaas::api::{Problem, ServerView};
use mypaas::client::{Client, ClientError};
use mypaas::fleet::{Address, Colour, Fleet, Server};
use mypaas::name::ServerName;
use serde::Serialize;

use crate::cli::local::nobody_listens;
use crate::cli::operator_keys::lasting;
use crate::cli::output::paint::Style;
use crate::cli::output::table::{Cell, Table};
use crate::cli::output::{foreign, words};
use crate::cli::report::Report;
use crate::cli::session::Session;

/// One that has not answered by then is shown as such.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<ServersCommand>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum ServersCommand {
    /// List them, and whether they answer; the same as without a command
    List(List),
    /// Add one
    Add(Add),
    /// Forget one; nothing is done on the server itself
    Remove(Remove),
}

#[derive(Debug, Args)]
struct List {
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Add {
    /// What to call it
    name: ServerName,
    /// Where it is: https://domain, ssh://user@host, or unix:///path/to/mypaas.sock
    address: Address,
    /// Mark it with this colour, to tell it from the others at a glance
    #[arg(long, value_name = "COLOUR", value_parser = colour)]
    mark: Option<Colour>,
    /// Ask for its name before anything is changed there
    #[arg(long)]
    lock: bool,
    /// The key that signs for it: a key file, or the fingerprint of a key in an ssh-agent
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Reach it without https, although whoever is on the way reads along
    #[arg(long)]
    insecure: bool,
}

#[derive(Debug, Args)]
struct Remove {
    /// What it is called
    name: ServerName,
}

pub(crate) fn colour(text: &str) -> Result<Colour, String> {
    let names = || Colour::ALL.map(Colour::word).join(", ");
    Colour::ALL.into_iter().find(|colour| colour.word() == text).ok_or_else(|| format!("there are {}", names()))
}

/// One server in the JSON output.
#[derive(Debug, Serialize)]
struct Known {
    name: ServerName,
    address: Address,
    colour: Option<Colour>,
    locked: bool,
    /// This machine's own, which the verbs start when it does not run.
    starts_by_itself: bool,
    state: State,
    /// None when it does not answer.
    server: Option<ServerView>,
    /// Why it is silent.
    problem: Option<Problem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Answers,
    /// It does not answer, or refuses to.
    Silent,
    /// Nobody listens there.
    Down,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    match &arguments.command {
        None => list(&arguments.list, session).await,
        Some(ServersCommand::List(arguments)) => list(arguments, session).await,
        Some(ServersCommand::Add(arguments)) => add(arguments, session),
        Some(ServersCommand::Remove(Remove { name })) => {
            Fleet::remove(&session.environment.fleet, name)?;
            session.screen.print(&format!("{name} is forgotten here; it runs on where it is\n"))
        }
    }
}

fn add(arguments: &Add, session: &Session) -> anyhow::Result<()> {
    let Add { name, address, mark, lock, key, insecure } = arguments;
    let key = key.as_deref().map(lasting);
    let server = Server { address: address.clone(), key, colour: *mark, lock: *lock, insecure: *insecure };
    server.check().context("nothing was added")?;
    Fleet::add(&session.environment.fleet, name, &server)?;
    let file = session.environment.shown(&session.environment.fleet);
    session.screen.print(&format!("{name} is at {address} (in {file}); try `mypaas status {name}`\n"))
}

async fn list(arguments: &List, session: &Session) -> anyhow::Result<()> {
    let mut servers = Vec::new();
    for (name, server) in session.all()? {
        // One after the other: a passphrase may be asked for.
        servers.push((session.client(&name).await, session.is_own(&name)?, name, server));
    }
    let asked = servers.into_iter().map(|(client, own, name, server)| ask(client, own, name, server));
    let servers = join_all(asked).await;
    if arguments.json {
        return session.screen.print_json(&servers);
    }
    let mut table = Table::new(&["SERVER", "STATE", "VERSION", "MARKED", "ADDRESS"]);
    for known in &servers {
        let version = known.server.as_ref().map_or(words::NONE, |view| view.version.as_str());
        let address = known.address.to_string();
        table.row([known.name.as_str().into(), state(known), version.into(), marks(known).into(), address.into()]);
    }
    session.screen.print(&table.render(session.screen.paint(), session.screen.width()))?;
    for (known, problem) in servers.iter().filter_map(|known| Some((known, known.problem.as_ref()?))) {
        let causes = problem.causes.iter().map(|cause| format!(": {cause}")).collect::<String>();
        let told = foreign::line(&format!("{}{causes}", problem.message), false);
        session.screen.tell(&format!("{}: {told}\n", known.name));
    }
    Ok(())
}

async fn ask(client: anyhow::Result<Client>, starts_by_itself: bool, name: ServerName, known: Server) -> Known {
    let answer = async { anyhow::Ok(client?.server().await?) };
    let late = || ClientError::TimedOut { limit: PATIENCE }.into();
    let answer = tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| Err(late()));
    let (state, server, problem) = match answer {
        Ok(server) => (State::Answers, Some(server), None),
        Err(error) if error.downcast_ref().is_some_and(nobody_listens) => (State::Down, None, None),
        Err(error) => (State::Silent, None, Some(Report::of(&error).problem().clone())),
    };
    let Server { address, colour, lock: locked, .. } = known;
    Known { name, address, colour, locked, starts_by_itself, state, server, problem }
}

/// As in `red, locked`.
fn marks(known: &Known) -> String {
    let marks: Vec<_> = known.colour.map(Colour::word).into_iter().chain(known.locked.then_some("locked")).collect();
    if marks.is_empty() { words::NONE.to_owned() } else { marks.join(", ") }
}

fn state(known: &Known) -> Cell {
    match known.state {
        State::Answers => Cell::new(Style::Good, "answers"),
        State::Down if known.starts_by_itself => Cell::new(Style::Muted, "starts when needed"),
        State::Down => Cell::new(Style::Bad, "does not run"),
        State::Silent => Cell::new(Style::Bad, "does not answer"),
    }
}
