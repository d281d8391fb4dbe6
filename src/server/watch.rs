//! What the server looks like, for those who watch: put together once for all of them. While nobody watches it is looked
//! at now and then, for alerts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::core::Core;
use super::enduring::enduring;
use crate::api::{Change, Snapshot};

/// How often figures are shown anew.
const PERIOD: Duration = Duration::from_secs(1);

const PERIOD_UNWATCHED: Duration = Duration::from_secs(10);

/// Changes that come in a burst are shown together.
const SHORTEST_PERIOD: Duration = Duration::from_millis(100);

/// How often everything is put together anew, though nothing is known to have changed.
const WHOLE: Duration = Duration::from_secs(15);
const WHOLE_UNWATCHED: Duration = Duration::from_secs(60);

/// What is told to one who watches; on the wire it is a [`WatchNews`](crate::api::WatchNews).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Told {
    Whole(Shared<Snapshot>),
    Change(Shared<Change>),
}

/// Told to all who watch.
#[derive(Debug, Clone)]
pub(super) struct Shared<T>(Arc<T>);

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// What of a snapshot somebody may see.
pub(super) type Narrow = Box<dyn Fn(Snapshot) -> Snapshot + Send + Sync>;

/// The newest look, and what changed since the one before.
#[derive(Debug, Clone)]
struct Look {
    number: u64,
    at: Instant,
    snapshot: Arc<Snapshot>,
    change: Option<Arc<Change>>,
}

/// Those who watch.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    latest: watch::Sender<Option<Look>>,
    /// Somebody came who finds only an old look.
    arrived: Notify,
    /// Somebody has begun to look.
    looking: AtomicBool,
}

impl Watchers {
    pub(super) fn are_there(&self) -> bool {
        self.latest.receiver_count() > 0
    }

    /// Everything now, and then what changes, as `see` lets it be seen: all of it where that is none.
    pub(super) fn subscribe(&self, see: Option<Narrow>) -> BoxStream<'static, Told> {
        let mut latest = self.latest.subscribe();
        let is_fresh = latest.borrow().as_ref().is_some_and(|look| look.at.elapsed() < PERIOD * 2);
        if is_fresh {
            latest.mark_changed();
        } else {
            latest.mark_unchanged();
            self.arrived.notify_one();
        }
        let watcher = Watcher { latest, see, known: None };
        stream::unfold(watcher, |mut watcher| async move { Some((watcher.next().await?, watcher)) }).boxed()
    }

    /// Says so once.
    pub(super) fn begin(&self) -> bool {
        !self.looking.swap(true, Ordering::Relaxed)
    }

    fn newest(&self) -> Option<Look> {
        self.latest.borrow().clone()
    }
}

struct Watcher {
    latest: watch::Receiver<Option<Look>>,
    see: Option<Narrow>,
    /// What was told so far, and the number of its look.
    known: Option<(u64, Arc<Snapshot>)>,
}

impl Watcher {
    async fn next(&mut self) -> Option<Told> {
        loop {
            self.latest.changed().await.ok()?;
            let look = self.latest.borrow_and_update().clone();
            if let Some(told) = look.and_then(|look| self.told(&look)) {
                return Some(told);
            }
        }
    }

    /// What is new of it.
    fn told(&mut self, look: &Look) -> Option<Told> {
        let snapshot = match &self.see {
            Some(see) => Arc::new(see(look.snapshot.as_ref().clone())),
            None => Arc::clone(&look.snapshot),
        };
        let known = self.known.replace((look.number, Arc::clone(&snapshot)));
        match known {
            None => Some(Told::Whole(Shared(snapshot))),
            // Reckoned once for all.
            Some((number, _)) if self.see.is_none() && number + 1 == look.number => {
                look.change.clone().map(|change| Told::Change(Shared(change)))
            }
            Some((_, known)) => Change::between(&known, &snapshot).map(|change| Told::Change(Shared(Arc::new(change)))),
        }
    }
}

impl Core {
    /// Begins to follow which containers there are, unless that has begun.
    pub(super) fn begin_following(self: &Arc<Self>) {
        if self.roster.begin() {
            self.endure("roster", Self::keep_roster);
        }
    }

    /// Begins to measure and to look, unless that has begun.
    pub(super) fn begin_looking(self: &Arc<Self>) {
        self.begin_following();
        if self.watchers.begin() {
            self.endure("figures", Self::measure);
            self.endure("watch", Self::keep_looking);
            self.begin_sending();
        }
    }

    fn endure<F>(self: &Arc<Self>, name: &'static str, task: fn(Arc<Self>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let core = Arc::clone(self);
        self.tasks.spawn(async move { enduring(name, || task(Arc::clone(&core))).await });
    }

    /// Goes on until the server stops.
    async fn keep_looking(self: Arc<Self>) {
        let (mut changes, mut events) = (self.changed.subscribe(), self.roster.changes());
        let mut whole: Option<Instant> = None;
        loop {
            let began = Instant::now();
            let is_watched = self.watchers.are_there();
            let (period, whole_period) = if is_watched { (PERIOD, WHOLE) } else { (PERIOD_UNWATCHED, WHOLE_UNWATCHED) };
            let has_changed = changes.has_changed().unwrap_or(false) || events.has_changed().unwrap_or(false);
            changes.mark_unchanged();
            events.mark_unchanged();
            let is_due = whole.is_none_or(|at| at.elapsed() >= whole_period);
            if has_changed || is_due {
                whole = Some(began);
            }
            self.look_once(has_changed || is_due).await;
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = self.abandoned.cancelled() => return,
                () = self.watchers.arrived.notified() => {}
                () = sleep(period) => {}
                _ = changes.changed() => {
                    changes.mark_changed();
                    sleep_until(began + SHORTEST_PERIOD).await;
                }
                _ = events.changed() => {
                    events.mark_changed();
                    sleep_until(began + SHORTEST_PERIOD).await;
                }
            }
        }
    }

    /// Looks at everything, or at figures only, and shows what is new.
    async fn look_once(&self, whole: bool) {
        let last = self.watchers.newest();
        let mut snapshot = match &last {
            Some(last) if !whole => self.refreshed(&last.snapshot),
            _ => match self.seen_snapshot().await {
                Ok(snapshot) => snapshot,
                Err(problem) => return tracing::warn!(problem = problem.message, "the server could not be looked at"),
            },
        };
        snapshot.at = Timestamp::now();
        snapshot.alerts = self.consider(&snapshot);
        let mut change = None;
        if let Some(last) = &last {
            snapshot.settle_on(&last.snapshot);
            change = Change::between(&last.snapshot, &snapshot).map(Arc::new);
        }
        let number = last.as_ref().map_or(0, |last| last.number + 1);
        let look = Look { number, at: Instant::now(), snapshot: Arc::new(snapshot), change };
        self.watchers.latest.send_replace(Some(look));
    }
}
