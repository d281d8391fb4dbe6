//! Repeated deploys under load: a thousand requests a second, half of them on kept connections, a quarter with a body,
//! some that take 300 ms and a few that take 5 s. Where the old containers stop first, all requests wait for those of
//! 5 s, so these are measured by themselves there, beside fewer others: thousands that come at once after they waited are
//! more than two cores with a load generator on them bear.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::case::{Case, Scope, Service};
use crate::load::{Load, Pressure, Report};
use crate::server::Server;

/// What is asked for, and how often a second.
type Requests = &'static [(&'static str, u32)];

const ALL: Requests = &[("/", 1000), ("/slow?ms=300", 30), ("/slow?ms=5000", 1)];
const SHORT: Requests = &[("/", 1000), ("/slow?ms=300", 30)];
const LONG: Requests = &[("/", 100), ("/slow?ms=5000", 1)];

/// Beside its own time, a request may wait for a gap.
const LIMIT: Duration = Duration::from_secs(40);

pub(crate) const HEAD: &str = "deploys  requests   per s  failed  median ms  p99 ms  longest ms  asked for";

pub(crate) struct Pressed {
    deploys: usize,
    time: Duration,
    requests: Requests,
    reports: Vec<Report>,
}

/// Once with everything; or without the long requests, and once more with them.
pub(crate) async fn measure(server: &Server, web: SocketAddr, case: &Case, scope: Scope) -> Vec<Pressed> {
    if case.strategy.rolls() {
        return vec![press(server, web, case, scope.time(), ALL).await];
    }
    let short = press(server, web, case, scope.time(), SHORT).await;
    vec![short, press(server, web, case, scope.time() / 2, LONG).await]
}

async fn press(server: &Server, web: SocketAddr, case: &Case, time: Duration, requests: Requests) -> Pressed {
    let mut service = Service::new(server, *case, "load").await;
    let load =
        |per_second| Load { server: web, host: service.host(), per_second, limit: LIMIT, pressure: Pressure::Steady };
    let running: Vec<_> = requests.iter().map(|(path, per_second)| load(*per_second).start_at(path)).collect();
    let begin = Instant::now();
    let mut deploys = 0;
    sleep(Duration::from_millis(500)).await;
    while begin.elapsed() < time {
        service.deploy().await;
        deploys += 1;
        sleep(Duration::from_millis(500)).await;
    }
    let time = begin.elapsed();
    let mut reports = Vec::new();
    for running in running {
        reports.push(running.stop().await);
    }
    Pressed { deploys, time, requests, reports }
}

impl Pressed {
    pub(crate) fn sent(&self) -> u64 {
        self.reports.iter().map(|report| report.sent).sum()
    }

    pub(crate) fn failed(&self) -> u64 {
        self.reports.iter().map(Report::failed).sum()
    }
}

impl fmt::Display for Pressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sent = self.sent();
        let rate = sent as f64 / self.time.as_secs_f64();
        write!(f, "{:>7} {sent:>9} {rate:>7.0} {:>7}", self.deploys, self.failed())?;
        let [half, most, all] = [0.5, 0.99, 1.0].map(|share| self.reports[0].latency(share).as_secs_f64() * 1000.0);
        let asked: Vec<_> = self.requests.iter().map(|(path, per_second)| format!("{path} {per_second}/s")).collect();
        write!(f, " {half:>10.1} {most:>7.0} {all:>11.0}  {}", asked.join(", "))?;
        for (report, (path, _)) in self.reports.iter().zip(self.requests).filter(|(report, _)| report.failed() > 0) {
            write!(f, "\n    {path}: {:?}", report.failures)?;
        }
        Ok(())
    }
}
