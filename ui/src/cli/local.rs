//! This machine's own server: the one that runs already, else one in this process, for as long as it is needed.

use std::error::Error;
use std::io::ErrorKind;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use mypaas::client::{Client, ClientError};
use mypaas::server::{self, ServerError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::environment::Environment;
use super::logging;
use super::output::Screen;

/// A start that takes longer than this is worth a word.
const SILENT_START: Duration = Duration::from_millis(700);

/// How long a server of another process may take to answer, or to end.
const OTHERS_START: Duration = Duration::from_secs(15);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// The server in this process, when there is one.
#[derive(Debug, Default)]
pub(crate) struct Local {
    running: Mutex<Option<InProcess>>,
}

/// A server in this process.
#[derive(Debug)]
pub(crate) struct InProcess {
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), ServerError>>,
}

impl Local {
    /// Sees to it that the server answers: starts it, unless another process is about to. On the screen, if one is
    /// given, it says so when that takes a while.
    pub(crate) async fn ensure(
        &self,
        client: &Client,
        environment: &Environment,
        screen: Option<&Screen>,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + OTHERS_START;
        loop {
            match client.server().await {
                Ok(_) => return Ok(()),
                Err(error) if nobody_listens(&error) => {}
                Err(error) => return Err(error.into()),
            }
            match self.start(environment, screen).await {
                Err(error) if runs_elsewhere(&error) && Instant::now() < deadline => {}
                started => {
                    let home = environment.shown(&environment.home);
                    return started.with_context(|| format!("the server of {home} could not be started"));
                }
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Whether it runs in this process.
    pub(crate) fn runs(&self) -> bool {
        self.running().is_some()
    }

    /// Takes the server out, so that it can be stopped.
    pub(crate) fn take(&self) -> Option<InProcess> {
        self.running().take()
    }

    async fn start(&self, environment: &Environment, screen: Option<&Screen>) -> anyhow::Result<()> {
        logging::to_file(environment)?;
        let (ready, is_ready) = oneshot::channel();
        let shutdown = CancellationToken::new();
        let on_ready = move || {
            // Nobody waits any more when the verb was interrupted.
            let _ = ready.send(());
        };
        let task = tokio::spawn(server::run(environment.place(), on_ready, shutdown.clone()));
        *self.running() = Some(InProcess { shutdown, task });
        if told_late(is_ready, environment, screen).await {
            return Ok(());
        }
        match self.take() {
            Some(server) => server.stop().await?,
            None => return Ok(()),
        }
        anyhow::bail!("it ended before it was ready")
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<InProcess>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InProcess {
    /// Ends the server; running deploys reach a safe point first.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        Ok(self.task.await??)
    }
}

/// Waits until the server is ready, or has ended (false). Says so when it takes a while.
async fn told_late(mut is_ready: oneshot::Receiver<()>, environment: &Environment, screen: Option<&Screen>) -> bool {
    if let Ok(ready) = tokio::time::timeout(SILENT_START, &mut is_ready).await {
        return ready.is_ok();
    }
    if let Some(screen) = screen.filter(|screen| screen.tells_a_person()) {
        screen.tell(&format!("starting the server of {} in this process …\n", environment.shown(&environment.home)));
    }
    is_ready.await.is_ok()
}

/// Another process holds the folder: its server starts, or comes to its end.
fn runs_elsewhere(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ServerError::AlreadyRuns { .. }))
}

/// No socket, or one that a dead server left behind. One that may not be opened is something else.
pub(crate) fn nobody_listens(error: &ClientError) -> bool {
    let ClientError::Unreachable { source, .. } = error else { return false };
    let mut cause: Option<&(dyn Error + 'static)> = Some(source);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused);
        }
        cause = error.source();
    }
    false
}
