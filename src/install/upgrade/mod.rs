//! Another binary for a server that runs: tried, put in place, and replaced by the one before when the server does not
//! come up with it. Services and the router are containers, and are not touched; a server that wants another router replaces
//! it when it starts.
//!
//! ```text
//! try it → keep the old one → put it in place → restart → does it answer? ─ no → the old one → restart
//!                                                               └─ yes → its unit → restart → does it? ─ no → the old unit
//! ```
//!
//! All of it happens on the server, in a process of its own: whoever asked for it may go away meanwhile. How it stands
//! is in a file.
//!
//! ```text
//! record.rs       that file
//! files.rs        the two binaries
//! unfinished.rs   when that process ends before it knows how the upgrade went
//! ```

mod files;
mod record;
mod unfinished;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use nix::fcntl::{Flock, FlockArg};

pub use self::files::kept;
use self::files::{keep, put_back, put_in_place};
pub use self::record::{Record, Stage, path, read};
pub use self::unfinished::{before_start, confirm};
use super::command::{self, CommandError};
use super::health::{self, Demand, Unwell};
use super::manager::{Daemon, Manager, ManagerError, Renewal};

/// How long a program may take to say its version.
const VERSION_LIMIT: Duration = Duration::from_secs(20);

/// How long the old server may take to come up again.
const BACK_LIMIT: Duration = Duration::from_secs(120);

#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    #[error("the new program does not run on this machine")]
    DoesNotRun(#[source] CommandError),
    #[error("the new program is no mypaas: asked for its version, it said {0:?}")]
    Stranger(String),
    #[error("another upgrade of this server goes on")]
    GoesOn,
    #[error("could not {action} {}", path.display())]
    File { action: &'static str, path: PathBuf, source: io::Error },
    #[error("the server could not be restarted")]
    Restart(#[from] ManagerError),
    #[error("the server did not come up")]
    Unwell(#[from] Unwell),
    #[error("the server came up as {found}, and not as {wanted}")]
    OtherVersion { found: String, wanted: String },
}

/// One upgrade.
#[derive(Debug)]
pub struct Upgrade {
    /// Tells it from others.
    pub id: String,
    /// The new binary, beside the old one; it is taken away.
    pub new: PathBuf,
    pub daemon: Daemon,
    pub manager: Manager,
    /// How long the new server may take until it is well.
    pub limit: Duration,
}

/// What a program says its version is, given that it is a mypaas and runs here.
pub async fn version(program: &Path) -> Result<String, UpgradeError> {
    let told = command::run(&program.display().to_string(), &["--version"], VERSION_LIMIT).await;
    let told = told.map_err(UpgradeError::DoesNotRun)?;
    let version = told.trim().strip_prefix("mypaas ").map(str::to_owned);
    version.ok_or_else(|| UpgradeError::Stranger(told.trim().chars().take(80).collect()))
}

impl Upgrade {
    /// Does all of it. How it ended is in the record too.
    pub async fn carry_out(&self) -> Record {
        let mut record = Record::begin(self.id.clone());
        let record = match lock(&self.daemon.home) {
            Ok(_lock) => {
                // The server takes it too; without it that one is told nothing that it needs.
                let _ = self.daemon.account.own(&lock_path(&self.daemon.home));
                let outcome = self.attempt(&mut record).await;
                let record = record.end(outcome);
                self.write(&record);
                record
            }
            // The record is the other one's.
            Err(error) => record.end(Stage::Refused { reason: chain(&error) }),
        };
        // Where it was taken over it is gone already.
        let _ = fs::remove_file(&self.new);
        record
    }

    async fn attempt(&self, record: &mut Record) -> Stage {
        // What is kept has to be a program that came up.
        if let Err(error) = unfinished::undo(&self.daemon) {
            return Stage::Refused { reason: chain(&error) };
        }
        self.write(record);
        let wanted = match version(&self.new).await {
            Ok(wanted) => wanted,
            Err(error) => return Stage::Refused { reason: chain(&error) },
        };
        let before = health::look(&self.daemon.home).await.ok();
        let parts = before.as_ref().is_some_and(|view| view.engine.up().is_some() && view.router.up().is_some());
        record.from = before.map(|view| view.version);
        record.to = Some(wanted.clone());
        if let Err(error) = keep(&self.daemon.program) {
            return Stage::Refused { reason: chain(&error) };
        }
        self.at(record, Stage::Swapping);
        if let Err(error) = put_in_place(&self.new, &self.daemon.program) {
            return Stage::Refused { reason: chain(&error) };
        }
        self.at(record, Stage::Restarting);
        let Err(error) = self.restart(&wanted, parts).await else {
            return match self.renew(&wanted, parts).await {
                Ok(told) => {
                    record.unit = told;
                    Stage::Done
                }
                Err((error, then)) => Stage::Down { reason: chain(&error), then: chain(&then) },
            };
        };
        let mut reason = chain(&error);
        let last_lines = self.manager.last_lines().await;
        if !last_lines.is_empty() {
            reason = format!("{reason}\nits last lines:\n{last_lines}");
        }
        self.at(record, Stage::Reverting { reason: reason.clone() });
        match self.revert().await {
            Ok(()) => Stage::Reverted { reason },
            Err(error) => Stage::Down { reason, then: chain(&error) },
        }
    }

    async fn restart(&self, wanted: &str, parts: bool) -> Result<(), UpgradeError> {
        let since = Some(Timestamp::now());
        self.manager.restart().await?;
        let view = health::wait(&self.daemon.home, Demand { since, parts, limit: self.limit }).await?;
        match view.version == wanted {
            true => Ok(()),
            false => Err(UpgradeError::OtherVersion { found: view.version, wanted: wanted.to_owned() }),
        }
    }

    /// How the new program wants to be started, once it has shown that it comes up as the old one did; so a program never
    /// stands under the unit of a later one. What there is to say of it, or why nothing comes up any more.
    async fn renew(&self, wanted: &str, parts: bool) -> Result<Option<String>, (UpgradeError, UpgradeError)> {
        let before = match self.manager.renew().await {
            Ok(Renewal::AsBefore) => return Ok(None),
            Ok(Renewal::Own { unit }) => {
                return Ok(Some(format!(
                    "{unit} was changed, so it stays as it is; `mypaas server init` writes it anew"
                )));
            }
            Err(error) => return Ok(Some(format!("it stays as it is: {}", chain(&error)))),
            Ok(Renewal::Renewed { before }) => before,
        };
        let Err(error) = self.restart(wanted, parts).await else {
            return Ok(Some("is the one that the new program wants".to_owned()));
        };
        // Where it cannot be read anew it still may be started.
        let reloaded = self.manager.put_back(&before).await;
        match self.restart(wanted, parts).await {
            Ok(()) => Ok(Some(format!("the one of before is back, since with the new one: {}", chain(&error)))),
            Err(then) => Err((error, reloaded.err().map_or(then, UpgradeError::from))),
        }
    }

    async fn revert(&self) -> Result<(), UpgradeError> {
        let since = Some(Timestamp::now());
        put_back(&self.daemon.program)?;
        self.manager.restart().await?;
        health::wait(&self.daemon.home, Demand { since, parts: false, limit: BACK_LIMIT }).await?;
        Ok(())
    }

    fn at(&self, record: &mut Record, stage: Stage) {
        record.stage = stage;
        self.write(record);
    }

    /// For those who wait; the upgrade itself goes on without it.
    fn write(&self, record: &Record) {
        let path = path(&self.daemon.home);
        if record.write(&path).is_ok() {
            let _ = self.daemon.account.own(&path);
        }
    }
}

/// Whether the server of this folder is being upgraded right now.
pub fn goes_on(home: &Path) -> bool {
    matches!(lock(home), Err(UpgradeError::GoesOn))
}

fn lock_path(home: &Path) -> PathBuf {
    home.join("upgrade.lock")
}

fn lock(home: &Path) -> Result<Flock<File>, UpgradeError> {
    let path = lock_path(home);
    let failed = |source| UpgradeError::File { action: "open", path: path.clone(), source };
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(failed)?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|_| UpgradeError::GoesOn)
}

/// An error with what led to it, in one line each.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!("\n{error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[tokio::test]
    async fn only_a_mypaas_that_runs_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let good = script(folder.path(), "good", "echo mypaas 9.9.9");
        assert_eq!(version(&good).await.unwrap(), "9.9.9");
        let stranger = script(folder.path(), "stranger", "echo busybox 1.0");
        assert!(matches!(version(&stranger).await, Err(UpgradeError::Stranger(said)) if said == "busybox 1.0"));
        let broken = script(folder.path(), "broken", "echo no libc for you >&2; exit 127");
        let error = version(&broken).await.unwrap_err();
        assert!(chain(&error).contains("no libc for you"), "{}", chain(&error));
    }

    #[tokio::test]
    async fn one_beside_another_is_refused_and_leaves_the_other_s_record_alone() {
        let folder = tempfile::tempdir().unwrap();
        let new = script(folder.path(), "new", "echo mypaas 9.9.9");
        let account = crate::install::Account::current().unwrap();
        let home = folder.path().to_owned();
        let daemon = Daemon {
            home: home.clone(),
            program: home.join("mypaas"),
            account,
            name: "t-upgrade".into(),
            docker_host: None,
        };
        let manager = Manager::choose(daemon.clone(), true);
        let upgrade = Upgrade { id: "second".into(), new: new.clone(), daemon, manager, limit: BACK_LIMIT };
        assert!(!goes_on(&home));
        let first = lock(&home).unwrap();
        Record::begin("first".into()).write(&path(&home)).unwrap();
        assert!(goes_on(&home));
        let Stage::Refused { reason } = upgrade.carry_out().await.stage else { panic!("it was not refused") };
        assert_eq!(reason, UpgradeError::GoesOn.to_string());
        assert_eq!(read(&home).unwrap().id, "first");
        assert!(!new.exists(), "what it brought is gone");
        drop(first);
        assert!(!goes_on(&home));
    }
}
