//! `mypaas shell`: a shell in a container.

use std::io::{IsTerminal, stdin, stdout};
use std::process::ExitCode;

use clap::Args;
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use mypaas::name::ContainerName;

use super::act::{On, detail};
use crate::cli::input::InputError;
use crate::cli::session::Session;
use crate::console::shell::{self, End};

/// What is told of it beside its arguments.
pub(crate) const HELP: &str = "\
It runs bash where the image has it, else sh, on a terminal of its own; its exit code is this command's. ctrl-] pressed
twice leaves a shell that does not answer.";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: On,
    /// In this container; else in one that takes requests
    #[arg(value_name = "CONTAINER")]
    container: Option<String>,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<ExitCode> {
    let On { server, service } = &arguments.on;
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return Err(InputError::NoTerminal.into());
    }
    let container = container(arguments, session).await?;
    let kind = shell::kind();
    let shell = session.change(server, async |client| client.shell(service, container.as_ref(), &kind).await).await?;
    let raw = Raw::take()?;
    let end = shell::attend(shell).await;
    drop(raw);
    Ok(match end? {
        // What does not fit is told by Docker for a signal that no process can get.
        End::Exited { code } => ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)),
        End::Left => ExitCode::SUCCESS,
    })
}

async fn container(arguments: &Arguments, session: &Session) -> anyhow::Result<Option<ContainerName>> {
    let Some(wanted) = &arguments.container else { return Ok(None) };
    let containers = detail(session, &arguments.on).await?.service.containers;
    let names: Vec<ContainerName> = containers.into_iter().map(|view| view.name).collect();
    if let Some(name) = names.iter().find(|name| name.as_str() == wanted) {
        return Ok(Some(name.clone()));
    }
    let known = names.iter().map(ToString::to_string).collect();
    Err(InputError::UnknownContainer { name: wanted.clone(), service: arguments.on.service.clone(), known }.into())
}

/// Keys come one by one, and are not echoed, for as long as this is held.
struct Raw;

impl Raw {
    fn take() -> std::io::Result<Self> {
        enable_raw_mode()?;
        Ok(Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _ = disable_raw_mode();
    }
}
