//! From when on proofs are taken. What was signed before may have been seen by the server that ran before this one, which
//! took with it what it remembered: so proofs from before the start are refused, and of those that a clock ahead of ours
//! made, the latest one is written down.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use super::prove::SKEW;
use crate::atomic_file::{self, Access};

/// The file in the server folder: the second of the latest proof that was ahead of the server's clock.
const FILE: &str = "latest-proof";

#[derive(Debug)]
pub(super) struct Since {
    /// The clock may be set right after the start, and goes on from there; this one does not.
    started: Instant,
    /// The latest proof that the server before this one took, if it was ahead of its clock.
    taken_before: Option<i64>,
    latest: Mutex<Option<i64>>,
    file: PathBuf,
}

impl Since {
    pub(super) fn new(home: &Path, started: Instant) -> Self {
        let file = home.join(FILE);
        let taken_before = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok());
        Self { started, taken_before, latest: Mutex::new(taken_before), file }
    }

    /// The first second of which proofs are taken.
    pub(super) fn second(&self, now: Timestamp, at: Instant) -> i64 {
        let began = now.saturating_sub(at.saturating_duration_since(self.started)).map_or(0, Timestamp::as_second);
        // One that was further ahead was made while both clocks were wrong. Waiting for it would shut everybody out.
        let taken = self.taken_before.filter(|taken| *taken <= began + SKEW.as_secs());
        taken.map_or(began, |taken| began.max(taken + 1))
    }

    /// A proof was taken.
    pub(super) fn note(&self, created: i64, now: Timestamp) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if created <= now.as_second() || latest.is_some_and(|latest| created <= latest) {
            return;
        }
        *latest = Some(created);
        if let Err(error) = atomic_file::write_beside(&self.file, created.to_string().as_bytes(), Access::Owner) {
            tracing::warn!(file = %self.file.display(), %error, "which proof was taken last is not known to the next start");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_was_signed_before_the_start_is_refused_wherever_the_clock_goes() {
        let (home, started) = (tempfile::tempdir().unwrap(), Instant::now());
        let since = Since::new(home.path(), started);
        let later = started + Duration::from_secs(10);
        assert_eq!(since.second(at(5000), started), 5000);
        assert_eq!(since.second(at(5010), later), 5000);
        assert_eq!(
            since.second(at(5001), started + Duration::from_millis(900)),
            5000,
            "late in the second of the start"
        );
        assert_eq!(since.second(at(1410), later), 1400, "the clock was an hour ahead, and was set back");
        assert_eq!(since.second(at(9010), later), 9000, "it was behind, and was set forward");
    }

    #[test]
    fn what_was_ahead_of_the_clock_is_refused_after_a_start_too() {
        let (home, started) = (tempfile::tempdir().unwrap(), Instant::now());
        let first = Since::new(home.path(), started);
        first.note(4990, at(5000));
        assert!(!home.path().join(FILE).exists(), "the next start knows that without a file");
        first.note(5040, at(5000));
        first.note(5030, at(5001));
        assert_eq!(first.second(at(5002), started), 5002, "this server remembers them itself");
        let second = Since::new(home.path(), started);
        assert_eq!(second.second(at(5003), started), 5041);
        assert_eq!(second.second(at(5050), started), 5050);
        assert_eq!(second.second(at(4000), started), 4000, "it would be waited for for too long");
    }
}
