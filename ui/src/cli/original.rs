//! Pushing to a server of the Python original: it takes a zip, and answers with lines of text.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use mypaas::client::{ClientError, Sending};
use mypaas::context::{Limits, select, zip_up};
use mypaas::name::ServerName;
use mypaas::original::{FAIL, LARGEST_ZIP};

use super::advice;
use super::output::{foreign, units};
use super::progress::live::LiveLine;
use super::session::Session;
use super::source::Source;
use super::verb::act::How;
use super::verb::push::announce;

const TICK: Duration = Duration::from_millis(200);

/// So much of the line that tells why a push failed is told once more; it was shown as it came, and goes on for long.
const LONGEST_REASON: usize = 160;

/// What such a server cannot do, or did not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OriginalError {
    #[error("{server} is a server of the Python original, which cannot say what it would do")]
    NoPlan { server: ServerName },
    #[error("{server} is a server of the Python original, which reports in text and not in JSON")]
    NoJson { server: ServerName },
    #[error("the push failed on {server}: {reason}")]
    Failed { server: ServerName, reason: String },
}

impl OriginalError {
    /// What to do next.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::NoPlan { .. } => "`mypaas check DIR` says what is wrong with the Dockerfile",
            Self::NoJson { .. } => "leave out --json; the exit code says whether it went well",
            Self::Failed { .. } => {
                "it may have stopped the release that served before; look at `docker ps` on that machine"
            }
        }
        .to_owned()
    }
}

/// Whether the server turned out to be such a one.
pub(crate) fn is_meant(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ClientError::Original { .. }))
}

/// Sends the folder and tells what the server says; an error when it says that it failed.
pub(crate) async fn push(session: &Session, server: &ServerName, source: &Source, how: How) -> anyhow::Result<()> {
    if how.dry_run {
        return Err(OriginalError::NoPlan { server: server.clone() }.into());
    }
    if how.json {
        return Err(OriginalError::NoJson { server: server.clone() }.into());
    }
    let client = session.original(server).await?;
    let dockerfile = source.place.dockerfile.clone();
    let limits = Limits { bytes: LARGEST_ZIP, ..Limits::default() };
    let selection = tokio::task::spawn_blocking(move || select(&dockerfile, &limits)).await??;
    announce(session, server, &selection)?;
    let (zip, left_out) = tokio::task::spawn_blocking(move || zip_up(&selection)).await??;
    for link in left_out {
        let link = foreign::line(&link.display().to_string(), false);
        session
            .screen
            .tell(&format!("note: the symlink {link} is not sent: it leads to no file, and a zip has no links\n"));
    }
    let mut live = LiveLine::new(&session.screen);
    let sending = Arc::new(Sending::default());
    let mut answer = std::pin::pin!(client.push_as_original(zip, Arc::clone(&sending)));
    let mut ticks = tokio::time::interval(TICK);
    let mut lines = loop {
        tokio::select! {
            answer = &mut answer => break answer.map_err(|error| advice::of_error(error, server))?,
            _ = ticks.tick() => if let Some((sent, size)) = sending.now() {
                live.show(&format!("sending {} of {}", units::bytes(sent), units::bytes(size)))?;
            },
        }
    };
    let mut failure = None;
    while let Some(line) = lines.next().await.transpose()? {
        failure = failure.or_else(|| line.strip_prefix(FAIL).map(|reason| reason.trim().to_owned()));
        live.print(&foreign::line(&line, false))?;
    }
    let Some(mut reason) = failure else { return Ok(()) };
    if reason.chars().count() > LONGEST_REASON {
        reason = reason.chars().take(LONGEST_REASON).chain(['…']).collect();
    }
    Err(OriginalError::Failed { server: server.clone(), reason }.into())
}
