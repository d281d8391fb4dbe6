//! What of a key is under way: one key cannot take all of what there is for all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::keys::Fingerprint;

/// Counts what each key has under way.
#[derive(Debug)]
pub(in crate::server) struct Busy {
    most: usize,
    under_way: Arc<Mutex<HashMap<Fingerprint, usize>>>,
}

/// One of them, until it has ended: a request, until its answer has gone out.
#[derive(Debug)]
pub(in crate::server) struct UnderWay {
    all: Arc<Mutex<HashMap<Fingerprint, usize>>>,
    key: Fingerprint,
}

impl Busy {
    pub(in crate::server) fn new(most: usize) -> Self {
        Self { most, under_way: Arc::default() }
    }

    /// None when there are too many.
    pub(in crate::server) fn begin(&self, key: &Fingerprint) -> Option<UnderWay> {
        let mut all = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(key.clone()).or_default();
        if *count >= self.most {
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
        let busy = Busy::new(3);
        let [one, other]: [Fingerprint; 2] =
            ["a", "b"].map(|digit| format!("SHA256:{}", digit.repeat(43)).parse().unwrap());
        let mut running: Vec<_> = (0..3).map(|_| busy.begin(&one).unwrap()).collect();
        assert!(busy.begin(&one).is_none());
        assert!(busy.begin(&other).is_some());
        running.pop();
        running.push(busy.begin(&one).unwrap());
        assert!(busy.begin(&one).is_none());
        drop(running);
        assert!(busy.under_way.lock().unwrap().is_empty());
    }
}
