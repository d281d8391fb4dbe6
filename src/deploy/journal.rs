//! What was intended and what was done, on disk before and after each act, so that the next start can finish or undo
//! what a crash cut off.
//!
//! ```text
//!             Begun 0 … Done 0 … Begun n … Done n
//!   Planned ───────────────────────────────────────► Ended
//!        └────────────► Undoing ───────────────────────┘
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use crate::name::DeployId;
use crate::store::{Log, Store, StoreError};

/// A deploy has at most some ten steps; a journal longer than this is not one of ours.
const LONGEST: u32 = 1000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    Planned {
        plan: Plan,
    },
    Begun {
        step: usize,
    },
    Done {
        step: usize,
    },
    Undoing,
    /// Either what was desired is there, or what was there before.
    Ended {
        reached: bool,
    },
}

/// How far a deploy had come, by its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Planned,
    Begun(usize),
    Done(usize),
    /// After this step had begun; none when no step had.
    Undoing(Option<usize>),
    Ended {
        reached: bool,
    },
}

impl Progress {
    /// The last step that had begun.
    fn begun(self) -> Option<usize> {
        match self {
            Progress::Begun(step) | Progress::Done(step) => Some(step),
            Progress::Undoing(begun) => begun,
            Progress::Planned | Progress::Ended { .. } => None,
        }
    }
}

/// Entries in an order that no deploy writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the journal has {entry} after {after}")]
pub struct IllegalEntry {
    after: String,
    entry: String,
}

/// The one table of legal transitions; none as the first argument is the empty journal.
pub fn next(progress: Option<Progress>, entry: &Entry) -> Result<Progress, IllegalEntry> {
    match (progress, entry) {
        (None, Entry::Planned { .. }) => Ok(Progress::Planned),
        (Some(Progress::Planned), Entry::Begun { step: 0 }) => Ok(Progress::Begun(0)),
        (Some(Progress::Begun(begun)), Entry::Done { step }) if begun == *step => Ok(Progress::Done(begun)),
        (Some(Progress::Done(done)), Entry::Begun { step }) if done + 1 == *step => Ok(Progress::Begun(*step)),
        // A step that a crash cut off begins again.
        (Some(Progress::Begun(begun)), Entry::Begun { step }) if begun == *step => Ok(Progress::Begun(begun)),
        (Some(Progress::Ended { .. }) | None, entry) => Err(illegal(progress, entry)),
        // A crash may come between the steps of the undoing too; then it is undone again.
        (Some(progress), Entry::Undoing) => Ok(Progress::Undoing(progress.begun())),
        (Some(Progress::Undoing(_)), Entry::Ended { reached: false })
        | (Some(Progress::Planned | Progress::Done(_)), Entry::Ended { reached: true }) => {
            Ok(Progress::Ended { reached: matches!(entry, Entry::Ended { reached: true }) })
        }
        (Some(_), entry) => Err(illegal(progress, entry)),
    }
}

fn illegal(progress: Option<Progress>, entry: &Entry) -> IllegalEntry {
    let entry = match entry {
        Entry::Planned { .. } => "a plan".to_owned(),
        other => format!("{other:?}"),
    };
    IllegalEntry { after: progress.map_or("nothing".to_owned(), |p| format!("{p:?}")), entry }
}

/// What the next start has to do with a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// It was at its end already.
    Nothing { reached: bool },
    /// This step had begun; none when no step had.
    Undo { begun: Option<usize> },
    /// Go on with this step.
    Forward { from: usize },
}

pub fn resume(plan: &Plan, progress: Progress) -> Resume {
    let reached = match progress {
        Progress::Ended { reached } => return Resume::Nothing { reached },
        Progress::Undoing(begun) => return Resume::Undo { begun },
        Progress::Planned => 0,
        Progress::Begun(step) => step,
        Progress::Done(step) => step + 1,
    };
    let switching = matches!(progress, Progress::Begun(_)) || reached > plan.switch || plan.switch == 0;
    if reached >= plan.switch && switching {
        Resume::Forward { from: reached }
    } else {
        Resume::Undo { begun: progress.begun() }
    }
}

/// The journal of one deploy.
#[derive(Debug)]
pub struct Journal {
    store: Arc<Store>,
    deploy: DeployId,
    last: AtomicU64,
}

impl Journal {
    /// Writes the intent, before the first act.
    pub fn begin(store: Arc<Store>, plan: &Plan) -> Result<Self, StoreError> {
        let journal = Self { store, deploy: plan.deploy, last: AtomicU64::new(0) };
        journal.write(&Entry::Planned { plan: plan.clone() })?;
        Ok(journal)
    }

    /// The journal that an earlier run left, with its plan; none when nothing was planned yet.
    pub fn open(store: Arc<Store>, deploy: DeployId) -> Result<Option<(Self, Plan, Progress)>, JournalError> {
        let entries: Vec<Entry> = store.read(Log::Journal, deploy, 1, LONGEST)?;
        let mut progress = None;
        for entry in &entries {
            progress = Some(next(progress, entry)?);
        }
        let last = AtomicU64::new(entries.len() as u64);
        let first = entries.into_iter().next();
        let (Some(progress), Some(Entry::Planned { plan })) = (progress, first) else { return Ok(None) };
        Ok(Some((Self { store, deploy, last }, plan, progress)))
    }

    pub fn write(&self, entry: &Entry) -> Result<(), StoreError> {
        let seq = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.store.append(Log::Journal, self.deploy, seq, entry)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("the journal cannot be read")]
    Store(#[from] StoreError),
    #[error("the journal is not one that a deploy writes")]
    Illegal(#[from] IllegalEntry),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(entries: &[Entry]) -> Progress {
        let follow = |progress, entry| next(progress, entry).map(Some).unwrap();
        entries.iter().fold(Some(Progress::Planned), follow).unwrap()
    }

    #[test]
    fn an_undoing_remembers_which_step_may_be_half_done() {
        let (begun, done) = (Entry::Begun { step: 0 }, Entry::Done { step: 0 });
        let half = [begun.clone(), Entry::Undoing, Entry::Undoing];
        assert_eq!(progress(&half), Progress::Undoing(Some(0)));
        assert_eq!(progress(&[begun, done, Entry::Undoing]), Progress::Undoing(Some(0)));
    }
}
