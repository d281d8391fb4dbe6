//! `mypaas env`: the values that services take from the server's environment. They are given, and never shown.

use std::io::{self, IsTerminal, Read};

use anyhow::Context;
use clap::{Args, Subcommand};
use mypaas::api::{VariableChange, VariableView};
use mypaas::name::{ServerName, VariableName};

use crate::cli::input::InputError;
use crate::cli::many::{Servers, Touch, each};
use crate::cli::output::{variables, words};
use crate::cli::session::Session;

/// No value is longer.
const MOST_READ: u64 = 256 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: EnvCommand,
}

impl Arguments {
    pub(crate) fn only_lists(&self) -> bool {
        matches!(self.command, EnvCommand::List { .. })
    }
}

#[derive(Debug, Subcommand)]
enum EnvCommand {
    /// List the variables, which services use them, and whether they have a value
    List {
        /// The server's name; `local` is this machine. Several: `shop,attic`, or `all`
        #[arg(value_name = "SERVER")]
        servers: Servers,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a variable a value: from the standard input, or typed where nobody sees it
    Set {
        /// The server's name; `local` is this machine. Several: `shop,attic`, or `all`
        #[arg(value_name = "SERVER")]
        servers: Servers,
        /// As in DATABASE_PASSWORD; the value is never part of the command line
        key: VariableName,
    },
    /// Take a variable's value away
    Unset {
        /// The server's name; `local` is this machine. Several: `shop,attic`, or `all`
        #[arg(value_name = "SERVER")]
        servers: Servers,
        key: VariableName,
        /// Also when a service uses it
        #[arg(long, short)]
        yes: bool,
    },
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    match &arguments.command {
        EnvCommand::List { servers, json } => {
            each(session, servers, Touch::Reads, *json, async |session, server| list(session, server, *json).await)
                .await
        }
        EnvCommand::Set { servers, key } => set(session, servers, key).await,
        EnvCommand::Unset { servers, key, yes } => {
            let change = async |session: &Session, server: &ServerName| unset(session, server, key, *yes).await;
            each(session, servers, Touch::Changes, false, change).await
        }
    }
}

async fn list(session: &Session, server: &ServerName, json: bool) -> anyhow::Result<()> {
    let all = session.ask(server, async |client| client.variables().await).await?;
    if json {
        return session.screen.print_json(&all);
    }
    if all.is_empty() {
        return session.screen.print(&format!("no variables yet; set one with `mypaas env set {server} NAME`\n"));
    }
    session.screen.print(&variables::table(&all).render(session.screen.paint(), session.screen.width()))
}

async fn set(session: &Session, servers: &Servers, key: &VariableName) -> anyhow::Result<()> {
    for server in servers.of(session)? {
        // Locked ones, and one that cannot be asked, are told before anything is typed.
        session.unlock(&server).await?;
        session.ask(&server, async |client| client.variables().await).await?;
    }
    let prompt = format!("value of {key} (it is not shown): ");
    let value = tokio::task::spawn_blocking(move || read_value(&prompt)).await??;
    let change = VariableChange { name: key.clone(), value: Some(value) };
    each(session, servers, Touch::Changes, false, async |session, server| {
        let view = session.change(server, async |client| client.change_variable(&change).await).await?;
        session.screen.print(&told(server, &view, "is set"))
    })
    .await
}

async fn unset(session: &Session, server: &ServerName, key: &VariableName, yes: bool) -> anyhow::Result<()> {
    let all = session.ask(server, async |client| client.variables().await).await?;
    let used_by = all.iter().find(|view| view.name == key.as_str()).map(|view| view.used_by.as_slice());
    if let Some(users @ [_, ..]) = used_by.filter(|_| !yes) {
        return Err(InputError::VariableInUse { name: key.clone(), users: words::names(users) }.into());
    }
    let change = VariableChange { name: key.clone(), value: None };
    let view = session.change(server, async |client| client.change_variable(&change).await).await?;
    session.screen.print(&told(server, &view, "has no value any more"))
}

/// What is piped in, without the line end that a shell's echo adds; else what is typed.
fn read_value(prompt: &str) -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt).context("the value could not be read from the terminal");
    }
    let mut text = String::new();
    io::stdin()
        .take(MOST_READ)
        .read_to_string(&mut text)
        .context("the value could not be read from the standard input")?;
    let value = text.strip_suffix('\n').unwrap_or(&text);
    Ok(value.strip_suffix('\r').unwrap_or(value).to_owned())
}

fn told(server: &ServerName, view: &VariableView, what: &str) -> String {
    let VariableView { name, used_by, .. } = view;
    let mut text = format!("{name} {what}");
    for service in used_by {
        text += &format!("\n{service} uses it, and takes it at its next start: mypaas restart {server} {service}");
    }
    text + "\n"
}
