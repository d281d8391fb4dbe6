//! Being told to stop from outside.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

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

/// Ends the process without any order: it was asked for twice.
pub(crate) fn exit_at_once() -> ! {
    std::process::exit(INTERRUPTED.into())
}
