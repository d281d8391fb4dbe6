//! Whoever changes the containers of a service does it alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::name::ServiceName;

/// One turn a service.
#[derive(Debug, Default)]
pub(in crate::server) struct Turns(Mutex<HashMap<ServiceName, Arc<tokio::sync::Mutex<()>>>>);

/// Until it is dropped, nobody else's turn begins.
pub(in crate::server) type Turn = OwnedMutexGuard<()>;

impl Turns {
    /// Waits for the one who has it now.
    pub(super) async fn take(&self, service: &ServiceName) -> Turn {
        self.of(service).lock_owned().await
    }

    /// None while somebody has it.
    pub(super) fn take_if_free(&self, service: &ServiceName) -> Option<Turn> {
        self.of(service).try_lock_owned().ok()
    }

    pub(super) fn is_free(&self, service: &ServiceName) -> bool {
        self.take_if_free(service).is_some()
    }

    fn of(&self, service: &ServiceName) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.lock();
        // Services come and go.
        turns.retain(|known, turn| known == service || Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(service.clone()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ServiceName, Arc<tokio::sync::Mutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_has_the_turn_of_a_service_and_others_that_of_others() {
        let (web, api) = ("web".parse().unwrap(), "api".parse().unwrap());
        let turns = Turns::default();
        let first = turns.take(&web).await;
        assert!(turns.take_if_free(&web).is_none() && turns.take_if_free(&api).is_some());
        drop(first);
        assert!(turns.take_if_free(&web).is_some());
        assert_eq!(turns.lock().len(), 1, "those that nobody has are forgotten");
    }
}
