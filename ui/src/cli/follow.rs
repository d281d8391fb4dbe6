//! Watching a deploy until it ends. It goes on whether or not anybody watches.

use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;
use mypaas::api::{Deploy, DeployState, Failure, Outcome, What};
use mypaas::client::ClientError;

use super::output::words;
use super::progress::Progress;
use super::session::{Server, Session};

/// How often the line that lives is looked at.
const TICK: Duration = Duration::from_millis(200);

/// A server that restarts is back within half a minute, or not at all.
const ATTEMPTS: u32 = 30;
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);

/// A deploy that did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("{} {}", words::deed(&deploy.action, &deploy.service), how(outcome, deploy))]
pub(crate) struct DeployEnded {
    deploy: Box<Deploy>,
    outcome: Outcome,
}

impl DeployEnded {
    pub(crate) fn new(deploy: Deploy, outcome: Outcome) -> Self {
        Self { deploy: Box::new(deploy), outcome }
    }

    pub(crate) fn deploy(&self) -> &Deploy {
        &self.deploy
    }

    /// Why it failed, when that is how it ended.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        match &self.outcome {
            Outcome::Failed { failure } => Some(failure),
            _ => None,
        }
    }
}

/// Tells what the deploy does until it ends; an error unless it succeeds.
pub(crate) async fn follow(session: &Session, server: &Server, deploy: Deploy, json: bool) -> anyhow::Result<()> {
    session.note_for_interrupt(interrupt_note(server, &deploy));
    let mut progress = Progress::start(&session.screen, &deploy, json)?;
    let outcome = watch(server, &deploy, &mut progress).await;
    drop(progress);
    match outcome? {
        Outcome::Succeeded => Ok(()),
        outcome => Err(DeployEnded::new(deploy, outcome).into()),
    }
}

/// Reads the events to the last one, also when the connection breaks in between.
async fn watch(server: &Server, deploy: &Deploy, progress: &mut Progress<'_>) -> anyhow::Result<Outcome> {
    let mut seen = 0;
    let mut attempts = 0;
    loop {
        let before = seen;
        let lost = match read(server, deploy, &mut seen, progress).await {
            Ok(Some(outcome)) => return Ok(outcome),
            Ok(None) => None,
            Err(error) if worth_another_try(&error) => Some(error),
            Err(error) => return Err(error),
        };
        attempts = if seen > before { 0 } else { attempts + 1 };
        if attempts == ATTEMPTS {
            let lost = lost.unwrap_or_else(|| anyhow::anyhow!("its events end before it does"));
            return Err(lost.context(format!("how {} of {} ends cannot be told", deploy.id, deploy.service)));
        }
        tokio::time::sleep(BETWEEN_ATTEMPTS).await;
    }
}

/// Reads events until one says how it ended, or there are no more.
async fn read(
    server: &Server,
    deploy: &Deploy,
    seen: &mut u64,
    progress: &mut Progress<'_>,
) -> anyhow::Result<Option<Outcome>> {
    let mut events = server.client.deploy_events(deploy.id, *seen + 1).await?;
    let mut ticks = tokio::time::interval(TICK);
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = ticks.tick() => {
                progress.tick(Timestamp::now())?;
                continue;
            }
        };
        let Some(event) = event.transpose()? else { break };
        *seen = event.seq;
        progress.event(&event)?;
        if let What::Finished { outcome } = event.what {
            return Ok(Some(outcome));
        }
    }
    match server.client.deploy_state(deploy.id).await?.state {
        DeployState::Finished { outcome, .. } => Ok(Some(outcome)),
        _ => Ok(None),
    }
}

fn worth_another_try(error: &anyhow::Error) -> bool {
    use ClientError::{Broken, TimedOut, Unreachable};
    matches!(error.downcast_ref(), Some(Unreachable { .. } | TimedOut { .. } | Broken(_)))
}

fn interrupt_note(server: &Server, deploy: &Deploy) -> String {
    let Deploy { id, service, .. } = deploy;
    let name = &server.name;
    if server.in_process {
        return format!(
            "the server of this deploy runs in this very process: waiting until {id} of {service} has come to its end; \
             ctrl-c again ends it at once"
        );
    }
    format!("{id} of {service} goes on; follow it with `mypaas follow {name} {id}`, or see `mypaas deploys {name}`")
}

fn how(outcome: &Outcome, deploy: &Deploy) -> String {
    match outcome {
        Outcome::Succeeded => "succeeded".to_owned(),
        Outcome::Failed { failure } => format!("failed while {} ({})", words::phase(failure.phase), deploy.id),
        Outcome::Superseded { by } => format!("was superseded by {by} before it began"),
        Outcome::Cancelled { by } => format!("was cancelled by {by}; nothing was changed"),
        Outcome::Interrupted { detail } => format!("was interrupted: {detail}"),
    }
}
