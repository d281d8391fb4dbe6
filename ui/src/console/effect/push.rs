//! Looking at a folder before it is pushed, and sending it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mypaas::api::{Commit, Deploy, DeployRequest, Origin, PlanRequest, PlanView, Problem, ProblemCode, Target};
use mypaas::client::{Client, Sending};
use mypaas::context::{ContextError, EntryKind, Limits, Selection, commit_of, locate, pack, select};
use mypaas::manifest;
use tokio::time::sleep;

use super::folders::whole;
use super::listen::{Inbox, REST, tell};
use super::problem::{of_client, of_context};
use crate::console::message::Message;
use crate::console::model::push::{Contents, ContextSize, FolderReport, Glance};

/// How often the bytes sent so far are told.
const TICK: Duration = Duration::from_millis(100);

/// Everything there is to know of a folder before it is pushed.
pub(super) async fn check(client: &Client, folder: &Path) -> FolderReport {
    let folder = whole(folder);
    let commit = commit(&folder).await;
    let contents = contents(client, &folder).await;
    FolderReport { folder, commit, contents }
}

async fn contents(client: &Client, folder: &Path) -> Result<Contents, Problem> {
    let text = dockerfile(folder).await?;
    let checked = manifest::check(&text);
    let size = choose(client, folder).await.map(|selection| size(&selection));
    let plan = match &checked.manifest {
        Some(_) => Some(plan(client, &text, size.as_ref().ok()).await),
        None => None,
    };
    Ok(Contents { checked, size, plan })
}

/// What a folder is, without asking a server; once it has been chosen for a moment.
pub(super) async fn glance(typed: String, inbox: Inbox) {
    sleep(REST).await;
    let folder = whole(Path::new(&typed));
    let checked = dockerfile(&folder).await.map(|text| manifest::check(&text));
    let glance = Box::new(Glance { checked, commit: commit(&folder).await });
    tell(&inbox, Message::Glanced { folder: typed, glance }).await;
}

/// The Dockerfile of a folder, and of no other.
pub(super) fn dockerfile_of(folder: &Path) -> Result<PathBuf, Problem> {
    Ok(locate(folder).map_err(|error| of_context(&error))?.dockerfile)
}

async fn dockerfile(folder: &Path) -> Result<Vec<u8>, Problem> {
    let path = dockerfile_of(folder)?;
    let unreadable = |source| ContextError::Unreadable { path: path.clone(), source };
    tokio::fs::read(&path).await.map_err(|error| of_context(&unreadable(error)))
}

async fn plan(client: &Client, text: &[u8], size: Option<&ContextSize>) -> Result<PlanView, Problem> {
    let (text, context_bytes) = (String::from_utf8_lossy(text).into_owned(), size.map(|size| size.bytes));
    client.plan(&PlanRequest::Dockerfile { text, context_bytes }).await.map_err(of_client)
}

/// The files that belong to the push.
async fn choose(client: &Client, folder: &Path) -> Result<Selection, Problem> {
    let server = client.server().await.map_err(of_client)?;
    let limits = Limits { bytes: server.max_context_bytes, ..Limits::default() };
    let folder = folder.to_owned();
    let chosen = tokio::task::spawn_blocking(move || select(&folder, &limits)).await;
    chosen.map_err(|error| Problem::of(ProblemCode::Internal, &error))?.map_err(|error| of_context(&error))
}

fn size(selection: &Selection) -> ContextSize {
    let files = selection.entries.iter().filter(|entry| entry.kind != EntryKind::Folder).count();
    let notes = selection.notes.iter().map(ToString::to_string).collect();
    ContextSize { files: files as u64, bytes: selection.bytes, notes }
}

/// Sends a folder and has it deployed. `progress` is told the bytes read so far.
pub(super) async fn push(
    client: Client,
    folder: PathBuf,
    who: String,
    progress: impl Fn(u64),
) -> Result<Deploy, Problem> {
    let selection = choose(&client, &folder).await?;
    let (packed, total, sending) = (Arc::new(AtomicU64::new(0)), selection.bytes, Arc::new(Sending::default()));
    let mut ticks = tokio::time::interval(TICK);
    let mut upload = std::pin::pin!(client.upload(pack(selection, Some(Arc::clone(&packed))), Arc::clone(&sending)));
    // Over the network everything is packed before the first byte is sent.
    let done = || match sending.now() {
        Some((sent, size)) => (u128::from(total) * u128::from(sent) / u128::from(size)) as u64,
        None => packed.load(Ordering::Relaxed),
    };
    let context = loop {
        tokio::select! {
            received = &mut upload => break received.map_err(of_client)?.id,
            _ = ticks.tick() => progress(done()),
        }
    };
    progress(done());
    let origin = Origin { who, key: None, commit: commit(&folder).await, folder: Some(folder.display().to_string()) };
    client.deploy(&DeployRequest { target: Target::Context { context }, origin }).await.map_err(of_client)
}

async fn commit(folder: &Path) -> Option<Commit> {
    let place = locate(folder).ok()?;
    commit_of(&place.root).await.map(|at| Commit { id: at.id, subject: at.subject, dirty: at.dirty })
}
