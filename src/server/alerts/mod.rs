//! What gives cause for concern: found in what is seen, told once it lasts, and told to webhooks when it begins and when
//! it is over.
//!
//! ```text
//! cause.rs     a snapshot → causes; pure
//! restarts.rs  how often containers died of late
//! book.rs      causes → alerts that do not flap; pure
//! letter.rs    an alert as a webhook wants it
//! webhook.rs   sends it
//! ```

mod book;
mod cause;
mod letter;
mod restarts;
mod webhook;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use self::book::Book;
use self::cause::Sight;
pub(super) use self::letter::Occasion;
use self::restarts::Restarts;
pub(super) use self::webhook::Webhooks;
use super::core::Core;
use super::figures::Archive;
use crate::api::{Alert, Snapshot};

/// Where the book is kept while the server does not run.
const NOTE: &str = "alerts";

/// No certificate is to have less time left, unless its authority gives shorter ones.
const CERTIFICATE_TIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// All alerts, and those that may become some.
#[derive(Debug)]
pub(super) struct Alerts {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    book: Book,
    restarts: Restarts,
}

impl Alerts {
    /// As they were when the server stopped.
    pub(super) fn open(archive: &Archive) -> Self {
        let book = archive.noted(NOTE).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Self { state: Mutex::new(State { book, restarts: Restarts::default() }) }
    }

    /// The gravest first.
    pub(super) fn current(&self) -> Vec<Alert> {
        self.lock().book.alerts()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// Takes a look at the server for what gives cause for concern, and tells what began and what is over.
    pub(super) fn consider(&self, snapshot: &Snapshot) -> Vec<Alert> {
        let now = Timestamp::now();
        let unwell = self.figures.board().unwell;
        let mut state = self.alerts.lock();
        let State { book, restarts } = &mut *state;
        restarts.see(snapshot, now);
        let authority = Duration::from_secs(u64::from(self.config.acme.hours) * 3600 / 10);
        let certificate_time = CERTIFICATE_TIME.min(authority);
        let sight = Sight { snapshot, restarts, unwell: &unwell, certificate_time, active: book };
        let causes = cause::causes(&sight, now);
        let told = book.update(causes, now);
        if !told.is_empty() {
            match serde_json::to_string(book) {
                Ok(text) => self.figures.archive.note(NOTE, &text),
                Err(error) => tracing::error!(%error, "alerts cannot be kept"),
            }
        }
        let alerts = book.alerts();
        drop(state);
        told.into_iter().for_each(|(occasion, alert)| self.webhooks.tell(occasion, &alert));
        alerts
    }
}
