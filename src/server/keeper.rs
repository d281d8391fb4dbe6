//! Keeps what the server needs: the network, the router, the containers that are live, and (once, at start) an end to what
//! was cut off.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::core::Core;
use super::worker::FAULT;
use crate::api::{Part, Problem, ProblemCode};
use crate::router::RouterInfo;

/// Between two looks at the router while it is well. The engine restarts one that dies, but not one that was killed by
/// its command.
const PERIOD: Duration = Duration::from_secs(3);

const FIRST_PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// An engine that is back is not to be kept waiting for long.
const LONGEST_PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

impl Core {
    /// One look, with what has to be mended; what could not be is remembered, for those who ask.
    pub(super) async fn keep_once(self: &Arc<Self>) -> Result<(), Problem> {
        let mended = self.mend().await;
        self.note_trouble(mended.as_ref().err());
        if let Err(problem) = &mended
            && !self.parts.is_router_up()
        {
            self.tell_router(Part::Down { problem: problem.clone() });
        }
        mended
    }

    async fn mend(self: &Arc<Self>) -> Result<(), Problem> {
        // One that runs when the server starts is of the settings of then.
        if self.parts.knows_router() {
            self.look_at_router().await;
        }
        // It needs no router; and what is dealt with below may wait for a service that is stopped.
        self.revive();
        let was_down = !self.parts.is_router_up();
        if was_down {
            self.bring_router_up().await?;
        }
        if !self.is_recovered() {
            self.recover_meanwhile().await?;
        }
        // With the router the network may be another.
        if was_down || !self.network.is_settled() {
            self.open_network().await?;
        }
        if self.is_recovered() {
            self.remove_leftovers();
        }
        self.look_at_certificates().await;
        Ok(self.feeds.save()?)
    }

    async fn look_at_router(&self) {
        let info = self.router.info().await;
        if self.parts.is_word_of_router(&info) {
            self.tell_router(self.router_part(info));
        } else {
            tracing::info!("the router answers late; it is looked at again");
        }
    }

    async fn bring_router_up(&self) -> Result<(), Problem> {
        self.engine.ensure_network().await?;
        let info = self.router.ensure_running().await?;
        tracing::info!(http = info.http_port, https = info.https_port, "the router takes requests");
        self.tell_router(Part::Up { info });
        Ok(())
    }

    fn tell_router(&self, router: Part<RouterInfo>) {
        if self.parts.note_router(router) {
            self.mark_changed();
        }
    }

    /// Recovery may itself have to wait for engine and router, which are looked after here; so it is a task of its own,
    /// which is waited for only a little. One that failed is begun again at the next look.
    async fn recover_meanwhile(self: &Arc<Self>) -> Result<(), Problem> {
        let mut recovery = self.recovery.lock().await;
        let task = recovery.get_or_insert_with(|| {
            let core = Arc::clone(self);
            let recovering = async move { core.recover().await };
            self.tasks.spawn(self.abandoned.clone().run_until_cancelled_owned(recovering))
        });
        let Ok(ended) = timeout(PERIOD, task).await else { return Ok(()) };
        *recovery = None;
        match ended {
            Ok(recovered) => recovered.unwrap_or(Ok(())),
            Err(panic) => Err(Problem::new(ProblemCode::Internal, FAULT).because(&panic)),
        }
    }

    /// Goes on until the server stops. What is waited for stands in the log once, and that it is over.
    pub(super) async fn keep(self: Arc<Self>) {
        let (mut failures, mut told) = (0_u32, None);
        while !self.stopping.is_cancelled() {
            let pause = match self.keep_once().await {
                Ok(()) => {
                    if told.take().is_some() {
                        tracing::info!("engine and router are well again");
                    }
                    failures = 0;
                    PERIOD
                }
                Err(problem) => {
                    if told.as_ref() != Some(&problem.message) {
                        tracing::warn!(causes = ?problem.causes, "waiting until this has passed: {}", problem.message);
                        told = Some(problem.message);
                    }
                    failures += 1;
                    (FIRST_PAUSE_AFTER_FAILURE * failures).min(LONGEST_PAUSE_AFTER_FAILURE)
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = self.stopping.cancelled() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
