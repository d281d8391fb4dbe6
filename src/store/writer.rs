use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::{Lasts, Log, Result, ServiceRecord, Store};
use crate::name::DeployId;

/// Writes one log of one deploy. What cannot be written waits for the next attempt, and nothing is written before it:
/// the log never has a hole.
#[derive(Debug)]
pub struct Writer<T> {
    store: Arc<Store>,
    log: Log,
    deploy: DeployId,
    pending: Mutex<Pending<T>>,
}

#[derive(Debug)]
struct Pending<T> {
    /// The number of the newest entry in the file.
    written: u64,
    /// Those that come after it.
    unwritten: Vec<T>,
}

impl<T: Serialize + Clone> Writer<T> {
    /// Goes on after the newest entry that is there, which has this number; 0 when there is none.
    pub fn after(written: u64, store: Arc<Store>, log: Log, deploy: DeployId) -> Self {
        Self { store, log, deploy, pending: Mutex::new(Pending { written, unwritten: Vec::new() }) }
    }

    /// When that fails, it will never be there. `make` is given its number.
    pub fn write(&self, lasts: Lasts, make: impl FnOnce(u64) -> T) -> Result<()> {
        self.write_with(None, lasts, make)
    }

    /// Writes what holds for the service too: both is in the file then, or neither.
    pub fn write_with(&self, holds: Option<&ServiceRecord>, lasts: Lasts, make: impl FnOnce(u64) -> T) -> Result<()> {
        let mut pending = self.lock();
        self.flush_pending(&mut pending, Lasts::WithTheNext)?;
        let number = pending.newest() + 1;
        self.store.append_with(holds, lasts, self.log, self.deploy, number, &make(number))?;
        pending.written = number;
        Ok(())
    }

    /// As [`write`](Self::write), but when it fails the entry is kept, and written before all that comes after it.
    pub fn note(&self, lasts: Lasts, make: impl FnOnce(u64) -> T) -> Result<()> {
        let mut pending = self.lock();
        let number = pending.newest() + 1;
        pending.unwritten.push(make(number));
        self.flush_pending(&mut pending, lasts)
    }

    /// Writes what waits.
    pub fn flush(&self) -> Result<()> {
        self.flush_pending(&mut self.lock(), Lasts::AtOnce)
    }

    /// The number of the newest entry, in the file or not.
    pub fn newest(&self) -> u64 {
        self.lock().newest()
    }

    /// The entries from a number on that are not in the file; none while that one itself is there.
    pub fn unwritten_from(&self, from: u64) -> Vec<T> {
        let pending = self.lock();
        let Some(passed) = from.checked_sub(pending.written + 1) else { return Vec::new() };
        pending.unwritten.iter().skip(usize::try_from(passed).unwrap_or(usize::MAX)).cloned().collect()
    }

    fn flush_pending(&self, pending: &mut Pending<T>, lasts: Lasts) -> Result<()> {
        while let Some(entry) = pending.unwritten.first() {
            self.store.append(lasts, self.log, self.deploy, pending.written + 1, entry)?;
            pending.unwritten.remove(0);
            pending.written += 1;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Pending<T>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Pending<T> {
    fn newest(&self) -> u64 {
        self.written + self.unwritten.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    /// How many pages the file of the store may have; 0: no more than now.
    fn limit(store: &Store, pages: i64) {
        store.database().pragma_update(None, "max_page_count", pages.max(1)).unwrap();
    }

    /// Longer than what is free in the pages that are there.
    fn entry(number: u64) -> String {
        format!("{number} {}", "x".repeat(5000))
    }

    fn written(store: &Store) -> Vec<u64> {
        let all: Vec<String> = store.read(Log::Events, DeployId::new(1), 1, 99).unwrap();
        all.iter().map(|entry| entry.split(' ').next().unwrap().parse().unwrap()).collect()
    }

    #[test]
    fn a_log_has_no_holes_and_nothing_that_was_told_to_have_failed() {
        let store = Arc::new(Store::in_memory().unwrap());
        let writer = Writer::after(0, Arc::clone(&store), Log::Events, DeployId::new(1));
        writer.write(Lasts::AtOnce, entry).unwrap();
        limit(&store, 0);
        assert!(matches!(writer.write(Lasts::AtOnce, entry), Err(StoreError::Full { .. })));
        assert!(writer.note(Lasts::WithTheNext, entry).is_err());
        assert!(writer.note(Lasts::WithTheNext, entry).is_err());
        assert_eq!((written(&store), writer.newest()), (vec![1], 3));
        assert_eq!(writer.unwritten_from(2), [entry(2), entry(3)]);
        assert!(writer.unwritten_from(1).is_empty(), "that is to be read from the file, and what follows after it");
        assert_eq!(writer.unwritten_from(3), [entry(3)]);
        limit(&store, 1 << 20);
        writer.write(Lasts::AtOnce, entry).unwrap();
        assert_eq!(written(&store), [1, 2, 3, 4]);
        assert!(writer.unwritten_from(1).is_empty());
        let again = Writer::after(4, Arc::clone(&store), Log::Events, DeployId::new(1));
        again.note(Lasts::AtOnce, entry).unwrap();
        assert_eq!(written(&store), [1, 2, 3, 4, 5]);
    }
}
