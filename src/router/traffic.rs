//! What a router counts of a service's requests.

use std::collections::BTreeSet;
use std::net::SocketAddrV4;

/// Counted since the router started; a count that went back is of a router that started anew.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    pub requests: u64,
    /// Of these, answered with 5xx.
    pub errors: u64,
    /// How many took no longer than so many seconds; the limits ascend, and the last may be infinite.
    pub durations: Vec<(f64, u64)>,
    /// Containers that fail the router's own health check, and get no requests.
    pub unwell: BTreeSet<SocketAddrV4>,
}

impl Counts {
    /// What was counted since an earlier look; none when the router started anew since, or counts otherwise.
    pub fn since(&self, earlier: &Counts) -> Option<Counts> {
        let same_limits = || self.durations.iter().zip(&earlier.durations).all(|(now, then)| now.0 == then.0);
        let durations = if earlier.durations.is_empty() {
            self.durations.clone()
        } else if self.durations.len() == earlier.durations.len() && same_limits() {
            let pairs = self.durations.iter().zip(&earlier.durations);
            pairs.map(|(now, then)| Some((now.0, now.1.checked_sub(then.1)?))).collect::<Option<_>>()?
        } else {
            return None;
        };
        Some(Counts {
            requests: self.requests.checked_sub(earlier.requests)?,
            errors: self.errors.checked_sub(earlier.errors)?,
            durations,
            unwell: self.unwell.clone(),
        })
    }

    /// How many seconds this share of the requests took at most, as well as it can be told. None without requests.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let total = self.durations.last().map(|(_, count)| *count).filter(|total| *total > 0)?;
        let rank = share * total as f64;
        let (mut lower, mut below) = (0.0, 0);
        for &(limit, count) in &self.durations {
            if count as f64 >= rank && count > below {
                // That it took longer than the longest limit is all that is known.
                if limit.is_infinite() {
                    return Some(lower);
                }
                return Some(lower + (limit - lower) * (rank - below as f64) / (count - below) as f64);
            }
            if limit.is_finite() {
                lower = limit;
            }
            below = count;
        }
        Some(lower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(requests: u64, durations: &[(f64, u64)]) -> Counts {
        Counts { requests, durations: durations.to_vec(), ..Counts::default() }
    }

    #[test]
    fn quantiles_lie_between_the_limits() {
        let some = counts(100, &[(0.1, 50), (0.2, 90), (1.0, 98), (f64::INFINITY, 100)]);
        assert_eq!(some.quantile(0.5), Some(0.1));
        assert!((some.quantile(0.7).unwrap() - 0.15).abs() < 1e-9);
        assert!((some.quantile(0.95).unwrap() - 0.7).abs() < 1e-9);
        assert_eq!(some.quantile(0.999), Some(1.0), "no longer than is known");
        assert_eq!(counts(0, &[(0.1, 0), (f64::INFINITY, 0)]).quantile(0.5), None);
        assert_eq!(counts(0, &[]).quantile(0.5), None);
        let slow = counts(1, &[(0.1, 0), (0.2, 0), (f64::INFINITY, 1)]);
        assert_eq!(slow.quantile(0.5), Some(0.2));
    }

    #[test]
    fn a_router_that_started_anew_is_not_compared() {
        let (first, second) = (counts(5, &[(0.1, 4), (1.0, 5)]), counts(9, &[(0.1, 6), (1.0, 9)]));
        assert_eq!(second.since(&first), Some(counts(4, &[(0.1, 2), (1.0, 4)])));
        assert_eq!(first.since(&second), None);
        assert_eq!(second.since(&counts(5, &[(0.2, 4), (1.0, 5)])), None, "it counts otherwise");
        assert_eq!(second.since(&Counts::default()), Some(second));
    }
}
