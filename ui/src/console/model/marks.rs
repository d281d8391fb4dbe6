//! Services that are marked, so that an action is about all of them.

use std::collections::BTreeSet;

use mypaas::api::ServiceView;

use super::fleet::{Fleet, ServerEntry, ServiceAt};

#[derive(Debug, Clone, Default)]
pub(crate) struct Marks(BTreeSet<ServiceAt>);

impl Marks {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &ServiceAt> {
        self.0.iter()
    }

    pub(crate) fn has(&self, server: &ServerEntry, service: &ServiceView) -> bool {
        self.0.iter().any(|at| at.service == service.name && at.server == server.name)
    }

    pub(crate) fn unmark(&mut self, at: &ServiceAt) {
        self.0.remove(at);
    }

    pub(crate) fn turn(&mut self, at: ServiceAt) {
        if !self.0.remove(&at) {
            self.0.insert(at);
        }
    }

    /// Marks all of these, or none of them when all are marked already.
    pub(crate) fn turn_all(&mut self, all: &[ServiceAt]) {
        if all.iter().all(|at| self.0.contains(at)) {
            self.0.retain(|at| !all.contains(at));
        } else {
            self.0.extend(all.iter().cloned());
        }
    }

    /// A service that is gone is not marked any more; one whose server is silent still is.
    pub(crate) fn keep_known(&mut self, fleet: &Fleet) {
        self.0.retain(|at| fleet.service(at).is_some());
    }
}
