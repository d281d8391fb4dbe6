//! Does a step that has to succeed: one after the switch, or one that undoes.

use std::time::Duration;

use tokio::time::sleep;

use super::{Executor, StepError, act, failure};
use crate::deploy::journal::Entry;
use crate::deploy::plan::Plan;
use crate::deploy::step::Step;
use crate::engine::{ContainerSpec, EngineError};

/// How often it is tried while engine and router are well.
const TRIES: u32 = 4;

const PAUSE_BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// Between two looks whether what is waited for is back.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

impl Executor<'_> {
    /// While the engine does not answer, or the disk is full, nothing can be done, and what comes next could not either.
    /// So that is waited for, however long it takes: the next start of the server would only find the same.
    pub(super) async fn persist(&self, step: &Step) -> Result<(), StepError> {
        let (mut failures, mut told) = (0, false);
        loop {
            let Err(error) = act::perform(self, step).await else { return Ok(()) };
            if self.wait_for_engine().await {
                continue;
            }
            if error.is_full_disk() {
                self.tell_wait(&mut told, &failure::words(&error));
                sleep(BETWEEN_LOOKS).await;
                continue;
            }
            failures += 1;
            if failures == TRIES {
                return Err(error);
            }
            sleep(PAUSE_BETWEEN_TRIES * failures).await;
        }
    }

    /// A step that undoes. What comes after one that changes the routes takes away what they lead to; so as long as no
    /// router answers, it is not passed.
    pub(super) async fn put_back(&self, step: &Step) -> Result<(), StepError> {
        loop {
            let done = self.persist(step).await;
            if done.is_ok() || !step.is_switch() || !self.wait_for_router().await {
                return done;
            }
        }
    }

    /// A start after a crash goes forward from the switch on, unless the journal says otherwise; so there nothing is
    /// undone before it does.
    pub(super) async fn announce_undo(&self, plan: &Plan, begun: Option<usize>) {
        if begun.is_none_or(|begun| begun < plan.switch) {
            return self.note(Entry::Undoing);
        }
        let mut told = false;
        while let Err(error) = self.journal.write(Entry::Undoing) {
            self.tell_wait(&mut told, &error.to_string());
            sleep(BETWEEN_LOOKS).await;
        }
    }

    /// What an engine may still be at, that nobody waits for any more.
    pub(super) async fn see_to_its_end(&self, step: &Step) {
        let ended = match step {
            Step::Stop { .. } => self.persist(step).await,
            Step::Create { containers } => self.see_made(containers).await,
            Step::Run { container, .. } => self.see_made(std::slice::from_ref(container)).await,
            _ => return,
        };
        if let Err(error) = ended {
            self.warn(failure::sentence(step, &error));
        }
    }

    /// They are made one after another, so the first one that is not there may come yet. Making it again ends that.
    async fn see_made(&self, containers: &[ContainerSpec]) -> Result<(), StepError> {
        self.wait_for_engine().await;
        for spec in containers {
            if let Err(EngineError::NotFound { .. }) = self.engine.inspect(&spec.name).await {
                return self.persist(&Step::Create { containers: vec![spec.clone()] }).await;
            }
        }
        Ok(())
    }

    /// Whether there was anything to wait for.
    async fn wait_for_engine(&self) -> bool {
        let mut waited = false;
        while let Err(error) = self.engine.info().await {
            self.tell_wait(&mut waited, &error.to_string());
            sleep(BETWEEN_LOOKS).await;
        }
        waited
    }

    async fn wait_for_router(&self) -> bool {
        let mut waited = false;
        while let Err(error) = self.router.info().await {
            self.tell_wait(&mut waited, &error.to_string());
            sleep(BETWEEN_LOOKS).await;
        }
        waited
    }

    /// Once for each time that it is waited.
    fn tell_wait(&self, told: &mut bool, obstacle: &str) {
        if !std::mem::replace(told, true) {
            tracing::warn!(service = %self.service, "a deploy waits: {obstacle}");
            self.warn(format!("{obstacle}; the deploy waits until that has passed"));
        }
    }
}
