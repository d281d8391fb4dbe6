//! What a build may use of the machine, and whether that was why it failed.

use std::collections::HashMap;
use std::time::Duration;

use bollard::query_parameters::{BuildImageOptionsBuilder, EventsOptionsBuilder};
use futures_util::StreamExt;
use jiff::Timestamp;

use super::DockerEngine;
use crate::engine::BuildLimits;

/// In microseconds: the kernel's own default.
const CPU_PERIOD: i32 = 100_000;

/// Docker hears of a lack of memory a moment after the process died of it.
const LATE: Duration = Duration::from_secs(1);

/// Events of the last minutes are at hand; one that takes longer is not answered.
const EVENTS_LIMIT: Duration = Duration::from_secs(5);

pub(super) fn with_cpu(options: BuildImageOptionsBuilder, limits: &BuildLimits) -> BuildImageOptionsBuilder {
    let options = options.cpushares(limits.cpu_shares.try_into().unwrap_or(i32::MAX));
    let Some(most) = limits.max_cpu else { return options };
    let quota = most.nano_cpus / (1_000_000_000 / i64::from(CPU_PERIOD));
    options.cpuperiod(CPU_PERIOD).cpuquota(quota.try_into().unwrap_or(i32::MAX))
}

impl DockerEngine {
    /// Whether a process of the container, which may be gone, was killed for want of memory.
    pub(super) async fn ran_out_of_memory(&self, container: &str, since: Timestamp) -> bool {
        let until = Timestamp::now() + LATE;
        let filters: HashMap<String, Vec<String>> = [("type", "container"), ("event", "oom")]
            .map(|(key, value)| (key.to_owned(), vec![value.to_owned()]))
            .into();
        let options = EventsOptionsBuilder::default().since(&seconds(since)).until(&seconds(until)).filters(&filters);
        let events = self.docker.events(Some(options.build()));
        let is_its = events.any(|event| async move {
            let actor = event.ok().and_then(|event| event.actor?.id);
            actor.is_some_and(|id| id.starts_with(container))
        });
        tokio::time::timeout(EVENTS_LIMIT, is_its).await.unwrap_or(false)
    }
}

/// As Docker takes a time: seconds and nanoseconds.
fn seconds(at: Timestamp) -> String {
    format!("{}.{:09}", at.as_second(), at.subsec_nanosecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::CpuLimit;

    #[test]
    fn cpus_become_shares_and_a_quota() {
        let options = |limits| with_cpu(BuildImageOptionsBuilder::default(), &limits).build();
        let free = options(BuildLimits { cpu_shares: 128, max_cpu: None, max_mem: None });
        assert_eq!((free.cpushares, free.cpuperiod, free.cpuquota), (Some(128), None, None));
        let capped =
            options(BuildLimits { max_cpu: Some(CpuLimit { nano_cpus: 1_500_000_000 }), ..BuildLimits::default() });
        assert_eq!((capped.cpushares, capped.cpuperiod, capped.cpuquota), (Some(1024), Some(100_000), Some(150_000)));
    }
}
