//! Keeps what the server needs: the network, the router, and (once, at start) an end to what was cut off.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::core::Core;
use crate::api::Problem;

/// Between two looks at the router while it is well. The engine restarts one that dies, but not one that was killed by
/// its command.
const PERIOD: Duration = Duration::from_secs(3);

const FIRST_PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

const LONGEST_PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(30);

impl Core {
    /// One look, with what has to be mended; what could not be is remembered, for those who ask.
    pub(super) async fn keep_once(self: &Arc<Self>) -> Result<(), Problem> {
        let mended = self.mend().await;
        self.note_trouble(mended.as_ref().err());
        mended
    }

    /// At the first time that it succeeds, recovery.
    async fn mend(self: &Arc<Self>) -> Result<(), Problem> {
        let was_down = self.router.info().await.is_err();
        if was_down {
            self.engine.ensure_network().await?;
            let info = self.router.ensure_running().await?;
            tracing::info!(http = info.http_port, https = info.https_port, "the router takes requests");
            self.mark_changed();
        }
        if !self.is_recovered() {
            self.recover().await?;
        }
        // With the router the network may be another.
        if was_down || !self.network.is_settled() {
            self.open_network().await?;
        }
        Ok(())
    }

    /// Goes on until the server stops.
    pub(super) async fn keep(self: Arc<Self>) {
        let mut failures = 0_u32;
        while !self.stopping.is_cancelled() {
            let pause = match self.keep_once().await {
                Ok(()) => {
                    failures = 0;
                    PERIOD
                }
                Err(problem) => {
                    tracing::warn!(problem = problem.message, causes = ?problem.causes, "not all is well yet");
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
