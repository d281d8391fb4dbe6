//! Waiting for what a deploy cannot do without. There is no limit: whoever gave up would leave the work half done, and
//! the next start of the server would only find the same.

use std::time::Duration;

use tokio::time::sleep;

use super::event::in_words;
use crate::engine::Engine;

/// Between two looks whether it has passed.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Tells once for each time what is waited for.
pub(crate) struct Waiting<'a> {
    report: &'a (dyn Fn(String) + Sync),
    told: bool,
}

impl<'a> Waiting<'a> {
    pub(crate) fn new(report: &'a (dyn Fn(String) + Sync)) -> Self {
        Self { report, told: false }
    }

    /// A while passes until what hinders is looked at again.
    pub(crate) async fn wait(&mut self, obstacle: &str) {
        if !std::mem::replace(&mut self.told, true) {
            (self.report)(format!("waiting until this has passed: {obstacle}"));
        }
        sleep(BETWEEN_LOOKS).await;
    }
}

/// Returns once the engine answers; whether that was waited for.
pub(crate) async fn until_engine_answers(engine: &dyn Engine, report: &(dyn Fn(String) + Sync)) -> bool {
    let mut waiting = Waiting::new(report);
    while let Err(error) = engine.info().await {
        waiting.wait(&in_words(&error)).await;
    }
    waiting.told
}
