//! The page with a server's disks: how full they are, what of it is ours, and what may go.

use std::cmp::Reverse;

use mypaas::api::{DiskView, Problem, Reclaimable, ServiceDisk};
use mypaas::name::ServerName;

use super::Ticket;
use super::dialog::{Choice, Load, Stage};

#[derive(Debug, Clone)]
pub(crate) struct Disk {
    pub server: ServerName,
    /// What was read last; it stays, with its age, where it cannot be read anew.
    pub known: Option<Box<DiskView>>,
    /// Why it could not be read the last time.
    pub problem: Option<Problem>,
    /// Another one has it read anew.
    pub reading: Ticket,
    pub is_awaited: bool,
    pub cursor: usize,
}

/// The removal of what may go waits for a yes.
#[derive(Debug, Clone)]
pub(crate) struct PruneConfirm {
    pub server: ServerName,
    /// As read when it was asked. Nobody says yes to what is not known yet.
    pub what: Load<Reclaimable>,
    pub reading: Ticket,
    pub stage: Stage,
    /// Of the removal that was asked for.
    pub ticket: Option<Ticket>,
    pub scroll: usize,
}

impl Disk {
    pub(crate) fn of(server: ServerName, reading: Ticket) -> Self {
        Self { server, known: None, problem: None, reading, is_awaited: true, cursor: 0 }
    }

    pub(crate) fn read_anew(&mut self, reading: Ticket) {
        self.reading = reading;
        self.is_awaited = true;
    }

    /// The selection stays with its service.
    pub(crate) fn take(&mut self, result: Result<Box<DiskView>, Problem>) {
        self.is_awaited = false;
        let selected = self.selected().map(|line| line.service.clone());
        match result {
            Ok(mut view) => {
                view.services.sort_by_key(|line| (Reverse(takes(line)), line.service.clone()));
                self.known = Some(view);
                self.problem = None;
            }
            Err(problem) => self.problem = Some(problem),
        }
        let place = selected.and_then(|name| self.lines().iter().position(|line| line.service == name));
        self.cursor = place.unwrap_or(self.cursor).min(self.last());
    }

    /// What each service takes, the most first.
    pub(crate) fn lines(&self) -> &[ServiceDisk] {
        self.known.as_ref().map_or(&[], |view| &view.services)
    }

    pub(crate) fn selected(&self) -> Option<&ServiceDisk> {
        self.lines().get(self.cursor)
    }

    pub(crate) fn last(&self) -> usize {
        self.lines().len().saturating_sub(1)
    }

    /// As far as is known, there is something that may go.
    pub(crate) fn has_something_to_prune(&self) -> bool {
        self.known.as_ref().is_some_and(|view| !view.reclaimable.what.is_empty())
    }
}

fn takes(line: &ServiceDisk) -> u64 {
    line.images_bytes.saturating_add(line.contexts_bytes)
}

impl PruneConfirm {
    pub(crate) fn of(server: ServerName, reading: Ticket) -> Self {
        let stage = Stage::Deciding(Choice::default());
        Self { server, what: Load::Waiting, reading, stage, ticket: None, scroll: 0 }
    }

    pub(crate) fn can_do(&self) -> bool {
        self.what.ready().is_some_and(|reclaimable| !reclaimable.what.is_empty())
    }

    /// Once it was shown it stays as it is: nobody reads twice what a yes means.
    pub(crate) fn take(&mut self, result: &Result<Box<DiskView>, Problem>) {
        if self.what.ready().is_none() {
            self.what = Load::of(match result {
                Ok(view) => view.problem.clone().map_or_else(|| Ok(view.reclaimable.clone()), Err),
                Err(problem) => Err(problem.clone()),
            });
        }
    }
}
