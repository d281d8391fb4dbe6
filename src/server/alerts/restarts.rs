//! How often containers died of late: the engine tells only how often they ever did.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::api::Snapshot;
use crate::name::ContainerName;

/// What was before does not count.
pub(super) const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// More are not counted.
const MOST: usize = 100;

#[derive(Debug, Default)]
pub(super) struct Restarts {
    containers: BTreeMap<ContainerName, Known>,
}

#[derive(Debug, Default)]
struct Known {
    count: u32,
    at: VecDeque<Timestamp>,
}

impl Restarts {
    pub(super) fn see(&mut self, snapshot: &Snapshot, now: Timestamp) {
        let mut before = std::mem::take(&mut self.containers);
        for container in snapshot.services.iter().flat_map(|service| &service.containers) {
            let mut known = match before.remove(&container.name) {
                // One that was made anew counts from nothing.
                Some(known) if known.count <= container.restarts => known,
                _ => Known { count: container.restarts, at: VecDeque::new() },
            };
            let new = (container.restarts - known.count) as usize;
            known.at.extend(std::iter::repeat_n(now, new.min(MOST)));
            known.count = container.restarts;
            // They would stay for as long as the clock was ahead.
            known.at.retain(|at| *at <= now);
            while known.at.len() > MOST || known.at.front().is_some_and(|at| now.duration_since(*at) > WINDOW) {
                known.at.pop_front();
            }
            self.containers.insert(container.name.clone(), known);
        }
    }

    /// Within the window.
    pub(super) fn of(&self, container: &ContainerName) -> usize {
        self.containers.get(container).map_or(0, |known| known.at.len())
    }
}
