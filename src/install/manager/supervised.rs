//! The supervisor's process, as others see it: it holds a lock for as long as it lives, and says in a file who it is.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use super::{Daemon, ManagerError, Running, STOP_LIMIT, log_file};
use crate::install::command;

const BETWEEN_LOOKS: std::time::Duration = std::time::Duration::from_millis(50);

#[derive(Debug, Clone)]
pub struct Supervised {
    daemon: Daemon,
}

/// Has a supervisor end the one before it.
const REPLACE: &str = "--replace";

/// The lock, with who holds it: the supervisor's process, and perhaps the server's.
pub(super) fn lock_path(home: &Path) -> PathBuf {
    home.join("supervisor.lock")
}

pub(super) fn log_path(home: &Path) -> PathBuf {
    home.join("log/server.log")
}

impl Supervised {
    /// Of this server, whether or not it has one.
    pub fn new(daemon: Daemon) -> Self {
        Self { daemon }
    }

    pub(super) fn was_set_up(&self) -> bool {
        lock_path(&self.daemon.home).exists()
    }

    /// The supervisor's, when it lives.
    pub(super) fn pid(&self) -> Option<u32> {
        self.pids().first().copied()
    }

    fn pids(&self) -> Vec<u32> {
        let path = lock_path(&self.daemon.home);
        let Ok(file) = OpenOptions::new().read(true).open(&path) else { return Vec::new() };
        match Flock::lock(file, FlockArg::LockSharedNonblock) {
            Err((_, Errno::EWOULDBLOCK)) => {
                let text = fs::read_to_string(&path).unwrap_or_default();
                text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn start(&self) -> Result<(), ManagerError> {
        if self.pid().is_some() {
            return Ok(());
        }
        self.spawn(&[]).map(drop)
    }

    /// It is the new supervisor that ends the old one: whoever asked for it may be interrupted. Returns once the old one has
    /// ended, or the new one: that it did not even begin is for the caller to find out.
    pub(super) async fn restart(&self) -> Result<(), ManagerError> {
        let Some(old) = self.pid() else { return self.start() };
        let (mut new, start) = (self.spawn(&[REPLACE])?, Instant::now());
        while self.pid() == Some(old) && start.elapsed() < STOP_LIMIT {
            if new.try_wait().map_err(ManagerError::Start)?.is_some() {
                break;
            }
            sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    /// The process outlives this one, and the session that it was started from.
    fn spawn(&self, arguments: &[&str]) -> Result<Child, ManagerError> {
        let Daemon { home, program, account, .. } = &self.daemon;
        let log = self.log()?;
        let said = log.try_clone().map_err(ManagerError::Start)?;
        let mut command = match account.is_another() {
            false => Command::new(program),
            true => {
                // With all groups of the user, so that Docker's socket is theirs to use.
                let mut command = Command::new("setpriv");
                let (user, group) = (account.uid.to_string(), account.gid.to_string());
                command.args(["--reuid", &user, "--regid", &group, "--init-groups", "--"]).arg(program);
                command
            }
        };
        command
            .args(["server", "supervise"])
            .args(arguments)
            .env("MYPAAS_HOME", home)
            .env("HOME", &account.home)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(said)
            .stderr(log);
        command.spawn().map_err(ManagerError::Start)
    }

    /// For a supervisor that does not even begin: what it says then stands where the server's words do.
    fn log(&self) -> Result<File, ManagerError> {
        let Daemon { home, account, .. } = &self.daemon;
        let path = log_path(home);
        let folder = path.parent().unwrap_or(home);
        let open = || {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
            account.own(folder).and_then(|()| account.own(&path)).map(|()| file)
        };
        open().map_err(|source| ManagerError::File { action: "open", path: path.clone(), source })
    }

    /// Returns once supervisor and server are gone.
    pub async fn stop(&self) -> Result<(), ManagerError> {
        let Some(pid) = self.pid() else { return Ok(()) };
        let start = Instant::now();
        signal(pid, Signal::SIGTERM);
        while self.pid().is_some() {
            if start.elapsed() >= STOP_LIMIT {
                self.pids().into_iter().for_each(|pid| signal(pid, Signal::SIGKILL));
                sleep(BETWEEN_LOOKS).await;
                return if self.pid().is_some() { Err(ManagerError::DoesNotEnd { pid }) } else { Ok(()) };
            }
            sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    pub(super) fn running(&self) -> Running {
        Running { pid: self.pids().get(1).copied(), at_boot: false }
    }

    pub(super) fn last_lines(&self) -> String {
        command::last_lines(&log_file::tail(&log_path(&self.daemon.home)).unwrap_or_default())
    }
}

/// That it ended meanwhile is what was wanted.
fn signal(pid: u32, signal: Signal) {
    if let Ok(pid) = i32::try_from(pid) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}
