//! Everything that can reach the console, as data: keys, what servers said, answers to what was asked. A session is
//! the sequence of its messages; played again, it shows the same.

use std::path::PathBuf;

use jiff::Timestamp;
use mypaas::api::{
    AuditEntry, Deploy, DiskView, Event, History, LogsOf, PlanView, Problem, Pruned, ReleaseView, ServiceDetail,
    Snapshot, Span, VariableView,
};
use mypaas::name::{DeployId, ServerName};
use ratatui::layout::{Position, Size};
use serde::{Deserialize, Serialize};

use super::key::Key;
use super::model::Ticket;
use super::model::fleet::ServiceAt;
use super::model::histories::Measured;
use super::model::logs::Caught;
use super::model::push::{FolderReport, FoundFolder, Glance};

/// A message and when it came.
#[derive(Debug, Clone)]
pub(crate) struct Stamped {
    pub at: Timestamp,
    pub message: Message,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Message {
    Key(Key),
    Pasted(String),
    Mouse(Mouse),
    Resized(Size),
    /// Something shown has become older.
    Tick,
    /// The process was told to end.
    Told,
    /// The recording of this session ended before it, for this reason.
    RecordingEnded(String),
    Server {
        server: ServerName,
        news: ServerNews,
    },
    Detail {
        at: ServiceAt,
        result: Result<Box<ServiceDetail>, Problem>,
    },
    Deploy {
        server: ServerName,
        id: DeployId,
        news: News<Event>,
    },
    Logs {
        at: ServiceAt,
        of: LogsOf,
        since: Option<Timestamp>,
        news: LogNews,
    },
    Planned {
        ticket: Ticket,
        result: Result<PlanView, Problem>,
    },
    /// The server took a deploy, or did not.
    Answered {
        ticket: Ticket,
        server: ServerName,
        result: Result<Box<Deploy>, Problem>,
    },
    /// The server cancelled a deploy, or did not.
    Cancelled {
        ticket: Ticket,
        result: Result<(), Problem>,
    },
    /// The server pinned a release, or unpinned it, or did not.
    Pinned {
        ticket: Ticket,
        at: ServiceAt,
        result: Result<Box<ReleaseView>, Problem>,
    },
    History {
        of: Measured,
        span: Span,
        result: Result<Box<History>, Problem>,
    },
    /// What a server noted of everybody.
    Audit {
        server: ServerName,
        result: Result<Vec<AuditEntry>, Problem>,
    },
    Variables {
        server: ServerName,
        result: Result<Vec<VariableView>, Problem>,
    },
    /// The server changed a variable, or did not.
    VariableChanged {
        ticket: Ticket,
        server: ServerName,
        result: Result<VariableView, Problem>,
    },
    /// What the disks of a server hold.
    Disk {
        reading: Ticket,
        result: Result<Box<DiskView>, Problem>,
    },
    /// The server removed what may go, or did not.
    Pruned {
        ticket: Ticket,
        server: ServerName,
        result: Result<Pruned, Problem>,
    },
    Folders {
        ticket: Ticket,
        found: Vec<FoundFolder>,
    },
    Recents {
        folders: Vec<PathBuf>,
    },
    /// What a folder is at a glance, under the path that was typed.
    Glanced {
        folder: String,
        glance: Box<Glance>,
    },
    Checked {
        ticket: Ticket,
        report: Box<FolderReport>,
    },
    /// A shell was left, or there was none. With its exit code when it ended by itself.
    ShellEnded {
        at: ServiceAt,
        result: Result<Option<i64>, Problem>,
    },
    /// The editor was closed, or could not be opened.
    Edited {
        result: Result<(), Problem>,
    },
    /// The Dockerfile of a folder that is looked at is another one now.
    DockerfileChanged {
        folder: PathBuf,
    },
    /// What was to be saved was, under this path, or was not.
    Saved {
        result: Result<PathBuf, Problem>,
    },
    Sent {
        ticket: Ticket,
        bytes: u64,
    },
}

/// What the mouse did, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mouse {
    pub at: Position,
    pub what: Gesture,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Gesture {
    Click,
    /// With the other button.
    Mark,
    WheelUp,
    WheelDown,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ServerNews {
    Snapshot(Box<Snapshot>),
    /// What it said in an earlier session, and when it last gave a sign of life then.
    Remembered {
        snapshot: Box<Snapshot>,
        heard: Timestamp,
    },
    /// It is there, though it has nothing to say.
    Alive,
    /// It does not answer; it is tried again.
    Lost(Problem),
    /// There is no way to it; it is not tried.
    NoWay(Problem),
}

/// What a stream of logs brings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogNews {
    /// The stream began, perhaps anew.
    Began,
    Some(Vec<Caught>),
    /// There will be no more.
    Ended,
    /// It broke; it is tried again.
    Lost(Problem),
}

/// What a stream of many things brings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum News<T> {
    /// The stream began, perhaps anew.
    Began,
    Some(Vec<T>),
    /// There will be no more.
    Ended,
    /// It broke; it is tried again.
    Lost(Problem),
}
