//! The router's in-memory twin: it keeps what it was told, in order, and fails on request.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{ApiRoute, Certificates, Counts, Result, Router, RouterError, RouterInfo, Routes};
use crate::name::ServiceName;

/// A router without a network. Share it to see what one server left to the next.
#[derive(Debug, Default)]
pub struct MemoryRouter {
    inner: Mutex<Inner>,
    hung: watch::Sender<bool>,
}

#[derive(Debug)]
struct Inner {
    api: Option<ApiRoute>,
    api_status: u16,
    routes: BTreeMap<ServiceName, Routes>,
    changes: Vec<Change>,
    calls: Vec<Call>,
    faults: BTreeMap<u64, Fault>,
    certificates: Certificates,
    traffic: BTreeMap<ServiceName, Counts>,
    /// Since when services that have routes get requests by themselves.
    busy_since: Option<Instant>,
}

impl Default for Inner {
    /// The server is reached.
    fn default() -> Self {
        Self {
            api: None,
            api_status: 200,
            routes: BTreeMap::new(),
            changes: Vec::new(),
            calls: Vec::new(),
            faults: BTreeMap::new(),
            certificates: Certificates::default(),
            traffic: BTreeMap::new(),
            busy_since: None,
        }
    }
}

/// One change that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Applied(Routes),
    Withdrawn(ServiceName),
}

/// One call of the router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Counted from one.
    pub number: u64,
    /// As in `apply`.
    pub action: &'static str,
    /// The service, where it is about one.
    pub service: Option<ServiceName>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action)?;
        self.service.as_ref().map_or(Ok(()), |service| write!(f, " {service}"))
    }
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens, and the call fails.
    Error,
    /// It happens, and the call fails all the same.
    ErrorAfterEffect,
    /// Nothing happens, and the call never returns. The caller is to be killed meanwhile.
    Hang,
    /// It happens, and the call never returns.
    HangAfterEffect,
    /// It happens later.
    Delay(Duration),
}

impl MemoryRouter {
    pub fn new() -> Self {
        Self::default()
    }

    /// What those get from now on who ask for the server's API.
    pub fn answer_for_api(&self, status: u16) {
        self.lock().api_status = status;
    }

    /// The call with this number, counted from one over the router's life, meets the fault.
    pub fn fault_at(&self, call: u64, fault: Fault) {
        self.lock().faults.insert(call, fault);
    }

    /// What is known of certificates from now on.
    pub fn set_certificates(&self, certificates: Certificates) {
        self.lock().certificates = certificates;
    }

    /// What was counted of a service's requests by now.
    pub fn set_traffic(&self, service: &ServiceName, counts: Counts) {
        self.lock().traffic.insert(service.clone(), counts);
    }

    /// From now on services that have routes get requests, each as many as suits its name.
    pub fn be_busy(&self) {
        self.lock().busy_since = Some(Instant::now());
    }

    /// What was planned and has not come yet will not come.
    pub fn forget_faults(&self) {
        self.lock().faults.clear();
    }

    /// All calls, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// All changes that took effect, in order.
    pub fn changes(&self) -> Vec<Change> {
        self.lock().changes.clone()
    }

    /// Returns once a call hangs.
    pub async fn until_hung(&self) {
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.hung.subscribe().wait_for(|&hung| hung).await;
    }

    /// The way to the server's API, where one is open.
    pub fn api(&self) -> Option<ApiRoute> {
        self.lock().api.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change is one step, so the state is whole also after a panic elsewhere.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the call down and makes it, or what a fault makes of it.
    async fn call<T>(
        &self,
        action: &'static str,
        service: Option<&ServiceName>,
        effect: impl FnOnce(&mut Inner) -> T,
    ) -> Result<T> {
        let (number, fault) = self.enter(action, service);
        let failed = || RouterError::Unreachable {
            endpoint: "memory".into(),
            source: format!("call {number} was to fail").into(),
        };
        match fault {
            Some(Fault::Error) => return Err(failed()),
            Some(Fault::Hang) => self.hang().await,
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            _ => {}
        }
        let outcome = effect(&mut self.lock());
        match fault {
            Some(Fault::ErrorAfterEffect) => Err(failed()),
            Some(Fault::HangAfterEffect) => {
                self.hang().await;
                Ok(outcome)
            }
            _ => Ok(outcome),
        }
    }

    fn enter(&self, action: &'static str, service: Option<&ServiceName>) -> (u64, Option<Fault>) {
        let mut inner = self.lock();
        let number = inner.calls.len() as u64 + 1;
        inner.calls.push(Call { number, action, service: service.cloned() });
        (number, inner.faults.get(&number).copied())
    }

    async fn hang(&self) {
        self.hung.send_replace(true);
        std::future::pending::<()>().await;
    }
}

impl Inner {
    fn traffic(&self) -> BTreeMap<ServiceName, Counts> {
        let Some(since) = self.busy_since else { return self.traffic.clone() };
        let served = self.routes.values().filter(|routes| !routes.urls.is_empty());
        served
            .map(|routes| (routes.service.clone(), simulated(&routes.service, since.elapsed().as_secs_f64())))
            .collect()
    }
}

/// What a service has been asked after so many seconds: up to 80 requests a second, in waves; most take some
/// milliseconds, few much longer, and some services fail now and then.
fn simulated(service: &ServiceName, seconds: f64) -> Counts {
    let seed = service.as_str().bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    let rate = f64::from(seed % 80);
    let pace = std::f64::consts::TAU / f64::from(50 + seed % 70);
    let requests = rate * (seconds + 0.6 * (1.0 - (seconds * pace).cos()) / pace);
    let errors = if seed % 6 == 5 { requests * 0.02 } else { 0.0 };
    let slowness = 0.004 * f64::from(1 + seed % 12);
    let limits = [0.5, 1.0, 2.0, 4.0, 10.0, 40.0].map(|times| times * slowness);
    let shares = [0.2, 0.55, 0.8, 0.93, 0.985, 1.0];
    let durations = limits.iter().zip(shares).map(|(limit, share)| (*limit, (requests * share) as u64));
    Counts { requests: requests as u64, errors: errors as u64, durations: durations.collect(), ..Counts::default() }
}

fn info() -> RouterInfo {
    RouterInfo { name: "memory".to_owned(), version: "1".to_owned(), http_port: 80, https_port: 443, unreplaced: None }
}

#[async_trait]
impl Router for MemoryRouter {
    async fn ensure_running(&self) -> Result<RouterInfo> {
        self.call("ensure_running", None, |_| info()).await
    }

    async fn apply(&self, routes: &Routes) -> Result<()> {
        let effect = |inner: &mut Inner| {
            inner.routes.insert(routes.service.clone(), routes.clone());
            inner.changes.push(Change::Applied(routes.clone()));
        };
        self.call("apply", Some(&routes.service), effect).await
    }

    async fn withdraw(&self, service: &ServiceName) -> Result<()> {
        let effect = |inner: &mut Inner| {
            inner.routes.remove(service);
            inner.changes.push(Change::Withdrawn(service.clone()));
        };
        self.call("withdraw", Some(service), effect).await
    }

    async fn routes(&self) -> Result<Vec<Routes>> {
        self.call("routes", None, |inner| inner.routes.values().cloned().collect()).await
    }

    async fn traffic(&self) -> Result<BTreeMap<ServiceName, Counts>> {
        self.call("traffic", None, |inner| inner.traffic()).await
    }

    async fn certificates(&self) -> Result<Certificates> {
        self.call("certificates", None, |inner| inner.certificates.clone()).await
    }

    /// What asks this router comes from the machine itself.
    async fn expose(&self, api: &ApiRoute) -> Result<IpAddr> {
        self.call("expose", None, |inner| inner.api = Some(api.clone())).await?;
        Ok(Ipv4Addr::LOCALHOST.into())
    }

    async fn ask_api(&self, api: &ApiRoute, _path: &str) -> Result<u16> {
        self.call("ask_api", None, |inner| match &inner.api {
            Some(open) if open == api => inner.api_status,
            _ => 404,
        })
        .await
    }

    async fn conceal(&self) -> Result<()> {
        self.call("conceal", None, |inner| inner.api = None).await
    }

    async fn info(&self) -> Result<RouterInfo> {
        self.call("info", None, |_| info()).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn routes(service: &str) -> Routes {
        Routes { service: service.parse().unwrap(), urls: vec![], targets: vec![], healthcheck: None, hold: None }
    }

    #[tokio::test]
    async fn changes_and_calls_are_kept_in_order() {
        let router = MemoryRouter::new();
        let (a, b) = (routes("a"), routes("b"));
        router.apply(&b).await.unwrap();
        router.apply(&a).await.unwrap();
        router.withdraw(&b.service).await.unwrap();
        router.info().await.unwrap();
        let expected = [Change::Applied(b.clone()), Change::Applied(a), Change::Withdrawn(b.service)];
        assert_eq!(router.changes(), expected);
        let calls: Vec<_> = router.calls().iter().map(Call::to_string).collect();
        assert_eq!(calls, ["apply b", "apply a", "withdraw b", "info"]);
    }

    #[tokio::test]
    async fn an_error_meets_its_call_and_no_other() {
        let router = MemoryRouter::new();
        router.fault_at(2, Fault::Error);
        router.fault_at(3, Fault::ErrorAfterEffect);
        router.apply(&routes("a")).await.unwrap();
        router.apply(&routes("b")).await.unwrap_err();
        router.apply(&routes("c")).await.unwrap_err();
        assert_eq!(router.routes().await.unwrap(), [routes("a"), routes("c")]);
    }

    #[tokio::test]
    async fn a_call_that_hangs_is_noticed_and_what_it_did_is_there_or_not() {
        for (fault, changes) in [(Fault::Hang, 0), (Fault::HangAfterEffect, 1)] {
            let router = Arc::new(MemoryRouter::new());
            router.fault_at(1, fault);
            let hanging = router.clone();
            let call = tokio::spawn(async move { hanging.apply(&routes("a")).await });
            router.until_hung().await;
            assert!(!call.is_finished());
            call.abort();
            assert_eq!(router.changes().len(), changes);
        }
    }

    #[tokio::test]
    async fn a_delayed_call_takes_its_time_and_succeeds() {
        let router = MemoryRouter::new();
        let delay = Duration::from_millis(20);
        router.fault_at(1, Fault::Delay(delay));
        let start = std::time::Instant::now();
        router.apply(&routes("a")).await.unwrap();
        assert!(start.elapsed() >= delay);
    }
}
