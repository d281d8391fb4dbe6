//! CPU and memory of containers: rates from two readings.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::{Engine, Usage};
use crate::name::ContainerName;

/// Closer readings give rates that are mostly noise.
const SHORTEST_SPAN: Duration = Duration::from_millis(500);

/// A reading older than this says nothing about now.
const LONGEST_SPAN: Duration = Duration::from_secs(15);

/// What a container uses now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::server) struct Load {
    /// None until it was read twice.
    pub(in crate::server) cpu_percent: Option<f32>,
    pub(in crate::server) memory_bytes: u64,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Instant,
    cpu_time: Duration,
    cpu_percent: Option<f32>,
}

#[derive(Debug, Default)]
pub(super) struct Gauge {
    last: Mutex<HashMap<ContainerName, Reading>>,
}

impl Gauge {
    /// Figures that cannot be had are left out: a list without them is better than none.
    pub(super) async fn read(&self, engine: &dyn Engine, running: &[ContainerName]) -> BTreeMap<ContainerName, Load> {
        match engine.usage(running).await {
            Ok(usage) => self.rates(&usage, Instant::now()),
            Err(error) => {
                tracing::debug!(%error, "no usage of containers");
                BTreeMap::new()
            }
        }
    }

    fn rates(&self, usage: &BTreeMap<ContainerName, Usage>, now: Instant) -> BTreeMap<ContainerName, Load> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|name, _| usage.contains_key(name));
        let mut loads = BTreeMap::new();
        for (name, usage) in usage {
            let reading = next_reading(last.get(name).copied(), usage, now);
            last.insert(name.clone(), reading);
            loads.insert(name.clone(), Load { cpu_percent: reading.cpu_percent, memory_bytes: usage.memory_bytes });
        }
        loads
    }
}

fn next_reading(last: Option<Reading>, usage: &Usage, now: Instant) -> Reading {
    let fresh = Reading { at: now, cpu_time: usage.cpu_time, cpu_percent: None };
    let Some(last) = last else { return fresh };
    let span = now.saturating_duration_since(last.at);
    if span < SHORTEST_SPAN {
        return last;
    }
    // A counter that went back belongs to a container that was started again.
    if span > LONGEST_SPAN || usage.cpu_time < last.cpu_time {
        return fresh;
    }
    let used = (usage.cpu_time - last.cpu_time).as_secs_f32();
    Reading { cpu_percent: Some(100.0 * used / span.as_secs_f32()), ..fresh }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(readings: &[(u64, u64)]) -> Option<f32> {
        let gauge = Gauge::default();
        let begin = Instant::now();
        let name = ContainerName::from_engine("web.r1.1");
        let mut load = None;
        for (at, cpu) in readings {
            let usage = Usage { cpu_time: Duration::from_millis(*cpu), memory_bytes: 7 };
            let all = gauge.rates(&BTreeMap::from([(name.clone(), usage)]), begin + Duration::from_millis(*at));
            load = all.get(&name).copied();
        }
        load.and_then(|load| load.cpu_percent)
    }

    #[test]
    fn a_rate_needs_two_readings_that_lie_apart() {
        assert_eq!(percent(&[(0, 100)]), None);
        assert_eq!(percent(&[(0, 100), (1000, 600)]), Some(50.0));
        assert_eq!(percent(&[(0, 100), (1000, 600), (1100, 9000)]), Some(50.0));
        assert_eq!(percent(&[(0, 900), (1000, 100)]), None);
        assert_eq!(percent(&[(0, 100), (60_000, 200)]), None);
    }
}
