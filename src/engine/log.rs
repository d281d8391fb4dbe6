//! What containers write.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::name::ContainerName;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogQuery {
    /// Only the last so many lines of what there is; none means all.
    pub tail: Option<u32>,
    /// Only what was written since then.
    pub since: Option<Timestamp>,
    /// Goes on until the container is removed.
    pub follow: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    pub container: ContainerName,
    pub at: Timestamp,
    pub stream: LogStream,
    /// Without its line end; bytes that are not UTF-8 replaced.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogStream {
    Stdout,
    Stderr,
}
