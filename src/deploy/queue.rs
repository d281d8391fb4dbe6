//! Which deploy may run: one a service at a time; the newest that waits is next, and takes the place of one that
//! waited before it. Deploys of different services do not wait for each other.

use std::collections::BTreeMap;

use crate::name::{DeployId, ServiceName};

/// What became of a deploy that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Runs,
    Waits { behind: DeployId, supersedes: Option<DeployId> },
}

#[derive(Debug, Default)]
pub struct Queue {
    lanes: BTreeMap<ServiceName, Lane>,
}

#[derive(Debug)]
struct Lane {
    runs: DeployId,
    waits: Option<DeployId>,
}

impl Queue {
    pub fn admit(&mut self, service: &ServiceName, id: DeployId) -> Admission {
        match self.lanes.get_mut(service) {
            None => {
                self.lanes.insert(service.clone(), Lane { runs: id, waits: None });
                Admission::Runs
            }
            Some(lane) => Admission::Waits { behind: lane.runs, supersedes: lane.waits.replace(id) },
        }
    }

    /// The running deploy of the service ended; returns the one that runs now.
    pub fn finish(&mut self, service: &ServiceName) -> Option<DeployId> {
        let lane = self.lanes.get_mut(service)?;
        match lane.waits.take() {
            Some(next) => {
                lane.runs = next;
                Some(next)
            }
            None => {
                self.lanes.remove(service);
                None
            }
        }
    }

    /// Takes out a deploy that waits; false when it does not.
    pub fn withdraw(&mut self, service: &ServiceName, id: DeployId) -> bool {
        let waiting = self.lanes.get_mut(service).map(|lane| &mut lane.waits);
        waiting.is_some_and(|waits| waits.take_if(|waiting| *waiting == id).is_some())
    }

    /// Takes out all that wait, to be told that they will not run.
    pub fn drop_waiting(&mut self) -> Vec<DeployId> {
        self.lanes.values_mut().filter_map(|lane| lane.waits.take()).collect()
    }

    pub fn is_idle(&self) -> bool {
        self.lanes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn d(number: u64) -> DeployId {
        DeployId::new(number)
    }

    #[test]
    fn the_newest_waiting_deploy_wins() {
        let web: ServiceName = "web".parse().unwrap();
        let mut queue = Queue::default();
        assert_eq!(queue.admit(&web, d(1)), Admission::Runs);
        assert_eq!(queue.admit(&web, d(2)), Admission::Waits { behind: d(1), supersedes: None });
        assert_eq!(queue.admit(&web, d(3)), Admission::Waits { behind: d(1), supersedes: Some(d(2)) });
        assert_eq!(queue.finish(&web), Some(d(3)));
        assert_eq!(queue.finish(&web), None);
        assert!(queue.is_idle());
    }

    #[test]
    fn services_do_not_wait_for_each_other() {
        let mut queue = Queue::default();
        assert_eq!(queue.admit(&"rob".parse().unwrap(), d(1)), Admission::Runs);
        assert_eq!(queue.admit(&"rob.api".parse().unwrap(), d(2)), Admission::Runs);
    }

    proptest! {
        /// Every deploy that is handed in runs, is superseded, or waits: none is lost, none runs twice, and no two of
        /// a service run at once.
        #[test]
        fn no_deploy_is_lost(acts in proptest::collection::vec((0_u8..3, any::<bool>()), 0..60)) {
            let mut queue = Queue::default();
            let mut running: BTreeMap<u8, DeployId> = BTreeMap::new();
            let (mut handed_in, mut ran, mut superseded) = (0_u64, 0_u64, 0_u64);
            for (which, finishes) in acts {
                let service: ServiceName = format!("s{which}").parse().unwrap();
                if finishes {
                    if running.remove(&which).is_some()
                        && let Some(next) = queue.finish(&service)
                    {
                        ran += 1;
                        running.insert(which, next);
                    }
                    continue;
                }
                handed_in += 1;
                match queue.admit(&service, d(handed_in)) {
                    Admission::Runs => {
                        ran += 1;
                        prop_assert!(running.insert(which, d(handed_in)).is_none());
                    }
                    Admission::Waits { behind, supersedes } => {
                        prop_assert_eq!(running.get(&which), Some(&behind));
                        superseded += u64::from(supersedes.is_some());
                    }
                }
            }
            let waiting = queue.drop_waiting().len() as u64;
            prop_assert_eq!(handed_in, ran + superseded + waiting);
        }
    }
}
