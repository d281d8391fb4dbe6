//! Carries out a plan, step by step, with intent and result in the journal. It makes no choices but one: a failure
//! before the switch is undone, after it the deploy goes forward.
//!
//! ```text
//! act.rs        does one step
//! persist.rs    does one that has to succeed
//! failure.rs    what is told when one fails
//! last_lines.rs what containers wrote last, kept before they are removed
//! ```

mod act;
mod failure;
mod last_lines;
mod persist;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

pub use self::last_lines::LastLines;
pub(crate) use self::last_lines::keep_last_lines;
use super::event::{Failure, Phase, What};
use super::journal::{Entry, Journal, Resume};
use super::plan::Plan;
use super::step::Step;
use crate::engine::{Engine, EngineError, Exit};
use crate::name::{ContainerName, ServiceName};
use crate::router::{Router, RouterError};
use crate::store::{ServiceRecord, StoreError};

use super::readiness::NotReady;

/// How a plan ended.
#[derive(Debug)]
pub enum Verdict {
    /// What was desired is there.
    Reached,
    /// It went forward, but this could not be done.
    Short { of: Failure },
    /// What was there before is there again, unless `unrestored` tells why not.
    Undone { because: Failure, unrestored: Option<String> },
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
    /// What holds for the service from the switch on; none when that is forgotten later.
    pub holds: &'a (dyn Fn() -> Result<Option<ServiceRecord>, StoreError> + Sync),
    pub last_lines: &'a dyn LastLines,
    pub confirmed: Confirmed,
}

/// When the router last confirmed a change: what is done since then is done while containers drain.
#[derive(Debug, Default)]
pub struct Confirmed(Mutex<Option<Instant>>);

impl Confirmed {
    fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Now, where a run before this one saw it.
    fn since(&self) -> Instant {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(Instant::now)
    }
}

impl std::fmt::Debug for Executor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("journal", self.journal).finish_non_exhaustive()
    }
}

/// A step that failed, and the last one that had begun then.
struct Failed {
    begun: Option<usize>,
    error: StepError,
}

impl Executor<'_> {
    pub async fn run(&self, plan: &Plan) -> Verdict {
        self.forward(plan, 0).await
    }

    /// Takes up a plan that an earlier run left.
    pub async fn resume(&self, plan: &Plan, resume: Resume) -> Verdict {
        match resume {
            Resume::Nothing { reached: true } => Verdict::Reached,
            Resume::Nothing { reached: false } => Verdict::Undone { because: failure::cut_off(), unrestored: None },
            // A machine that went down took along what was ready; what served before is what it keeps.
            Resume::Forward { from } if !self.journal.is_switched() && !self.still_run(plan, from).await => {
                self.undo_cut_off(plan, Some(from)).await
            }
            Resume::Forward { from } => self.forward(plan, from).await,
            Resume::Undo { begun } => self.undo_cut_off(plan, begun).await,
        }
    }

    async fn undo_cut_off(&self, plan: &Plan, begun: Option<usize>) -> Verdict {
        let unrestored = self.undo(plan, begun, true).await;
        Verdict::Undone { because: failure::cut_off(), unrestored }
    }

    /// Whether all to which a switch leads run; also where it cannot be undone.
    async fn still_run(&self, plan: &Plan, switch: usize) -> bool {
        let Some(Step::Route { containers, .. }) = plan.steps.get(switch) else { return true };
        for container in containers.iter().filter(|_| plan.can_undo(switch)) {
            if !self.engine.inspect(container).await.is_ok_and(|there| there.is_running()) {
                return false;
            }
        }
        true
    }

    async fn forward(&self, plan: &Plan, from: usize) -> Verdict {
        let (mut phase, mut short) = (None, None);
        for (index, step) in plan.steps.iter().enumerate().skip(from) {
            if index == plan.switch
                && !plan.can_undo(index)
                && let Err(error) = self.switch()
            {
                return self.give_up(plan, step, Failed { begun: index.checked_sub(1), error }).await;
            }
            if plan.clears_from() == Some(index) && short.is_none() {
                (self.report)(What::Done);
            }
            self.enter(&mut phase, step.phase());
            if !plan.can_undo(index) || self.journal.is_switched() {
                short = self.insist(index, step, short).await;
            } else if let Err(error) = self.attempt(plan, index, step).await {
                return self.give_up(plan, step, Failed { begun: Some(index), error }).await;
            }
        }
        if let Err(error) = self.switch() {
            let last = plan.steps.len().checked_sub(1);
            let step = plan.steps.last().unwrap_or(&Step::Withdraw);
            return self.give_up(plan, step, Failed { begun: last, error }).await;
        }
        self.note(Entry::Ended { reached: true });
        short.map_or(Verdict::Reached, |of| Verdict::Short { of })
    }

    /// A step that can be undone.
    async fn attempt(&self, plan: &Plan, index: usize, step: &Step) -> Result<(), StepError> {
        self.journal.write(Entry::Begun { step: index })?;
        act::perform(self, step).await?;
        if index == plan.switch {
            self.switch()?;
        }
        self.note(Entry::Done { step: index });
        Ok(())
    }

    /// From here on the new release is the live one, whatever happens.
    fn switch(&self) -> Result<(), StepError> {
        let holds = (self.holds)()?;
        Ok(self.journal.switch(holds.as_ref())?)
    }

    /// After the switch there is only one way. What cannot be done is told and left for the next deploy; what is removed
    /// need not have been stopped before.
    async fn insist(&self, index: usize, step: &Step, short: Option<Failure>) -> Option<Failure> {
        self.note(Entry::Begun { step: index });
        let done = self.see_through(step).await;
        self.note(Entry::Done { step: index });
        match done {
            Ok(()) if matches!(step, Step::Remove { .. }) => short.filter(|of| of.phase != Phase::Retiring),
            Ok(()) => short,
            Err(error) => {
                self.warn(failure::sentence(step, &error));
                // What was removed need not have been stopped, but routes that are left are no less left.
                let lasting = short.filter(|of| of.phase != Phase::Retiring);
                Some(lasting.unwrap_or(failure::of(self.engine, step, error).await))
            }
        }
    }

    async fn give_up(&self, plan: &Plan, step: &Step, failed: Failed) -> Verdict {
        let end_is_unknown = failed.error.leaves_end_unknown();
        let because = failure::of(self.engine, step, failed.error).await;
        (self.report)(What::Undoing { because: because.clone() });
        let unrestored = self.undo(plan, failed.begun, end_is_unknown).await;
        Verdict::Undone { because, unrestored }
    }

    /// `begun` is the last step that had begun. Where nobody knows its end the engine may still be at it, and would take
    /// away what is started again, or make what was removed; so that is seen to its end first. Tells why what was there
    /// before may not serve again.
    async fn undo(&self, plan: &Plan, begun: Option<usize>, end_is_unknown: bool) -> Option<String> {
        let mut phase = None;
        self.enter(&mut phase, Phase::Undoing);
        self.announce_undo(plan, begun).await;
        if let Some(step) = begun.and_then(|index| plan.steps.get(index)).filter(|_| end_is_unknown) {
            self.see_to_its_end(step).await;
        }
        let mut unrestored = None;
        for step in plan.undo_after(begun) {
            let Err(error) = self.see_through(step).await else { continue };
            let sentence = failure::sentence(step, &error);
            self.warn(sentence.clone());
            if step.brings_back() {
                unrestored.get_or_insert(sentence);
            }
            if step.is_switch() {
                self.warn("requests may still go to the new containers, so these are left".to_owned());
                break;
            }
        }
        self.note(Entry::Ended { reached: false });
        unrestored
    }

    fn enter(&self, current: &mut Option<Phase>, phase: Phase) {
        if current.replace(phase) != Some(phase) {
            (self.report)(What::Phase { phase });
        }
    }

    /// For entries whose loss only costs a repetition.
    fn note(&self, entry: Entry) {
        if let Err(error) = self.journal.note(entry) {
            self.warn(format!("the journal could not be written: {error}"));
        }
    }

    fn warn(&self, message: String) {
        (self.report)(What::Warning { message });
    }
}

impl StepError {
    /// Whether the engine may still be doing what it was told.
    fn leaves_end_unknown(&self) -> bool {
        matches!(self, StepError::Engine { source: EngineError::Unreachable { .. } | EngineError::TimedOut { .. }, .. })
    }

    fn is_full_disk(&self) -> bool {
        match self {
            StepError::Engine { source, .. } => matches!(source, EngineError::Full { .. }),
            StepError::Router(error) => error.is_full_disk(),
            StepError::Journal(error) => matches!(error, StoreError::Full { .. }),
            StepError::NotReady { .. } | StepError::Command { .. } => false,
        }
    }
}
