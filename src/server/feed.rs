//! The events of a deploy: written to the store as they come, and read from there by whoever watches, from the start
//! or from anywhere, while it runs or long after. While the disk is full they are read from here, and written once there
//! is room again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::stream::{self, BoxStream, StreamExt};
use jiff::Timestamp;
use tokio::sync::watch;

use super::redact;
use super::vault::Vault;
use crate::deploy::{Deploy, DeployState, Event, Outcome, What};
use crate::name::DeployId;
use crate::store::{Lasts, Log, Store, StoreError, Writer};

/// Lines of a build's output that are kept; of a longer one the rest is left out, and said so.
const MOST_BUILD_LINES: u32 = 10_000;

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
                events: Writer::after(last, Arc::clone(store), Log::Events, deploy.id),
                build_lines: AtomicU32::new(0),
                record: Mutex::new(Record { deploy: deploy.clone(), is_saved: true }),
                newest: watch::Sender::new(last),
                changed: changed.clone(),
                vault: Arc::clone(vault),
            })
        });
        Arc::clone(recorder)
    }

    /// For a deploy that has ended. What of it could not be written yet is kept for [`save`](Self::save).
    pub(super) fn close(&self, deploy: DeployId) {
        let mut open = self.lock();
        if open.get(&deploy).is_none_or(|recorder| recorder.save().is_ok()) {
            open.remove(&deploy);
        }
    }

    /// Writes what could not be written at its time.
    pub(super) fn save(&self) -> Result<(), StoreError> {
        let mut open = self.lock();
        for recorder in open.values() {
            recorder.save()?;
        }
        open.retain(|_, recorder| !recorder.deploy().is_finished());
        Ok(())
    }

    /// One that runs or waits.
    pub(super) fn deploy(&self, id: DeployId) -> Option<Deploy> {
        self.lock().get(&id).map(|recorder| recorder.deploy())
    }

    /// The deploy as it is now, given as it is on disk.
    pub(super) fn current(&self, deploy: Deploy) -> Deploy {
        let open = self.lock().get(&deploy.id).cloned();
        open.map_or(deploy, |recorder| recorder.deploy())
    }

    /// The events from a number on; ends after the last one of a deploy that has ended.
    pub(super) fn follow(
        &self,
        store: Arc<Store>,
        deploy: DeployId,
        from: u64,
    ) -> BoxStream<'static, Result<Event, StoreError>> {
        let recorder = self.lock().get(&deploy).cloned();
        let newest = recorder.as_ref().map(|recorder| recorder.newest.subscribe());
        let recorder = recorder.as_ref().map(Arc::downgrade).unwrap_or_default();
        let reader = Reader { store, deploy, next: from.max(1), newest, recorder, broken: false };
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
    /// Of a deploy that has not ended. It has what is not on disk.
    recorder: Weak<Recorder>,
    /// The store could not be read, and would hardly be at the next try: whoever reads asks again if they wish.
    broken: bool,
}

impl Reader {
    async fn page(&mut self) -> Option<Result<Vec<Event>, StoreError>> {
        while !self.broken {
            let events: Vec<Event> = match self.store.read(Log::Events, self.deploy, self.next, PAGE) {
                Ok(events) if events.is_empty() => self.unwritten(),
                Ok(events) => events,
                Err(error) => {
                    self.broken = true;
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
        None
    }

    fn unwritten(&self) -> Vec<Event> {
        self.recorder.upgrade().map(|recorder| recorder.events.unwritten_from(self.next)).unwrap_or_default()
    }
}

/// Takes down what happens in one deploy.
#[derive(Debug)]
pub(super) struct Recorder {
    store: Arc<Store>,
    record: Mutex<Record>,
    events: Writer<Event>,
    build_lines: AtomicU32,
    newest: watch::Sender<u64>,
    /// Tells those who watch the server that something changed.
    changed: watch::Sender<u64>,
    /// Its values are kept out of what is taken down.
    vault: Arc<Vault>,
}

#[derive(Debug)]
struct Record {
    deploy: Deploy,
    /// It is on disk as it is here.
    is_saved: bool,
}

impl Recorder {
    pub(super) fn deploy(&self) -> Deploy {
        self.lock().deploy.clone()
    }

    /// Returns once all of it is in the store; it lasts with what is written there next, such as the first of a journal.
    pub(super) fn save(&self) -> Result<(), StoreError> {
        self.events.flush()?;
        self.save_record(&mut self.lock())
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
            What::Warning { message } => {
                tracing::warn!(deploy = %self.lock().deploy.id, "{}", self.vault.redact(message));
            }
            _ => {}
        }
        self.append(what);
    }

    /// The end: after it nothing is reported.
    pub(super) fn finish(&self, mut outcome: Outcome) {
        redact::outcome(&mut outcome, &self.vault);
        log_end(&self.deploy(), &outcome);
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
        let mut record = self.lock();
        change(&mut record.deploy);
        record.is_saved = false;
        if let Err(error) = self.save_record(&mut record) {
            tracing::error!(deploy = %record.deploy.id, %error, "the history could not be written");
        }
        drop(record);
        self.changed.send_modify(|count| *count += 1);
    }

    fn save_record(&self, record: &mut Record) -> Result<(), StoreError> {
        let Record { deploy, is_saved } = record;
        if !*is_saved {
            self.store.update_deploy(deploy.id, deploy, deploy.is_finished())?;
            *is_saved = true;
        }
        Ok(())
    }

    fn report_output(&self, what: What) {
        match self.build_lines.fetch_add(1, Ordering::Relaxed) {
            count if count < MOST_BUILD_LINES => {
                self.append(what);
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
        let is_output = matches!(what, What::BuildOutput { .. });
        let lasts = if matches!(what, What::Finished { .. }) { Lasts::AtOnce } else { Lasts::WithTheNext };
        let event = |seq| Event { seq, at: Timestamp::now(), what };
        // Output is only kept where there is room for it.
        let written = if is_output { self.events.write(lasts, event) } else { self.events.note(lasts, event) };
        if let Err(error) = written
            && !is_output
        {
            tracing::error!(deploy = %self.lock().deploy.id, %error, "an event is not written yet");
        }
        self.newest.send_replace(self.events.newest());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
/// All of it is in the history; the log gets what tells one end from another.
fn log_end(deploy: &Deploy, outcome: &Outcome) {
    let Deploy { id: deploy, service, .. } = deploy;
    match outcome {
        Outcome::Succeeded => tracing::info!(%deploy, %service, "deploy succeeded"),
        Outcome::Failed { failure } => {
            tracing::warn!(%deploy, %service, phase = ?failure.phase, reason = failure.message, "deploy failed");
        }
        Outcome::Superseded { by } => tracing::info!(%deploy, %service, %by, "deploy superseded"),
        Outcome::Cancelled { by } => tracing::info!(%deploy, %service, by, "deploy cancelled"),
        Outcome::Interrupted { detail } => tracing::warn!(%deploy, %service, detail, "deploy interrupted"),
    }
}
