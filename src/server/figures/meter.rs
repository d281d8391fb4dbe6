//! Requests of services: what the router counts, twice → what it saw in the last seconds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::api::Traffic;
use crate::name::ServiceName;
use crate::router::Counts;

/// Figures are of about so long a time: long enough for a 95th percentile to mean something.
const WINDOW: Duration = Duration::from_secs(10);

/// An older count says nothing about now.
const LONGEST: Duration = Duration::from_secs(40);

/// What was counted within the window.
#[derive(Debug, Default)]
pub(super) struct Meter {
    counts: Mutex<VecDeque<(Instant, BTreeMap<ServiceName, Counts>)>>,
}

impl Meter {
    /// Takes a count of now; none of services that were not counted before.
    pub(super) fn read(&self, counts: BTreeMap<ServiceName, Counts>, now: Instant) -> BTreeMap<ServiceName, Traffic> {
        let mut known = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let age = |at: Instant| now.saturating_duration_since(at);
        // The oldest that is kept is just outside of the window.
        while known.len() > 1 && age(known[1].0) >= WINDOW {
            known.pop_front();
        }
        known.retain(|(at, _)| age(*at) <= LONGEST);
        let traffic = known.front().map(|(at, earlier)| {
            let span = age(*at).as_secs_f64();
            let of = |(service, counts): (&ServiceName, &Counts)| {
                // One that was not counted before had no requests then, as Traefik has it.
                let since = counts.since(earlier.get(service).unwrap_or(&Counts::default()))?;
                (span > 0.0).then(|| (service.clone(), traffic(&since, span)))
            };
            counts.iter().filter_map(of).collect()
        });
        known.push_back((now, counts));
        traffic.unwrap_or_default()
    }
}

fn traffic(since: &Counts, seconds: f64) -> Traffic {
    let time = |share| since.quantile(share).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    Traffic {
        requests_per_second: (since.requests as f64 / seconds) as f32,
        error_share: if since.requests == 0 { 0.0 } else { since.errors as f32 / since.requests as f32 },
        median: time(0.5),
        p95: time(0.95),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(requests: u64, errors: u64) -> BTreeMap<ServiceName, Counts> {
        let durations = vec![(0.1, requests / 2), (0.2, requests)];
        let counts = Counts { requests, errors, durations, ..Counts::default() };
        BTreeMap::from([("web".parse().unwrap(), counts)])
    }

    fn read(looks: &[(u64, u64, u64)]) -> Option<Traffic> {
        let (meter, begin) = (Meter::default(), Instant::now());
        let read = |(at, requests, errors): &(u64, u64, u64)| {
            meter.read(counts(*requests, *errors), begin + Duration::from_secs(*at))
        };
        looks.iter().map(read).last().and_then(|all| all.values().next().copied())
    }

    #[test]
    fn figures_are_of_the_last_seconds() {
        assert_eq!(read(&[(0, 1000, 0)]), None);
        let traffic = read(&[(0, 1000, 0), (2, 1100, 10)]).unwrap();
        assert_eq!((traffic.requests_per_second, traffic.error_share), (50.0, 0.1));
        assert_eq!(traffic.median, Some(Duration::from_millis(100)));
        assert_eq!(traffic.p95, Some(Duration::from_millis(190)));
        let long: Vec<_> = (0..30).map(|at| (at, if at < 15 { at * 100 } else { 1500 + at }, 0)).collect();
        assert_eq!(read(&long).unwrap().requests_per_second, 1.0, "what was before has been forgotten");
    }

    #[test]
    fn nobody_asks_a_service_at_rest() {
        let traffic = read(&[(0, 7, 1), (5, 7, 1)]).unwrap();
        assert_eq!((traffic.requests_per_second, traffic.error_share, traffic.p95), (0.0, 0.0, None));
    }

    #[test]
    fn a_router_that_started_anew_is_measured_from_then_on() {
        assert_eq!(read(&[(0, 1000, 0), (2, 10, 0)]), None);
        let looks: Vec<_> = [(0, 1000, 0)].into_iter().chain((1..20).map(|at| (at, at * 10, 0))).collect();
        assert_eq!(read(&looks).unwrap().requests_per_second, 10.0);
        assert_eq!(read(&[(0, 10, 0), (100, 20, 0)]), None, "too long ago");
    }
}
