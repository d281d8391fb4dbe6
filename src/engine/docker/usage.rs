//! CPU and memory of many containers at once. Where their control groups are is asked once and remembered; after that a
//! look at hundreds of containers is only a look at some small files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bollard::models::ContainerStatsResponse;
use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::stream::{self, StreamExt};

use super::error::Asked;
use super::{DockerEngine, QUICK};
use crate::engine::usage::{Hierarchies, OpenGauge};
use crate::engine::{EngineError, Result, Usage};
use crate::name::ContainerName;

/// How many containers are asked about at a time, when asking is needed.
const AT_A_TIME: usize = 8;

type Known = BTreeMap<ContainerName, OpenGauge>;
type Usages = BTreeMap<ContainerName, Usage>;

/// The files that containers' figures are read from.
#[derive(Debug)]
pub(super) struct Gauges {
    /// None where the engine's containers are not seen from here.
    hierarchies: Option<Hierarchies>,
    known: Mutex<Known>,
}

impl Gauges {
    pub(super) fn new() -> Self {
        let hierarchies = Hierarchies::of_this_machine()
            .inspect_err(|error| tracing::warn!(%error, "control groups cannot be read; figures come from the engine"))
            .ok();
        Self { hierarchies, known: Mutex::default() }
    }

    /// Of these containers, as far as their files are open; those of all others are closed. It takes some 5 µs for each,
    /// less than to have a thread do it.
    fn read(&self, names: &[ContainerName]) -> Usages {
        let wanted: BTreeSet<&ContainerName> = names.iter().collect();
        let mut known = self.lock();
        known.retain(|name, _| wanted.contains(name));
        known.iter().filter_map(|(name, gauge)| Some((name.clone(), gauge.read().ok()?))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DockerEngine {
    pub(super) async fn read_usage(&self, names: &[ContainerName]) -> Result<Usages> {
        let mut usages = self.gauges.read(names);
        let unknown: Vec<ContainerName> = names.iter().filter(|name| !usages.contains_key(name)).cloned().collect();
        let mut asking = stream::iter(unknown)
            .map(|name| async move { (self.ask_usage(&name).await, name) })
            .buffer_unordered(AT_A_TIME);
        while let Some((asked, name)) = asking.next().await {
            match asked {
                Ok(Some(usage)) => {
                    usages.insert(name, usage);
                }
                Ok(None) | Err(EngineError::NotFound { .. } | EngineError::NotOurs { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(usages)
    }

    /// None when it does not run.
    async fn ask_usage(&self, name: &ContainerName) -> Result<Option<Usage>> {
        self.gauges.lock().remove(name);
        let pid = self.own(name).await?.state.and_then(|state| state.pid).unwrap_or(0);
        if pid == 0 {
            return Ok(None);
        }
        let gauge = self.gauges.hierarchies.as_ref().and_then(|all| all.gauge(pid).ok()?.open().ok());
        if let Some((gauge, usage)) = gauge.and_then(|gauge| gauge.read().ok().map(|usage| (gauge, usage))) {
            self.gauges.lock().insert(name.clone(), gauge);
            return Ok(Some(usage));
        }
        self.engine_s_usage(name).await
    }

    /// The slow way: the engine's own statistics.
    async fn engine_s_usage(&self, name: &ContainerName) -> Result<Option<Usage>> {
        let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        let mut stats = self.docker.stats(name.as_str(), Some(options));
        let first = async { stats.next().await.transpose() };
        let stats = self.call(Asked::container("measure", name.as_str()), QUICK, first).await?;
        Ok(stats.as_ref().and_then(from_stats))
    }
}

fn from_stats(stats: &ContainerStatsResponse) -> Option<Usage> {
    let memory = stats.memory_stats.as_ref()?;
    let inactive = memory
        .stats
        .as_ref()
        .and_then(|fields| fields.get("total_inactive_file").or_else(|| fields.get("inactive_file")).copied());
    Some(Usage {
        cpu_time: std::time::Duration::from_nanos(stats.cpu_stats.as_ref()?.cpu_usage.as_ref()?.total_usage?),
        memory_bytes: memory.usage?.saturating_sub(inactive.unwrap_or(0)),
    })
}
