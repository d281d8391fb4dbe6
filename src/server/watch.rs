//! Snapshots for those who watch: taken once for all of them, and only while somebody does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::core::Core;
use crate::api::Snapshot;

/// How often is looked while nothing is known to have changed.
const PERIOD: Duration = Duration::from_secs(1);

/// Changes that come in a burst are shown together.
const SHORTEST_PERIOD: Duration = Duration::from_millis(100);

type Latest = Option<Arc<Snapshot>>;

/// The task that takes snapshots, while it runs.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    latest: Mutex<Option<watch::Sender<Latest>>>,
}

impl Watchers {
    /// A snapshot now, and another whenever something changed.
    pub(super) fn subscribe(self: &Arc<Self>, core: &Arc<Core>) -> BoxStream<'static, Arc<Snapshot>> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = match &*latest {
            Some(sender) => sender.subscribe(),
            None => {
                let (sender, receiver) = watch::channel(None);
                *latest = Some(sender.clone());
                core.tasks.spawn(take_snapshots(Arc::clone(core), Arc::clone(self), sender));
                receiver
            }
        };
        drop(latest);
        let mut receiver = receiver;
        receiver.mark_changed();
        stream::unfold(receiver, |mut receiver| async move {
            loop {
                receiver.changed().await.ok()?;
                let snapshot = receiver.borrow_and_update().clone();
                if let Some(snapshot) = snapshot {
                    return Some((snapshot, receiver));
                }
            }
        })
        .boxed()
    }

    fn end(&self) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Ends the task, unless somebody began to watch meanwhile.
    fn retire(&self, sender: &watch::Sender<Latest>) -> bool {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if sender.receiver_count() > 0 {
            return false;
        }
        *latest = None;
        true
    }
}

async fn take_snapshots(core: Arc<Core>, watchers: Arc<Watchers>, sender: watch::Sender<Latest>) {
    let mut changes = core.changed.subscribe();
    while !(sender.receiver_count() == 0 && watchers.retire(&sender)) {
        let began = Instant::now();
        match core.snapshot().await {
            Ok(snapshot) => {
                sender.send_if_modified(|latest| replace_if_other(latest, snapshot));
            }
            Err(problem) => tracing::warn!(problem = problem.message, "no snapshot could be taken"),
        }
        tokio::select! {
            // Those who watch see the stream end, and look for the server again.
            () = core.stopping.cancelled() => return watchers.end(),
            () = sender.closed() => {}
            _ = timeout(PERIOD, changes.changed()) => sleep_until(began + SHORTEST_PERIOD).await,
        }
    }
}

fn replace_if_other(latest: &mut Latest, snapshot: Snapshot) -> bool {
    if let Some(old) = latest {
        let same = Snapshot { at: old.at, ..snapshot.clone() } == **old;
        if same {
            return false;
        }
    }
    *latest = Some(Arc::new(snapshot));
    true
}
