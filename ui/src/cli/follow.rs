//! Watching a deploy until it is done. It goes on whether or not anybody watches.

use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;
use mypaas::api::{Deploy, DeployState, Failure, Outcome, What};
use mypaas::client::Client;
use mypaas::name::{DeployId, ServerName};

use super::advice;
use super::output::words;
use super::patience::{Patience, may_pass};
use super::progress::Progress;
use super::session::Session;

/// How often the line that lives is looked at.
const TICK: Duration = Duration::from_millis(200);

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

/// How long a deploy is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// The release serves. Where the server ends with this program, its end is waited for nevertheless.
    Done,
    /// What was before is cleared away too.
    Finished,
}

/// Tells what the deploy does; an error unless it succeeds.
pub(crate) async fn follow(
    session: &Session,
    server: &ServerName,
    deploy: Deploy,
    until: Until,
    json: bool,
) -> anyhow::Result<()> {
    if !session.runs(server) {
        session.note_for_interrupt(interrupt_note(server, &deploy));
    }
    let mut progress = Progress::start(&session.screen, &deploy, json)?;
    let until = if session.runs(server) { Until::Finished } else { until };
    let outcome = watch(session, server, &deploy, until, &mut progress).await;
    drop(progress);
    match outcome? {
        Outcome::Succeeded => Ok(()),
        outcome => Err(DeployEnded::new(deploy, advice::of_outcome(outcome, server)).into()),
    }
}

/// Reads the events that are wanted, also when the connection breaks in between.
async fn watch(
    session: &Session,
    server: &ServerName,
    deploy: &Deploy,
    until: Until,
    progress: &mut Progress<'_>,
) -> anyhow::Result<Outcome> {
    let client = session.client(server).await?;
    let (mut seen, mut patience) = (0, Patience::default());
    loop {
        let before = seen;
        let lost = match read(&client, deploy.id, until, &mut seen, progress).await {
            Ok(Some(outcome)) => return Ok(outcome),
            Ok(None) => anyhow::anyhow!("its events end before it does"),
            Err(error) if may_pass(&error) => error,
            Err(error) => return Err(error),
        };
        if seen > before {
            patience = Patience::default();
        }
        if !patience.wait(session, server).await? {
            return Err(lost.context(format!("how {} of {} ends cannot be told", deploy.id, deploy.service)));
        }
    }
}

/// Reads events until one says how it ended or is bound to, or there are no more.
async fn read(
    client: &Client,
    deploy: DeployId,
    until: Until,
    seen: &mut u64,
    progress: &mut Progress<'_>,
) -> anyhow::Result<Option<Outcome>> {
    let mut events = client.deploy_events(deploy, *seen + 1).await?;
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
        match event.what {
            What::Finished { outcome } => return Ok(Some(outcome)),
            What::Done if until == Until::Done => return Ok(Some(Outcome::Succeeded)),
            _ => {}
        }
    }
    match client.deploy_state(deploy).await?.state {
        DeployState::Finished { outcome, .. } => Ok(Some(outcome)),
        _ => Ok(None),
    }
}

fn interrupt_note(server: &ServerName, deploy: &Deploy) -> String {
    let Deploy { id, service, .. } = deploy;
    format!(
        "{id} of {service} goes on; follow it with `mypaas follow {server} {id}`, end it with `mypaas cancel {server} {id}`"
    )
}

fn how(outcome: &Outcome, deploy: &Deploy) -> String {
    match outcome {
        Outcome::Succeeded => "succeeded".to_owned(),
        Outcome::Failed { failure } => format!("failed while {} ({})", failure.phase.word(), deploy.id),
        Outcome::Superseded { by } => format!("was superseded by {by} before it began"),
        Outcome::Cancelled { by } => format!("was cancelled by {by}; nothing was changed"),
        Outcome::Interrupted { detail } => format!("was interrupted: {detail}"),
    }
}
