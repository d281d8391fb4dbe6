//! Repeated deploys under load: a thousand requests a second, half of them on kept connections, a quarter with a body,
//! some that take 300 ms and a few that take 5 s.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::case::{Case, Scope, Service};
use crate::load::{Load, Report};
use crate::server::Server;

/// What is asked for, and how often a second.
const REQUESTS: [(&str, u32); 3] = [("/", 1000), ("/slow?ms=300", 30), ("/slow?ms=5000", 1)];

/// Beside its own time, a request may wait for a gap.
const LIMIT: Duration = Duration::from_secs(40);

pub(crate) const HEAD: &str = "deploys  requests   per s  failed  median ms  p99 ms  longest ms";

/// As in `/ 1000/s, /slow?ms=300 30/s`.
pub(crate) fn asked_for() -> String {
    REQUESTS.map(|(path, per_second)| format!("{path} {per_second}/s")).join(", ")
}

pub(crate) struct Pressed {
    deploys: usize,
    time: Duration,
    reports: Vec<Report>,
}

pub(crate) async fn measure(server: &Server, web: SocketAddr, case: &Case, scope: Scope) -> Pressed {
    let mut service = Service::new(server, *case, "load").await;
    let load = |per_second| Load { server: web, host: service.host(), per_second, limit: LIMIT };
    let running: Vec<_> = REQUESTS.iter().map(|(path, per_second)| load(*per_second).start_at(path)).collect();
    let begin = Instant::now();
    let mut deploys = 0;
    sleep(Duration::from_millis(500)).await;
    while begin.elapsed() < scope.time() {
        service.deploy().await;
        deploys += 1;
        sleep(Duration::from_millis(500)).await;
    }
    let time = begin.elapsed();
    let mut reports = Vec::new();
    for running in running {
        reports.push(running.stop().await);
    }
    Pressed { deploys, time, reports }
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
        write!(f, " {half:>10.1} {most:>7.0} {all:>11.0}")?;
        for (report, (path, _)) in self.reports.iter().zip(REQUESTS).filter(|(report, _)| report.failed() > 0) {
            write!(f, "\n    {path}: {:?}", report.failures)?;
        }
        Ok(())
    }
}
