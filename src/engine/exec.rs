//! A command that runs in a container, on a terminal of its own.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::Result;

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Beside the container's own variables.
    pub env: BTreeMap<String, String>,
    pub size: TerminalSize,
}

/// How large a terminal is, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    pub columns: u16,
    pub rows: u16,
}

/// Both directions of a terminal that a command runs on. Once `input` is dropped, the command is hung up on, as when a
/// terminal is closed.
pub struct ExecSession {
    pub input: mpsc::Sender<ExecInput>,
    /// Ends after [`ExecOutput::Exited`], or with an error.
    pub output: BoxStream<'static, Result<ExecOutput>>,
}

/// What goes to the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecInput {
    Bytes(Bytes),
    Resize(TerminalSize),
}

/// What comes from the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecOutput {
    Bytes(Bytes),
    Exited { code: i64 },
}

impl fmt::Debug for ExecSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecSession").finish_non_exhaustive()
    }
}
