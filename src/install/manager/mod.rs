//! What keeps a server running: systemd, or where there is none a supervisor of our own.
//!
//! ```text
//! systemd.rs      the unit, and systemctl
//! supervised.rs   the supervisor's process, from outside
//! supervisor.rs   from inside: starts the server again when it ends or hangs
//! log_file.rs     what it says, bounded
//! ```

pub mod log_file;
mod supervised;
pub mod supervisor;
mod systemd;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub use self::supervised::Supervised;
pub use self::systemd::Systemd;
use super::account::Account;
use super::command::CommandError;

#[derive(Debug, thiserror::Error)]
pub enum ManagerError {
    #[error("could not {action} {}", path.display())]
    File { action: &'static str, path: PathBuf, source: io::Error },
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("the supervisor could not be started")]
    Start(#[source] io::Error),
    #[error("the supervisor, process {pid}, does not end")]
    DoesNotEnd { pid: u32 },
}

/// A server, and how it is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemon {
    /// The server folder.
    pub home: PathBuf,
    /// The binary, by the path under which the next one will lie too.
    pub program: PathBuf,
    pub account: Account,
    /// Tells two servers of one machine apart; the usual one is `mypaas`.
    pub name: String,
    /// Where the container engine listens, as in `DOCKER_HOST`; none: that is not said anew.
    pub docker_host: Option<String>,
}

/// What runs, as far as its manager knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Of the server itself; none: it does not run now.
    pub pid: Option<u32>,
    /// It starts with the machine.
    pub at_boot: bool,
}

/// What became of how a server is started when its program became another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    AsBefore,
    /// It is not as the program before would write it, so it stays.
    Own {
        unit: String,
    },
    Renewed {
        before: String,
    },
}

/// Keeps one server running.
#[derive(Debug, Clone)]
pub enum Manager {
    Systemd(Systemd),
    Supervised(Supervised),
}

impl Manager {
    /// The one that fits: systemd where it runs the machine, unless a process of our own is asked for.
    pub fn choose(daemon: Daemon, supervise: bool) -> Self {
        match supervise || !super::docker::has_systemd() {
            true => Self::Supervised(Supervised::new(daemon)),
            false => Self::Systemd(Systemd::new(daemon)),
        }
    }

    /// The one that keeps this server now; none when nothing does.
    pub fn found(daemon: Daemon) -> Option<Self> {
        let (unit, supervised) = (Systemd::new(daemon.clone()), Supervised::new(daemon));
        if supervised.pid().is_some() || supervised.was_set_up() && !unit.is_installed() {
            return Some(Self::Supervised(supervised));
        }
        unit.is_installed().then_some(Self::Systemd(unit))
    }

    /// What it is, for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Systemd(systemd) => format!("systemd, {}", systemd.unit()),
            Self::Supervised(_) => "a supervisor process".to_owned(),
        }
    }

    /// Writes what it needs; whether anything was different.
    pub async fn install(&self) -> Result<bool, ManagerError> {
        match self {
            Self::Systemd(systemd) => systemd.install().await,
            Self::Supervised(_) => Ok(false),
        }
    }

    /// Brings what [`install`](Self::install) wrote up to date with the program that lies there now. It holds from the next
    /// start on.
    pub async fn renew(&self) -> Result<Renewal, ManagerError> {
        match self {
            Self::Systemd(systemd) => systemd.renew().await,
            Self::Supervised(_) => Ok(Renewal::AsBefore),
        }
    }

    /// Undoes [`renew`](Self::renew).
    pub async fn put_back(&self, before: &str) -> Result<(), ManagerError> {
        match self {
            Self::Systemd(systemd) => systemd.write(before).await,
            Self::Supervised(_) => Ok(()),
        }
    }

    /// Has the server run; one that runs is left alone. It may take a while until it answers.
    pub async fn start(&self) -> Result<(), ManagerError> {
        match self {
            Self::Systemd(systemd) => systemd.start().await,
            Self::Supervised(supervised) => supervised.start(),
        }
    }

    /// Ends the server, when its deploys have come to their end, and has it run again, also when whoever asks for it is
    /// interrupted meanwhile.
    pub async fn restart(&self) -> Result<(), ManagerError> {
        match self {
            Self::Systemd(systemd) => systemd.restart().await,
            Self::Supervised(supervised) => supervised.restart().await,
        }
    }

    pub async fn stop(&self) -> Result<(), ManagerError> {
        match self {
            Self::Systemd(systemd) => systemd.stop().await,
            Self::Supervised(supervised) => supervised.stop().await,
        }
    }

    pub async fn running(&self) -> Running {
        match self {
            Self::Systemd(systemd) => systemd.running().await,
            Self::Supervised(supervised) => supervised.running(),
        }
    }

    /// The end of what the server wrote.
    pub async fn last_lines(&self) -> String {
        match self {
            Self::Systemd(systemd) => systemd.last_lines().await,
            Self::Supervised(supervised) => supervised.last_lines(),
        }
    }
}

/// A server lets its deploys come to their end for up to 90 s.
const STOP_LIMIT: Duration = Duration::from_secs(110);
