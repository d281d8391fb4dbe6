//! An upgrade whose own process has ended before it knew how it went: killed, or gone with a reboot. What keeps the server
//! running asks here before each start, and a server that comes up says so.
//!
//! ```text
//! start the new program ─ comes up → done
//!        ↑      └─ ends, and was started too often → the program before
//!        └──────── ends
//! ```

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use nix::fcntl::Flock;
use tokio::time::sleep;

use super::files::{kept, put_back};
use super::{Record, Stage, UpgradeError, chain, lock, path, read};
use crate::install::manager::Daemon;

/// A new program that does not come up is started so often before it is given up.
const STARTS: u32 = 3;

const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// The record of an upgrade that nobody carries out any more. Nobody else touches it for as long as this is held.
struct Unfinished {
    record: Record,
    _lock: Flock<File>,
}

impl Unfinished {
    fn of(home: &Path) -> Option<Self> {
        read(home).filter(Record::is_open)?;
        let lock = lock(home).ok()?;
        // Read again: it may have come to its end just now.
        Some(Self { record: read(home).filter(Record::is_open)?, _lock: lock })
    }
}

/// What is done about it before a server is started; for people to be told, when anything is.
pub fn before_start(daemon: &Daemon) -> Option<String> {
    let Unfinished { mut record, _lock } = Unfinished::of(&daemon.home)?;
    let to = record.to.clone().unwrap_or_default();
    let reason = match &record.stage {
        Stage::Swapping | Stage::Restarting if is_swapped(&daemon.program) => {
            record.starts += 1;
            record.stage = Stage::Restarting;
            if record.starts <= STARTS {
                let told = format!("start {} of {STARTS} of mypaas {to}, whose upgrade was cut off", record.starts);
                return Some(written(&record, daemon, told));
            }
            format!("the upgrade was cut off, and the server did not come up in {STARTS} starts")
        }
        Stage::Reverting { reason } => reason.clone(),
        _ => {
            let reason = "it was cut off before it changed anything".to_owned();
            let told = format!("the upgrade to mypaas {to} was cut off before it changed anything");
            return Some(written(&record.end(Stage::Refused { reason }), daemon, told));
        }
    };
    Some(match put_back(&daemon.program) {
        Ok(()) => {
            let told = format!("the program before mypaas {to} is back: {reason}");
            written(&record.end(Stage::Reverted { reason }), daemon, told)
        }
        // Tried again before the next start.
        Err(error) => format!("the program before mypaas {to} could not be put back: {}", chain(&error)),
    })
}

/// A server of this version came up: that is the end of an upgrade which nobody carries out any more. Waits for as long as
/// somebody does.
pub async fn confirm(home: &Path, version: &str) {
    while let Some(record) = read(home).filter(|record| record.stage == Stage::Restarting) {
        if record.to.as_deref() != Some(version) {
            return;
        }
        if let Some(Unfinished { record, _lock }) = Unfinished::of(home) {
            if record.stage == Stage::Restarting {
                // Else the next server that comes up does it.
                let _ = record.end(Stage::Done).write(&path(home));
            }
            return;
        }
        sleep(BETWEEN_LOOKS).await;
    }
}

/// The program that is in place when another upgrade begins is to be one that came up: it is what that one goes back to.
/// To be called by whoever holds the lock.
pub(super) fn undo(daemon: &Daemon) -> Result<(), UpgradeError> {
    let stage = read(&daemon.home).filter(Record::is_open).map(|record| record.stage);
    match stage {
        Some(Stage::Swapping | Stage::Restarting | Stage::Reverting { .. }) if is_swapped(&daemon.program) => {
            put_back(&daemon.program)
        }
        _ => Ok(()),
    }
}

/// Until then both names are of one file.
fn is_swapped(program: &Path) -> bool {
    let file = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
    file(&kept(program)).is_some_and(|kept| Some(kept) != file(program))
}

fn written(record: &Record, daemon: &Daemon, told: String) -> String {
    let path = path(&daemon.home);
    match record.write(&path).and_then(|()| daemon.account.own(&path)) {
        Ok(()) => told,
        Err(error) => format!("{told}; {} could not be written: {error}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::files;
    use super::*;
    use crate::install::Account;

    /// A server folder, and a program that took the place of another one.
    struct Server {
        _folder: tempfile::TempDir,
        daemon: Daemon,
    }

    /// Of an upgrade that was cut off at this stage.
    fn cut_off(stage: Stage) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let (home, program) = (folder.path().to_owned(), folder.path().join("mypaas"));
        fs::write(&program, "new").unwrap();
        fs::write(kept(&program), "old").unwrap();
        let record = Record { to: Some("9.9.9".into()), stage, ..Record::begin("cut off".into()) };
        record.write(&path(&home)).unwrap();
        let daemon =
            Daemon { home, program, account: Account::current().unwrap(), name: "t-upgrade".into(), docker_host: None };
        Server { _folder: folder, daemon }
    }

    impl Server {
        fn program(&self) -> String {
            fs::read_to_string(&self.daemon.program).unwrap()
        }

        fn record(&self) -> Record {
            read(&self.daemon.home).unwrap()
        }
    }

    #[test]
    fn a_program_that_does_not_come_up_is_taken_back_after_some_starts() {
        for stage in [Stage::Swapping, Stage::Restarting] {
            let server = cut_off(stage);
            for start in 1..=STARTS {
                let told = before_start(&server.daemon).unwrap();
                assert!(told.contains(&format!("start {start} of 3 of mypaas 9.9.9")), "{told}");
                assert_eq!(server.program(), "new");
            }
            let told = before_start(&server.daemon).unwrap();
            assert!(told.contains("is back") && server.program() == "old", "{told}");
            assert!(matches!(server.record().stage, Stage::Reverted { .. }) && !server.record().is_open());
            assert_eq!(before_start(&server.daemon), None, "it is over");
        }
    }

    #[test]
    fn what_was_not_swapped_yet_stays_and_what_was_going_back_goes_back() {
        let server = cut_off(Stage::Swapping);
        files::keep(&server.daemon.program).unwrap();
        let told = before_start(&server.daemon).unwrap();
        assert!(told.contains("before it changed anything") && server.program() == "new", "{told}");
        assert!(matches!(server.record().stage, Stage::Refused { .. }));

        let server = cut_off(Stage::Reverting { reason: "it crashed".into() });
        let told = before_start(&server.daemon).unwrap();
        assert!(told.ends_with("is back: it crashed") && server.program() == "old", "{told}");
    }

    #[test]
    fn what_cannot_be_put_back_is_tried_again() {
        let server = cut_off(Stage::Reverting { reason: "it crashed".into() });
        let aside = server.daemon.home.join("aside");
        fs::rename(kept(&server.daemon.program), &aside).unwrap();
        let told = before_start(&server.daemon).unwrap();
        assert!(told.contains("could not be put back") && server.record().is_open(), "{told}");
        fs::rename(&aside, kept(&server.daemon.program)).unwrap();
        before_start(&server.daemon).unwrap();
        assert_eq!(server.program(), "old");
    }

    #[tokio::test]
    async fn one_that_goes_on_is_left_alone_and_one_that_was_cut_off_is_confirmed_by_a_server_that_came_up() {
        let server = cut_off(Stage::Restarting);
        let home = server.daemon.home.clone();
        let held = lock(&home).unwrap();
        assert_eq!(before_start(&server.daemon), None);
        let waiting = tokio::spawn(async move { confirm(&home, "9.9.9").await });
        sleep(Duration::from_millis(20)).await;
        assert!(server.record().is_open(), "whoever carries it out says how it went");
        drop(held);
        waiting.await.unwrap();
        assert_eq!((server.record().stage, before_start(&server.daemon)), (Stage::Done, None));
        assert_eq!(server.program(), "new");
    }

    #[tokio::test]
    async fn another_version_confirms_nothing() {
        let server = cut_off(Stage::Restarting);
        confirm(&server.daemon.home, "0.0.1").await;
        assert!(server.record().is_open());
    }

    #[test]
    fn another_upgrade_begins_with_the_program_that_came_up() {
        let server = cut_off(Stage::Restarting);
        undo(&server.daemon).unwrap();
        assert_eq!(server.program(), "old");
        let server = cut_off(Stage::Trying);
        undo(&server.daemon).unwrap();
        assert_eq!(server.program(), "new");
    }
}
