//! What was intended and what was done, on disk before and after each act, so that the next start can finish or undo
//! what a crash cut off.
//!
//! ```text
//!             Begun 0 … Done 0 … Switched … Begun n … Done n
//!   Planned ──────────────────────────────────────────────────► Ended
//!        └────────────► Undoing ──────────────────────────────────┘
//! ```
//!
//! Once it says `Switched`, and not before, the deploy goes forward whatever happens. What holds for the service from
//! there on is written together with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use crate::name::DeployId;
use crate::store::{Lasts, Log, ServiceRecord, Store, StoreError, Writer};

/// Entries read at once. A deploy has some ten steps, but a server that dies again and again begins one many times.
const PAGE: u32 = 500;

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
    Switched,
    Undoing,
    /// Either what was desired is there, or what was there before.
    Ended {
        reached: bool,
    },
}

/// How far a deploy had come, by its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub station: Station,
    pub switched: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Station {
    Planned,
    Begun(usize),
    Done(usize),
    /// After this step had begun; none when no step had.
    Undoing(Option<usize>),
    Ended {
        reached: bool,
    },
}

impl Station {
    /// The last step that had begun.
    fn begun(self) -> Option<usize> {
        match self {
            Station::Begun(step) | Station::Done(step) => Some(step),
            Station::Undoing(begun) => begun,
            Station::Planned | Station::Ended { .. } => None,
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
    let illegal = || IllegalEntry {
        after: progress.map_or("nothing".to_owned(), |progress| format!("{progress:?}")),
        entry: entry.name(),
    };
    let Some(Progress { station, switched }) = progress else {
        let is_first = matches!(entry, Entry::Planned { .. });
        return is_first.then_some(Progress { station: Station::Planned, switched: false }).ok_or_else(illegal);
    };
    let at = |station| Ok(Progress { station, switched });
    match (station, entry) {
        (Station::Planned, Entry::Begun { step: 0 }) => at(Station::Begun(0)),
        (Station::Begun(begun), Entry::Done { step }) if begun == *step => at(Station::Done(begun)),
        (Station::Done(done), Entry::Begun { step }) if done + 1 == *step => at(Station::Begun(*step)),
        // A step that a crash cut off begins again.
        (Station::Begun(begun), Entry::Begun { step }) if begun == *step => at(Station::Begun(begun)),
        (Station::Planned | Station::Begun(_) | Station::Done(_), Entry::Switched) if !switched => {
            Ok(Progress { station, switched: true })
        }
        // A crash may come between the steps of the undoing too; then it is undone again.
        (Station::Planned | Station::Begun(_) | Station::Done(_) | Station::Undoing(_), Entry::Undoing)
            if !switched =>
        {
            at(Station::Undoing(station.begun()))
        }
        (Station::Undoing(_), Entry::Ended { reached: false }) => at(Station::Ended { reached: false }),
        (Station::Planned | Station::Done(_), Entry::Ended { reached: true }) if switched => {
            at(Station::Ended { reached: true })
        }
        _ => Err(illegal()),
    }
}

impl Entry {
    fn name(&self) -> String {
        match self {
            Entry::Planned { .. } => "a plan".to_owned(),
            other => format!("{other:?}"),
        }
    }
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
    let Progress { station, switched } = progress;
    match station {
        Station::Ended { reached } => Resume::Nothing { reached },
        Station::Begun(step) if switched => Resume::Forward { from: step },
        Station::Done(step) if switched => Resume::Forward { from: step + 1 },
        Station::Planned if switched => Resume::Forward { from: 0 },
        // Requests may follow the new routes already, and what they lead to is ready.
        Station::Begun(step) if step == plan.switch && plan.steps[step].is_switch() => Resume::Forward { from: step },
        _ => Resume::Undo { begun: station.begun() },
    }
}

/// The journal of one deploy.
#[derive(Debug)]
pub struct Journal {
    writer: Writer<Entry>,
    switched: AtomicBool,
}

impl Journal {
    /// Writes the intent, before the first act.
    pub fn begin(store: Arc<Store>, plan: &Plan) -> Result<Self, StoreError> {
        let writer = Writer::after(0, store, Log::Journal, plan.deploy);
        let journal = Self { writer, switched: AtomicBool::new(false) };
        journal.write(Entry::Planned { plan: plan.clone() })?;
        Ok(journal)
    }

    /// The journal that an earlier run left, with its plan; none when nothing was planned yet.
    pub fn open(store: Arc<Store>, deploy: DeployId) -> Result<Option<(Self, Plan, Progress)>, JournalError> {
        let (mut progress, mut plan, mut count) = (None, None, 0);
        loop {
            let entries: Vec<Entry> = store.read(Log::Journal, deploy, count + 1, PAGE)?;
            count += entries.len() as u64;
            let is_last = entries.len() < PAGE as usize;
            for entry in entries {
                progress = Some(next(progress, &entry)?);
                if let Entry::Planned { plan: found } = entry {
                    plan = Some(found);
                }
            }
            if is_last {
                break;
            }
        }
        let writer = Writer::after(count, store, Log::Journal, deploy);
        let (Some(progress), Some(plan)) = (progress, plan) else { return Ok(None) };
        let switched = AtomicBool::new(progress.switched);
        Ok(Some((Self { writer, switched }, plan, progress)))
    }

    /// Returns when it is on disk.
    pub fn write(&self, entry: Entry) -> Result<(), StoreError> {
        self.writer.write(Lasts::AtOnce, |_| entry)
    }

    /// From here on the deploy goes forward, and this holds for the service, if anything new does; both is on disk, or
    /// neither. Doing it twice is doing it once.
    pub fn switch(&self, holds: Option<&ServiceRecord>) -> Result<(), StoreError> {
        if !self.is_switched() {
            self.writer.write_with(holds, Lasts::AtOnce, |_| Entry::Switched)?;
            self.switched.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    pub fn is_switched(&self) -> bool {
        self.switched.load(Ordering::Relaxed)
    }

    /// For an entry whose loss only costs a repetition. When it cannot be written now, it is written before the next.
    pub fn note(&self, entry: Entry) -> Result<(), StoreError> {
        // That an undoing has begun means more: without it a half of it would be taken for a deploy that may go on.
        let lasts = if matches!(entry, Entry::Undoing) { Lasts::AtOnce } else { Lasts::WithTheNext };
        self.writer.note(lasts, |_| entry)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("the journal cannot be read")]
    Store(#[from] StoreError),
    #[error("the journal is not one that a deploy writes")]
    Illegal(#[from] IllegalEntry),
}

impl JournalError {
    /// It will not be read at another time either.
    pub fn is_for_good(&self) -> bool {
        matches!(self, JournalError::Illegal(_) | JournalError::Store(StoreError::Record { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn station(entries: &[Entry]) -> Result<Station, IllegalEntry> {
        let planned = Progress { station: Station::Planned, switched: false };
        entries.iter().try_fold(planned, |progress, entry| next(Some(progress), entry)).map(|reached| reached.station)
    }

    #[test]
    fn an_undoing_remembers_which_step_may_be_half_done() {
        let (begun, done) = (Entry::Begun { step: 0 }, Entry::Done { step: 0 });
        let half = [begun.clone(), Entry::Undoing, Entry::Undoing];
        assert_eq!(station(&half), Ok(Station::Undoing(Some(0))));
        assert_eq!(station(&[begun, done, Entry::Undoing]), Ok(Station::Undoing(Some(0))));
    }

    #[test]
    fn a_deploy_that_switched_is_not_undone_and_one_that_did_not_has_not_reached_its_goal() {
        let reached = Entry::Ended { reached: true };
        assert_eq!(station(&[Entry::Switched, reached.clone()]), Ok(Station::Ended { reached: true }));
        for illegal in [vec![Entry::Switched, Entry::Undoing], vec![Entry::Switched; 2], vec![reached]] {
            assert!(station(&illegal).is_err(), "{illegal:?}");
        }
    }
}
