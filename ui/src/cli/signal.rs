//! Being told to stop from outside.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, MutexGuard};

use super::report::INTERRUPTED;

/// All signals that ask the process to end; from now on they do nothing by themselves.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

/// What would do harm if it were done by half: a signal ends the verb only when it is over.
#[derive(Debug, Default)]
pub(crate) struct Whole(Mutex<()>);

impl Whole {
    /// It lasts until this is dropped.
    pub(crate) async fn begin(&self) -> MutexGuard<'_, ()> {
        self.0.lock().await
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.0.try_lock().is_err()
    }

    pub(crate) async fn until_over(&self) {
        drop(self.0.lock().await);
    }
}

/// Ends the process without any order: it was asked for twice.
pub(crate) fn exit_at_once() -> ! {
    std::process::exit(INTERRUPTED.into())
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn what_is_to_be_done_as_a_whole_is_waited_for() {
        let whole = Whole::default();
        whole.until_over().await;
        let begun = whole.begin().await;
        assert!(whole.is_under_way());
        let mut over = pin!(whole.until_over());
        assert!(poll!(&mut over).is_pending());
        drop(begun);
        over.await;
        assert!(!whole.is_under_way());
    }
}
