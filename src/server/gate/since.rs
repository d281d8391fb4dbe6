//! From when on proofs are taken. What was signed before may have been seen by the server that ran before this one, which
//! took with it what it remembered: so proofs from before the start are refused, and of those that a clock ahead of ours
//! made, the latest one of each key is written down.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use super::prove::SKEW;
use crate::atomic_file::{self, Access};
use crate::keys::Fingerprint;

/// The file in the server folder: of each key the second of the latest proof that was ahead of the server's clock.
const FILE: &str = "latest-proofs.json";

type Latest = BTreeMap<Fingerprint, i64>;

#[derive(Debug)]
pub(super) struct Since {
    /// The clock may be set right after the start, and goes on from there; this one does not.
    started: Instant,
    /// What the server before this one took ahead of its clock.
    taken_before: Latest,
    latest: Mutex<Latest>,
    file: PathBuf,
}

impl Since {
    pub(super) fn new(home: &Path, started: Instant) -> Self {
        let file = home.join(FILE);
        let taken_before: Latest =
            std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Self { started, latest: Mutex::new(taken_before.clone()), taken_before, file }
    }

    /// When the server started, by the clock as it is now.
    pub(super) fn start(&self, now: Timestamp, at: Instant) -> i64 {
        now.saturating_sub(at.saturating_duration_since(self.started)).map_or(0, Timestamp::as_second)
    }

    /// The first second of which proofs of this key are taken.
    pub(super) fn second(&self, key: &Fingerprint, now: Timestamp, at: Instant) -> i64 {
        let began = self.start(now, at);
        // One that was further ahead was made while both clocks were wrong. Waiting for it would shut the key out.
        let taken = self.taken_before.get(key).filter(|taken| **taken <= began + SKEW.as_secs());
        taken.map_or(began, |taken| began.max(taken + 1))
    }

    /// A proof of this key was taken.
    pub(super) fn note(&self, key: &Fingerprint, created: i64, now: Timestamp) {
        let now = now.as_second();
        if created <= now {
            return;
        }
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.get(key).is_some_and(|latest| created <= *latest) {
            return;
        }
        // The next start knows of those that are over without a file.
        latest.retain(|_, created| *created > now);
        latest.insert(key.clone(), created);
        let written = serde_json::to_vec(&*latest).map_err(std::io::Error::from);
        if let Err(error) = written.and_then(|text| atomic_file::write_beside(&self.file, &text, Access::Owner)) {
            tracing::warn!(file = %self.file.display(), %error, "which proofs were taken last is not known to the next start");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(digit: &str) -> Fingerprint {
        format!("SHA256:{}", digit.repeat(43)).parse().unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_was_signed_before_the_start_is_refused_wherever_the_clock_goes() {
        let (home, started) = (tempfile::tempdir().unwrap(), Instant::now());
        let since = Since::new(home.path(), started);
        let later = started + Duration::from_secs(10);
        assert_eq!(since.second(&key("a"), at(5000), started), 5000);
        assert_eq!(since.second(&key("a"), at(5010), later), 5000);
        assert_eq!(
            since.second(&key("a"), at(5001), started + Duration::from_millis(900)),
            5000,
            "late in the second of the start"
        );
        assert_eq!(since.second(&key("a"), at(1410), later), 1400, "the clock was an hour ahead, and was set back");
        assert_eq!(since.second(&key("a"), at(9010), later), 9000, "it was behind, and was set forward");
    }

    #[test]
    fn what_was_ahead_of_the_clock_is_refused_after_a_start_too() {
        let (home, started) = (tempfile::tempdir().unwrap(), Instant::now());
        let first = Since::new(home.path(), started);
        first.note(&key("a"), 4990, at(5000));
        assert!(!home.path().join(FILE).exists(), "the next start knows that without a file");
        first.note(&key("a"), 5040, at(5000));
        first.note(&key("a"), 5030, at(5001));
        assert_eq!(first.second(&key("a"), at(5002), started), 5002, "this server remembers them itself");
        let second = Since::new(home.path(), started);
        assert_eq!(second.second(&key("a"), at(5003), started), 5041);
        assert_eq!(second.second(&key("b"), at(5003), started), 5003, "another key's clock is none of its business");
        assert_eq!(second.second(&key("a"), at(5050), started), 5050);
        assert_eq!(second.second(&key("a"), at(4000), started), 4000, "it would be waited for for too long");
    }
}
