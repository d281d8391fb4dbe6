//! `mypaas push`: a folder becomes a new release of its service.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use mypaas::api::{Commit, DeployRequest, Origin, PlanRequest, Target};
use mypaas::context::{EntryKind, Limits, Selection, commit_of, select};
use mypaas::name::ServerName;

use super::act::{How, carry_out, preview};
use crate::cli::many::{Servers, each};
use crate::cli::output::units;
use crate::cli::refused::Refusal;
use crate::cli::report::diagnostic;
use crate::cli::session::Session;
use crate::cli::source::{Source, accept};
use crate::cli::upload::upload;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server's name; `local` is this machine. Several: `shop,attic`, or `all`
    #[arg(value_name = "SERVER")]
    servers: Servers,
    #[command(flatten)]
    pushed: Pushed,
}

/// What is pushed, and how it is told.
#[derive(Debug, Args)]
pub(crate) struct Pushed {
    /// The folder with the Dockerfile, or the Dockerfile
    dir: PathBuf,
    #[command(flatten)]
    how: How,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    push_to_each(&arguments.pushed, &arguments.servers, session).await
}

pub(crate) async fn push_to_each(pushed: &Pushed, servers: &Servers, session: &Session) -> anyhow::Result<()> {
    let How { json, .. } = pushed.how;
    each(session, servers, pushed.how.touch(), json, async |session, server| push(pushed, server, session).await).await
}

/// Checks the folder, sends it, and has it deployed. Nothing is sent when there is a mistake in it.
async fn push(pushed: &Pushed, server: &ServerName, session: &Session) -> anyhow::Result<()> {
    let Pushed { dir, how } = pushed;
    let source = Source::open(dir)?;
    let warnings = accept(source.file(), source.check().diagnostics).context("nothing was sent")?;
    for warning in &warnings {
        session.screen.tell(&diagnostic::text(&source.file(), warning, session.screen.tell_paint()));
    }
    let selection = choose(session, server, &source).await?;
    let request = PlanRequest::Dockerfile { text: source.text(), context_bytes: Some(selection.bytes) };
    if how.dry_run {
        return preview(session, server, &request, how.json).await;
    }
    refuse_early(session, server, &request).await?;
    if !how.json {
        announce(session, server, &selection)?;
    }
    let context = upload(session, server, selection, how.json).await?.id;
    let request = DeployRequest { target: Target::Context { context }, origin: origin(session, &source).await };
    carry_out(session, server, &request, how.json).await
}

/// The files that belong to the push; an error when they are more than the server takes.
async fn choose(session: &Session, server: &ServerName, source: &Source) -> anyhow::Result<Selection> {
    let view = session.ask(server, async |client| client.server().await).await?;
    let limits = Limits { bytes: view.max_context_bytes, ..Limits::default() };
    let dockerfile = source.place.dockerfile.clone();
    Ok(tokio::task::spawn_blocking(move || select(&dockerfile, &limits)).await??)
}

/// What the server would refuse anyway is refused before anything is sent.
async fn refuse_early(session: &Session, server: &ServerName, request: &PlanRequest) -> anyhow::Result<()> {
    let refusals = session.ask(server, async |client| client.plan(request).await).await?.refusals;
    Refusal::among(refusals, server).map_or(Ok(()), |refusal| Err(refusal.into()))
}

/// Says what is going to be sent, and where to.
fn announce(session: &Session, server: &ServerName, selection: &Selection) -> anyhow::Result<()> {
    for note in &selection.notes {
        session.screen.tell(&format!("note: {note}\n"));
    }
    let number = selection.entries.iter().filter(|entry| entry.kind != EntryKind::Folder).count();
    let (files, size) = (units::counted(number as u64, "file"), units::bytes(selection.bytes));
    session.screen.print(&format!("{} → {server}: {files}, {size}\n", selection.root.display()))
}

async fn origin(session: &Session, source: &Source) -> Origin {
    let root = &source.place.root;
    let folder = root.canonicalize().unwrap_or_else(|_| root.clone());
    let commit = commit_of(&folder).await.map(|at| Commit { id: at.id, subject: at.subject, dirty: at.dirty });
    Origin { who: session.environment.who.clone(), key: None, folder: Some(folder.display().to_string()), commit }
}
