//! Carries out a plan, step by step, with intent and result in the journal. It makes no choices but one: a failure
//! before the switch is undone, after it the deploy goes forward.

mod act;
mod failure;

use std::time::Duration;

use tokio::time::sleep;

use super::event::{Failure, Phase, What};
use super::journal::{Entry, Journal, Resume};
use super::plan::Plan;
use super::step::Step;
use crate::engine::{Engine, EngineError, Exit};
use crate::name::{ContainerName, ServiceName};
use crate::router::{Router, RouterError};
use crate::store::StoreError;

use super::readiness::NotReady;

/// How often a step is tried that has to succeed: one after the switch, or one that undoes.
const TRIES: u32 = 4;

const PAUSE_BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// How a plan ended.
#[derive(Debug)]
pub enum Verdict {
    /// What was desired is there.
    Reached,
    /// What was there before is there again.
    Undone { because: Failure },
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    #[error("the engine failed")]
    Engine { container: Option<ContainerName>, source: EngineError },
    #[error("the router failed")]
    Router(#[from] RouterError),
    #[error("a container is not ready")]
    NotReady { container: ContainerName, why: NotReady },
    #[error("the release command failed")]
    Command { container: ContainerName, end: CommandEnd },
    #[error("the journal could not be written")]
    Journal(#[from] StoreError),
}

/// How a release command ended that did not do well.
#[derive(Debug)]
pub(crate) enum CommandEnd {
    Exited(Exit),
    TooLong { limit: Duration },
}

/// What carrying out a plan needs.
pub struct Executor<'a> {
    pub engine: &'a dyn Engine,
    pub router: &'a dyn Router,
    pub journal: &'a Journal,
    pub service: &'a ServiceName,
    pub report: &'a (dyn Fn(What) + Sync),
    /// Called at the switch: from here on the new release is the live one.
    pub switched: &'a (dyn Fn() -> Result<(), StoreError> + Sync),
}

impl std::fmt::Debug for Executor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("journal", self.journal).finish_non_exhaustive()
    }
}

impl Executor<'_> {
    pub async fn run(&self, plan: &Plan) -> Verdict {
        self.forward(plan, 0).await
    }

    /// Takes up a plan that an earlier run left.
    pub async fn resume(&self, plan: &Plan, resume: Resume) -> Verdict {
        match resume {
            Resume::Nothing { reached: true } => Verdict::Reached,
            Resume::Nothing { reached: false } => Verdict::Undone { because: failure::cut_off() },
            Resume::Forward { from } => self.forward(plan, from).await,
            Resume::Undo { begun } => {
                self.undo(plan, begun).await;
                Verdict::Undone { because: failure::cut_off() }
            }
        }
    }

    async fn forward(&self, plan: &Plan, from: usize) -> Verdict {
        let mut phase = None;
        for (index, step) in plan.steps.iter().enumerate().skip(from) {
            self.enter(&mut phase, step.phase());
            if let Err(error) = self.advance(plan, index, step).await {
                return self.give_up(plan, index, error).await;
            }
        }
        if plan.switch >= plan.steps.len()
            && let Err(error) = self.mark_switched(true)
        {
            return self.give_up(plan, plan.steps.len().saturating_sub(1), error).await;
        }
        self.note(&Entry::Ended { reached: true });
        Verdict::Reached
    }

    /// Fails only where the deploy can still be undone.
    async fn advance(&self, plan: &Plan, index: usize, step: &Step) -> Result<(), StepError> {
        let switches = index == plan.switch;
        if switches && !step.is_switch() {
            self.mark_switched(plan.can_undo(index))?;
        }
        if plan.can_undo(index) {
            self.journal.write(&Entry::Begun { step: index })?;
            act::perform(self, step).await?;
            self.journal.write(&Entry::Done { step: index })?;
        } else {
            self.insist(index, step).await;
        }
        if switches && step.is_switch() {
            self.mark_switched(plan.can_undo(index))?;
        }
        Ok(())
    }

    fn mark_switched(&self, can_undo: bool) -> Result<(), StepError> {
        match (self.switched)() {
            Err(error) if can_undo => Err(error.into()),
            Err(error) => {
                self.warn(format!("the history could not be written: {error}"));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// After the switch there is only one way: what fails is tried again, and then told and left for the next deploy.
    async fn insist(&self, index: usize, step: &Step) {
        self.note(&Entry::Begun { step: index });
        self.attempt(step).await;
        self.note(&Entry::Done { step: index });
    }

    async fn attempt(&self, step: &Step) {
        for attempt in 1..=TRIES {
            match act::perform(self, step).await {
                Ok(()) => return,
                Err(error) if attempt == TRIES => self.warn(failure::sentence(step, &error)),
                Err(_) => sleep(PAUSE_BETWEEN_TRIES * attempt).await,
            }
        }
    }

    async fn give_up(&self, plan: &Plan, at: usize, error: StepError) -> Verdict {
        let step = plan.steps.get(at).unwrap_or(&Step::Withdraw);
        let because = failure::of(self.engine, step, error).await;
        (self.report)(What::Undoing { because: because.clone() });
        self.undo(plan, Some(at)).await;
        Verdict::Undone { because }
    }

    /// `begun` is the last step that had begun. A stop that the engine is still at would take away what is started again,
    /// so it is seen to its end first.
    async fn undo(&self, plan: &Plan, begun: Option<usize>) {
        self.note(&Entry::Undoing);
        let mut phase = None;
        self.enter(&mut phase, Phase::Undoing);
        if let Some(stop @ Step::Stop { .. }) = begun.and_then(|index| plan.steps.get(index)) {
            self.attempt(stop).await;
        }
        for step in plan.undo_after(begun) {
            self.attempt(step).await;
        }
        self.note(&Entry::Ended { reached: false });
    }

    fn enter(&self, current: &mut Option<Phase>, phase: Phase) {
        if current.replace(phase) != Some(phase) {
            (self.report)(What::Phase { phase });
        }
    }

    /// For entries whose loss only costs a repetition.
    fn note(&self, entry: &Entry) {
        if let Err(error) = self.journal.write(entry) {
            self.warn(format!("the journal could not be written: {error}"));
        }
    }

    fn warn(&self, message: String) {
        (self.report)(What::Warning { message });
    }
}
