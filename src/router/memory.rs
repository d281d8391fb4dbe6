//! The router's in-memory twin: it keeps what it was told, in order, and fails on request.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{Result, Router, RouterError, RouterInfo, Routes};
use crate::name::ServiceName;

/// A router without a network. Share it to see, from the next server's view, what the last one left.
#[derive(Debug, Default)]
pub struct MemoryRouter {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    routes: BTreeMap<ServiceName, Routes>,
    changes: Vec<Change>,
    calls: u64,
    faults: BTreeMap<u64, Fault>,
}

/// One change that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Applied(Routes),
    Withdrawn(ServiceName),
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The router does not answer; nothing changes.
    Unreachable,
    /// The router finds an error; nothing changes.
    Refused,
    /// The change takes effect, but the caller is told that it was not seen to.
    LostAnswer,
    /// It takes so long, and then succeeds.
    Delay(Duration),
    /// The call never ends; nothing changes.
    Hang,
}

impl MemoryRouter {
    pub fn new() -> Self {
        Self::default()
    }

    /// The call with this number, counted from one over all calls, meets the fault.
    pub fn fault(&self, call: u64, fault: Fault) {
        self.lock().faults.insert(call, fault);
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// All changes that took effect, in order.
    pub fn changes(&self) -> Vec<Change> {
        self.lock().changes.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Inner is changed in single steps, so it is whole also after a panic elsewhere.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the call and lets its fault happen; a lost answer is for the caller to lose, after the change.
    async fn call(&self, service: Option<&ServiceName>) -> Result<Answer> {
        let fault = {
            let mut inner = self.lock();
            inner.calls += 1;
            let number = inner.calls;
            inner.faults.remove(&number)
        };
        match fault {
            None => Ok(Answer::Given),
            Some(Fault::Delay(time)) => {
                tokio::time::sleep(time).await;
                Ok(Answer::Given)
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::LostAnswer) => Ok(Answer::Lost),
            Some(Fault::Refused) => match service {
                Some(service) => Err(RouterError::Refused { service: service.clone(), detail: "as asked".to_owned() }),
                None => Err(unreachable_router()),
            },
            Some(Fault::Unreachable) => Err(unreachable_router()),
        }
    }

    fn change(&self, change: Change) {
        let mut inner = self.lock();
        match &change {
            Change::Applied(routes) => inner.routes.insert(routes.service.clone(), routes.clone()),
            Change::Withdrawn(service) => inner.routes.remove(service),
        };
        inner.changes.push(change);
    }
}

enum Answer {
    Given,
    Lost,
}

impl Answer {
    fn about(self, service: &ServiceName) -> Result<()> {
        match self {
            Answer::Given => Ok(()),
            Answer::Lost => Err(RouterError::Unconfirmed {
                service: service.clone(),
                limit: Duration::ZERO,
                detail: "the answer was lost, as asked".to_owned(),
            }),
        }
    }
}

fn unreachable_router() -> RouterError {
    RouterError::Unreachable { endpoint: "memory".to_owned(), source: "as asked".into() }
}

fn info() -> RouterInfo {
    RouterInfo { name: "memory".to_owned(), version: "1".to_owned(), http_port: 80, https_port: 443 }
}

#[async_trait]
impl Router for MemoryRouter {
    async fn ensure_running(&self) -> Result<RouterInfo> {
        self.call(None).await?;
        Ok(info())
    }

    async fn apply(&self, routes: &Routes) -> Result<()> {
        let answer = self.call(Some(&routes.service)).await?;
        self.change(Change::Applied(routes.clone()));
        answer.about(&routes.service)
    }

    async fn withdraw(&self, service: &ServiceName) -> Result<()> {
        let answer = self.call(Some(service)).await?;
        self.change(Change::Withdrawn(service.clone()));
        answer.about(service)
    }

    async fn routes(&self) -> Result<Vec<Routes>> {
        self.call(None).await?;
        Ok(self.lock().routes.values().cloned().collect())
    }

    async fn info(&self) -> Result<RouterInfo> {
        self.call(None).await?;
        Ok(info())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(service: &str) -> Routes {
        Routes { service: service.parse().unwrap(), urls: vec![], targets: vec![], healthcheck: None, hold: None }
    }

    #[tokio::test]
    async fn changes_are_kept_in_order() {
        let router = MemoryRouter::new();
        let (a, b) = (routes("a"), routes("b"));
        router.apply(&b).await.unwrap();
        router.apply(&a).await.unwrap();
        router.withdraw(&b.service).await.unwrap();
        let expected = [Change::Applied(b.clone()), Change::Applied(a), Change::Withdrawn(b.service)];
        assert_eq!(router.changes(), expected);
        assert_eq!(router.calls(), 3);
    }

    #[tokio::test]
    async fn a_fault_meets_its_call_and_no_other() {
        let router = MemoryRouter::new();
        router.fault(2, Fault::Refused);
        router.fault(3, Fault::Unreachable);
        router.apply(&routes("a")).await.unwrap();
        assert!(matches!(router.apply(&routes("b")).await, Err(RouterError::Refused { .. })));
        assert!(matches!(router.withdraw(&routes("a").service).await, Err(RouterError::Unreachable { .. })));
        assert_eq!(router.routes().await.unwrap(), [routes("a")]);
    }

    #[tokio::test]
    async fn after_a_lost_answer_the_change_is_there() {
        let router = MemoryRouter::new();
        router.fault(1, Fault::LostAnswer);
        assert!(matches!(router.apply(&routes("a")).await, Err(RouterError::Unconfirmed { .. })));
        assert_eq!(router.routes().await.unwrap(), [routes("a")]);
    }

    #[tokio::test]
    async fn a_call_that_hangs_changes_nothing() {
        let router = MemoryRouter::new();
        router.fault(1, Fault::Hang);
        let a = routes("a");
        assert!(tokio::time::timeout(Duration::from_millis(10), router.apply(&a)).await.is_err());
        assert_eq!(router.changes(), []);
    }
}
