//! Does a step that has to succeed: one after the switch, or one that undoes.

use std::time::Duration;

use tokio::time::sleep;

use super::{Executor, StepError, act, failure};
use crate::deploy::event::in_words;
use crate::deploy::journal::Entry;
use crate::deploy::patience::{Waiting, until_engine_answers};
use crate::deploy::plan::Plan;
use crate::deploy::readiness::NotReady;
use crate::deploy::step::Step;
use crate::engine::{ContainerSpec, EngineError};

/// How often it is tried while engine and router are well.
const TRIES: u32 = 4;

const PAUSE_BETWEEN_TRIES: Duration = Duration::from_millis(500);

impl Executor<'_> {
    /// While the engine does not answer, or the disk is full, nothing can be done, and what comes next could not either;
    /// so that is waited for.
    pub(super) async fn persist(&self, step: &Step) -> Result<(), StepError> {
        let report = |message| self.warn(message);
        let (mut failures, mut room) = (0, Waiting::new(&report));
        loop {
            let Err(error) = act::perform(self, step).await else { return Ok(()) };
            if until_engine_answers(self.engine, &report).await {
                continue;
            }
            // It was waited for already.
            if matches!(error, StepError::NotReady { why: NotReady::TooLate { .. }, .. }) {
                return Err(error);
            }
            if error.is_full_disk() {
                room.wait(&failure::words(&error)).await;
                continue;
            }
            failures += 1;
            if failures == TRIES {
                return Err(error);
            }
            sleep(PAUSE_BETWEEN_TRIES * failures).await;
        }
    }

    /// The same, where there is no way but this one. What comes after a step that changes the routes takes away what they
    /// lead to; so as long as no router answers, it is not passed.
    pub(super) async fn see_through(&self, step: &Step) -> Result<(), StepError> {
        let report = |message| self.warn(message);
        let (mut router, mut has_answered) = (Waiting::new(&report), false);
        loop {
            let Err(error) = self.persist(step).await else { return Ok(()) };
            if !step.is_switch() {
                return Err(error);
            }
            match self.router.info().await {
                Err(silent) => {
                    has_answered = false;
                    router.wait(&in_words(&silent)).await;
                }
                // It may have come back only just now.
                Ok(_) if !has_answered => has_answered = true,
                Ok(_) => return Err(error),
            }
        }
    }

    /// A start after a crash goes forward from the switch on, unless the journal says otherwise; so there nothing is
    /// undone before it does.
    pub(super) async fn announce_undo(&self, plan: &Plan, begun: Option<usize>) {
        if begun.is_none_or(|begun| begun < plan.switch) {
            return self.note(Entry::Undoing);
        }
        let report = |message| self.warn(message);
        let mut journal = Waiting::new(&report);
        while let Err(error) = self.journal.write(Entry::Undoing) {
            journal.wait(&in_words(&error)).await;
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

    /// A few are made at a time, so among the first few of which one is not there it may come yet. Making it again ends
    /// that.
    async fn see_made(&self, containers: &[ContainerSpec]) -> Result<(), StepError> {
        until_engine_answers(self.engine, &|message| self.warn(message)).await;
        for few in containers.chunks(act::AT_ONCE) {
            let mut missing = Vec::new();
            for spec in few {
                if let Err(EngineError::NotFound { .. }) = self.engine.inspect(&spec.name).await {
                    missing.push(spec.clone());
                }
            }
            if !missing.is_empty() {
                return self.persist(&Step::Create { containers: missing }).await;
            }
        }
        Ok(())
    }
}
