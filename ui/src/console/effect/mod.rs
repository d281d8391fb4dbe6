//! What `update` wants from the world, as data: [`Effect`], done once, and [`Subscription`], listened to as long as it
//! is wanted. [`World`] does both; nothing else of the console touches files or network.
//!
//! ```text
//! world.rs     starts what is wanted, ends what is not
//! listen.rs    streams of servers: tried again with growing pauses
//! push.rs      looking at a folder, sending it
//! watch.rs     a Dockerfile that changes
//! memory.rs    what servers said last, for the next session
//! folders.rs   what a typed path may become; the folders that were pushed before
//! poll.rs      what servers do not tell by themselves: asked again and again while it is looked at
//! logs.rs      what containers write, however fast; save.rs  to a file
//! nowhere.rs   what is asked of servers to which there is no way
//! problem.rs   why something did not work, as data
//! ```

mod folders;
mod listen;
mod logs;
mod memory;
mod nowhere;
mod poll;
mod problem;
mod push;
mod save;
mod watch;
mod world;

use std::path::PathBuf;

use jiff::Timestamp;
use mypaas::api::{LogsOf, PlanRequest, Snapshot, Span, Target, VariableChange};
use mypaas::name::{ContainerName, DeployId, ReleaseId, ServerName};

use super::model::Ticket;
use super::model::fleet::ServiceAt;
use super::model::histories::Measured;

pub(crate) use problem::of_client as problem_of_client;
pub(crate) use world::{Inboxes, Opened, World};

/// Something to do once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    Plan {
        ticket: Ticket,
        server: ServerName,
        request: PlanRequest,
    },
    Deploy {
        ticket: Ticket,
        server: ServerName,
        target: Target,
    },
    Cancel {
        ticket: Ticket,
        server: ServerName,
        id: DeployId,
    },
    ChangeVariable {
        ticket: Ticket,
        server: ServerName,
        change: VariableChange,
    },
    /// Pin a release, or unpin it.
    Pin {
        ticket: Ticket,
        at: ServiceAt,
        release: ReleaseId,
        pinned: bool,
    },
    /// Have a server remove what may go.
    Prune {
        ticket: Ticket,
        server: ServerName,
    },
    /// Look at a folder and ask what pushing it would do.
    Check {
        ticket: Ticket,
        server: ServerName,
        folder: PathBuf,
    },
    Push {
        ticket: Ticket,
        server: ServerName,
        folder: PathBuf,
    },
    FindFolders {
        ticket: Ticket,
        typed: String,
    },
    LoadRecents,
    /// Keep what a server said for the next session.
    Keep {
        server: ServerName,
        heard: Timestamp,
        snapshot: Box<Snapshot>,
    },
    /// Open a shell; none: in a container that takes requests.
    Shell {
        at: ServiceAt,
        container: Option<ContainerName>,
    },
    /// Find the Dockerfile of a folder, for the editor.
    Edit {
        folder: PathBuf,
        /// 0: where the editor likes.
        line: u32,
    },
    /// Write a text into a new file.
    Save {
        path: PathBuf,
        text: String,
    },
    Terminal(TerminalEffect),
}

/// Something that only who holds the terminal can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TerminalEffect {
    /// To the terminal's clipboard.
    Copy(String),
    Redraw,
    /// Clicks come here from now on, or no longer.
    Mouse(bool),
    /// Open the editor.
    Edit {
        file: PathBuf,
        line: u32,
    },
    Suspend,
    Quit,
}

impl From<TerminalEffect> for Effect {
    fn from(effect: TerminalEffect) -> Self {
        Effect::Terminal(effect)
    }
}

/// Something to listen to. What is wanted follows from the model, see `Model::wanted`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subscription {
    /// The snapshots of a server.
    Server(ServerName),
    /// The detail of a service, anew for each revision of it.
    Detail { at: ServiceAt, revision: String },
    /// The events of a deploy.
    Deploy { server: ServerName, id: DeployId },
    /// Figures over time.
    History { of: Measured, span: Span },
    /// The variables of a server's environment.
    Variables(ServerName),
    /// What the disks of a server hold, anew for each reading.
    Disk { server: ServerName, reading: Ticket },
    /// What a server noted of everybody.
    Audit(ServerName),
    /// What a folder is, at a glance.
    Glance(String),
    /// Changes of a folder's Dockerfile.
    Dockerfile(PathBuf),
    /// The logs of a service; `running` are its containers, so that new ones are listened to as well.
    Logs { at: ServiceAt, of: LogsOf, since: Option<Timestamp>, running: Vec<ContainerName> },
}
