//! Requests of a key that are under way: one key cannot take all the connections that there are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::keys::Fingerprint;

/// A console needs five or so for each server.
const MOST: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Busy {
    under_way: Arc<Mutex<HashMap<Fingerprint, usize>>>,
}

/// One request, until its answer has gone out.
#[derive(Debug)]
pub(super) struct UnderWay {
    all: Arc<Mutex<HashMap<Fingerprint, usize>>>,
    key: Fingerprint,
}

impl Busy {
    /// None when there are too many.
    pub(super) fn begin(&self, key: &Fingerprint) -> Option<UnderWay> {
        let mut all = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(key.clone()).or_default();
        if *count >= MOST {
            return None;
        }
        *count += 1;
        Some(UnderWay { all: Arc::clone(&self.under_way), key: key.clone() })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_makes_room() {
        let busy = Busy::default();
        let [one, other]: [Fingerprint; 2] =
            ["a", "b"].map(|digit| format!("SHA256:{}", digit.repeat(43)).parse().unwrap());
        let mut running: Vec<_> = (0..MOST).map(|_| busy.begin(&one).unwrap()).collect();
        assert!(busy.begin(&one).is_none());
        assert!(busy.begin(&other).is_some());
        running.pop();
        running.push(busy.begin(&one).unwrap());
        assert!(busy.begin(&one).is_none());
        drop(running);
        assert!(busy.under_way.lock().unwrap().is_empty());
    }
}
