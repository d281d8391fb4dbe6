//! The events of a deploy: written to the store as they come, and read from there by whoever watches, from the start
//! or from anywhere, while it runs or long after.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{self, BoxStream, StreamExt};
use jiff::Timestamp;
use tokio::sync::watch;

use super::redact;
use super::vault::Vault;
use crate::deploy::{Deploy, DeployState, Event, Outcome, What};
use crate::name::DeployId;
use crate::store::{Log, Store, StoreError};

/// Lines of a build's output that are kept; of a longer one the rest is left out, and said so.
const MOST_BUILD_LINES: u32 = 10_000;

/// A line of output longer than this is cut.
const LONGEST_LINE: usize = 4000;

/// Events read from the store at once.
const PAGE: u32 = 500;

/// All deploys that run or wait, by the number of their newest event.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    open: Mutex<HashMap<DeployId, Arc<Recorder>>>,
}

impl Feeds {
    /// The recorder of a deploy that was accepted and has not ended; made at the first call.
    pub(super) fn open(
        &self,
        store: &Arc<Store>,
        deploy: &Deploy,
        changed: &watch::Sender<u64>,
        vault: &Arc<Vault>,
    ) -> Arc<Recorder> {
        let mut open = self.lock();
        let recorder = open.entry(deploy.id).or_insert_with(|| {
            let last = store.last_seq(Log::Events, deploy.id).unwrap_or(0);
            Arc::new(Recorder {
                store: Arc::clone(store),
                last: AtomicU64::new(last),
                build_lines: AtomicU32::new(0),
                deploy: Mutex::new(deploy.clone()),
                newest: watch::Sender::new(last),
                changed: changed.clone(),
                vault: Arc::clone(vault),
            })
        });
        Arc::clone(recorder)
    }

    pub(super) fn close(&self, deploy: DeployId) {
        self.lock().remove(&deploy);
    }

    /// The events from a number on; ends after the last one of a deploy that has ended.
    pub(super) fn follow(
        &self,
        store: Arc<Store>,
        deploy: DeployId,
        from: u64,
    ) -> BoxStream<'static, Result<Event, StoreError>> {
        let newest = self.lock().get(&deploy).map(|recorder| recorder.newest.subscribe());
        let reader = Reader { store, deploy, next: from.max(1), newest };
        stream::unfold(reader, |mut reader| async move { reader.page().await.map(|page| (page, reader)) })
            .flat_map(|page| match page {
                Ok(events) => stream::iter(events).map(Ok).boxed(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            })
            .boxed()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<DeployId, Arc<Recorder>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Reader {
    store: Arc<Store>,
    deploy: DeployId,
    next: u64,
    /// None once the deploy has ended and everything may be read without waiting.
    newest: Option<watch::Receiver<u64>>,
}

impl Reader {
    async fn page(&mut self) -> Option<Result<Vec<Event>, StoreError>> {
        loop {
            let events: Vec<Event> = match self.store.read(Log::Events, self.deploy, self.next, PAGE) {
                Ok(events) => events,
                Err(error) => {
                    self.newest = None;
                    self.next = u64::MAX >> 1;
                    return Some(Err(error));
                }
            };
            if let Some(last) = events.last() {
                self.next = last.seq + 1;
                if matches!(last.what, What::Finished { .. }) {
                    self.newest = None;
                }
                return Some(Ok(events));
            }
            let next = self.next;
            let ended = match &mut self.newest {
                None => return None,
                Some(newest) => newest.wait_for(|seq| *seq >= next).await.is_err(),
            };
            if ended {
                self.newest = None;
            }
        }
    }
}

/// Takes down what happens in one deploy.
#[derive(Debug)]
pub(super) struct Recorder {
    store: Arc<Store>,
    deploy: Mutex<Deploy>,
    last: AtomicU64,
    build_lines: AtomicU32,
    newest: watch::Sender<u64>,
    /// Tells those who watch the server that something changed.
    changed: watch::Sender<u64>,
    /// Its values are kept out of what is taken down.
    vault: Arc<Vault>,
}

impl Recorder {
    pub(super) fn deploy(&self) -> Deploy {
        self.lock().clone()
    }

    pub(super) fn report(&self, what: What) {
        match &what {
            What::BuildOutput { .. } => return self.report_output(what),
            What::Phase { phase } => {
                let phase = *phase;
                self.update(|deploy| {
                    let started = match &deploy.state {
                        DeployState::Running { started, .. } => *started,
                        _ => Timestamp::now(),
                    };
                    deploy.state = DeployState::Running { started, phase };
                });
            }
            _ => {}
        }
        self.append(what);
    }

    /// The end: after it nothing is reported.
    pub(super) fn finish(&self, mut outcome: Outcome) {
        redact::outcome(&mut outcome, &self.vault);
        self.update(|deploy| {
            let started = match &deploy.state {
                DeployState::Running { started, .. } => Some(*started),
                _ => None,
            };
            deploy.state = DeployState::Finished { started, finished: Timestamp::now(), outcome: outcome.clone() };
        });
        self.append(What::Finished { outcome });
    }

    /// Changes the record of the deploy, on disk too.
    pub(super) fn update(&self, change: impl FnOnce(&mut Deploy)) {
        let mut deploy = self.lock();
        change(&mut deploy);
        if let Err(error) = self.store.update_deploy(deploy.id, &*deploy, deploy.is_finished()) {
            tracing::error!(deploy = %deploy.id, %error, "the history could not be written");
        }
        drop(deploy);
        self.changed.send_modify(|count| *count += 1);
    }

    fn report_output(&self, what: What) {
        let What::BuildOutput { line } = what else { return };
        match self.build_lines.fetch_add(1, Ordering::Relaxed) {
            count if count < MOST_BUILD_LINES => {
                let line = line.chars().take(LONGEST_LINE).collect();
                self.append(What::BuildOutput { line });
            }
            MOST_BUILD_LINES => {
                let message = format!("the build wrote more than {MOST_BUILD_LINES} lines; the rest is not kept");
                self.append(What::Warning { message });
            }
            _ => {}
        }
    }

    fn append(&self, mut what: What) {
        redact::what(&mut what, &self.vault);
        let deploy = self.lock();
        let seq = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let event = Event { seq, at: Timestamp::now(), what };
        if let Err(error) = self.store.append(Log::Events, deploy.id, seq, &event) {
            tracing::error!(deploy = %deploy.id, %error, "an event could not be written");
        }
        self.newest.send_replace(seq);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Deploy> {
        self.deploy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
