//! The task that measures: a look a second while somebody watches, and one in ten while nobody does. Only the first part
//! of a look is at everything.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::time::{MissedTickBehavior, interval};

use super::archive::Write;
use super::{Board, Load};
use crate::api::{Measure, Traffic};
use crate::name::{ContainerName, ServiceName};
use crate::server::core::Core;

const PERIOD: Duration = Duration::from_secs(1);

/// In periods: how often there is a look while nobody watches. Looks at fifty containers are most of what a server with
/// nothing to do uses: one a second takes it a thousandth of a CPU. The kernel counts CPU on between them. What is looked at
/// less often must be so at multiples.
const LOOK_UNWATCHED: u64 = 10;

/// In periods: how often the router is asked while somebody watches, and while nobody does.
const TRAFFIC_WATCHED: u64 = 2;
const TRAFFIC_UNWATCHED: u64 = 10;

const DISKS: u64 = 10;

/// In periods: how often the seconds of whole minutes are written to the file, and how often all that there is.
const WRITE_FULL: u64 = 60;
const WRITE_ALL: u64 = 300;

impl Core {
    /// Goes on until the server stops.
    pub(in crate::server) async fn measure(self: Arc<Self>) {
        let mut periods = interval(PERIOD);
        periods.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut recorded = None;
        for number in 0_u64.. {
            tokio::select! {
                _ = periods.tick() => {}
                () = self.stopping.cancelled() => break,
                () = self.abandoned.cancelled() => return,
            }
            // The second look follows the first soon, so that there are figures soon.
            if self.watchers.are_there() || number.is_multiple_of(LOOK_UNWATCHED) || number == 1 {
                let services = self.measure_once(number).await;
                let now = Timestamp::now().as_second();
                self.record(since(recorded.replace(now), now), &services);
            }
            match number + 1 {
                seconds if seconds.is_multiple_of(WRITE_ALL) => self.write_figures(Write::All).await,
                seconds if seconds.is_multiple_of(WRITE_FULL) => self.write_figures(Write::Full).await,
                _ => {}
            }
        }
        self.write_figures(Write::All).await;
    }

    /// Returns what runs of each service.
    async fn measure_once(&self, number: u64) -> BTreeMap<ServiceName, Vec<ContainerName>> {
        let (running, services) = self.roster.running();
        let loads = self.figures.gauge.read(&*self.engine, &running).await;
        self.figures.lock().loads = Arc::new(loads);
        let every = if self.watchers.are_there() { TRAFFIC_WATCHED } else { TRAFFIC_UNWATCHED };
        if number.is_multiple_of(every) || number == 1 {
            self.measure_traffic().await;
        }
        let folders: Vec<PathBuf> =
            [self.place.home.clone()].into_iter().chain(self.data_root.get().cloned()).collect();
        let machine = self.figures.machine.read(&*self.machine, &folders, number.is_multiple_of(DISKS));
        self.figures.lock().machine = machine;
        services
    }

    async fn measure_traffic(&self) {
        match self.router.traffic().await {
            Ok(counts) => {
                let unwell: BTreeSet<_> = counts.values().flat_map(|counts| counts.unwell.iter().copied()).collect();
                let traffic = self.figures.meter.read(counts, Instant::now());
                let mut board = self.figures.lock();
                board.traffic = Arc::new(traffic);
                board.unwell = Arc::new(unwell);
            }
            Err(error) => {
                tracing::debug!(%error, "no figures of requests");
                let mut board = self.figures.lock();
                *board = Board { loads: Arc::clone(&board.loads), machine: board.machine, ..Board::default() };
            }
        }
    }

    /// Takes down what the last look saw as the figures of these seconds.
    fn record(&self, seconds: RangeInclusive<i64>, services: &BTreeMap<ServiceName, Vec<ContainerName>>) {
        let board = self.figures.board();
        if let Some(machine) = board.machine {
            let mut figures = vec![
                (Measure::Memory, machine.memory_used_bytes as f32),
                (Measure::Disk, machine.disk_used_bytes as f32),
            ];
            figures.extend(machine.cpu_percent.map(|percent| (Measure::Cpu, percent)));
            self.figures.archive.record(seconds.clone(), None, &figures);
        }
        for (service, containers) in services {
            let loads: Vec<&Load> = containers.iter().filter_map(|name| board.loads.get(name)).collect();
            let figures = of_service(&loads, board.traffic.get(service));
            if !figures.is_empty() {
                self.figures.archive.record(seconds.clone(), Some(service), &figures);
            }
        }
    }

    async fn write_figures(self: &Arc<Self>, what: Write) {
        let core = Arc::clone(self);
        let writing = tokio::task::spawn_blocking(move || core.figures.archive.write(what, Timestamp::now()));
        if let Err(error) = writing.await {
            tracing::error!(%error, "figures could not be written");
        }
    }
}

/// The seconds that a look stands for: those since the last one, unless looks were left out, and its own at least.
fn since(last: Option<i64>, now: i64) -> RangeInclusive<i64> {
    let longest = LOOK_UNWATCHED as i64;
    last.map_or(now, |last| (last + 1).clamp(now - longest + 1, now))..=now
}

fn of_service(loads: &[&Load], traffic: Option<&Traffic>) -> Vec<(Measure, f32)> {
    let mut figures = Vec::new();
    if !loads.is_empty() {
        let memory: u64 = loads.iter().map(|load| load.memory_bytes).sum();
        figures.push((Measure::Memory, memory as f32));
        let cpu: Vec<f32> = loads.iter().filter_map(|load| load.cpu_percent).collect();
        if !cpu.is_empty() {
            figures.push((Measure::Cpu, cpu.iter().sum()));
        }
    }
    if let Some(traffic) = traffic {
        figures.push((Measure::Requests, traffic.requests_per_second));
        figures.push((Measure::Errors, traffic.requests_per_second * traffic.error_share));
        figures.extend(traffic.median.map(|time| (Measure::Median, time.as_secs_f32())));
        figures.extend(traffic.p95.map(|time| (Measure::P95, time.as_secs_f32())));
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_stand_for_every_second_but_for_none_in_which_there_were_no_looks() {
        assert_eq!(since(None, 100), 100..=100);
        assert_eq!(since(Some(99), 100), 100..=100, "watched");
        assert_eq!(since(Some(90), 100), 91..=100, "unwatched");
        assert_eq!(since(Some(40), 100), 91..=100, "nobody looked for a minute");
        assert_eq!(since(Some(100), 100), 100..=100, "twice in one second");
        assert_eq!(since(Some(170), 100), 100..=100, "the clock was set back");
    }
}
