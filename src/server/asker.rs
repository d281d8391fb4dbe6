//! On whose behalf something is asked for: what they may have done, and of which services they may hear.

use std::collections::BTreeSet;

use super::gate::{About, Caller, Note};
use crate::api::Problem;
use crate::deploy::Action;
use crate::name::ServiceName;

/// Whoever asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    caller: Option<&'a Caller>,
    note: Option<&'a Note>,
}

impl<'a> Asker<'a> {
    /// The server itself, which may do everything.
    pub(super) const SERVER: Asker<'static> = Asker { caller: None, note: None };

    pub(super) fn new(caller: &'a Caller, note: &'a Note) -> Self {
        Self { caller: Some(caller), note: Some(note) }
    }

    /// Whether they may have this done; that they asked for it is noted.
    pub(super) fn may(self, service: &ServiceName, action: &Action) -> Result<(), Problem> {
        if let Some(note) = self.note {
            note.tell(About { service: Some(service.clone()), action: Some(action.clone()), ..About::default() });
        }
        self.caller.map_or(Ok(()), |caller| caller.check(service))
    }

    pub(super) fn hears_of(self, service: &ServiceName) -> bool {
        self.caller.is_none_or(|caller| caller.sees(service))
    }

    /// Who it is and what is theirs, when they are limited to some services.
    pub(super) fn limited(self) -> Option<(&'a Caller, &'a BTreeSet<ServiceName>)> {
        let caller = self.caller?;
        Some((caller, caller.rights.services.as_ref()?))
    }
}
