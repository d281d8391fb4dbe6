//! A supervisor, and the server that it keeps running: the program's own, with no engine to be found.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::stage::{Ended, program};

const PATIENCE: Duration = Duration::from_secs(60);

/// A server folder whose supervisor and server end with the test.
struct Kept(tempfile::TempDir);

impl Kept {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("user")).unwrap();
        Self(folder)
    }

    fn home(&self) -> &Path {
        self.0.path()
    }

    fn lock(&self) -> PathBuf {
        self.home().join("supervisor.lock")
    }

    /// The supervisor that said last that it looks after the folder, when it is still there.
    fn supervisor(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.lock()).ok()?;
        let pid = Pid::from_raw(text.split_whitespace().next()?.parse().ok()?);
        kill(pid, None).is_ok().then_some(pid)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let Some(pid) = self.supervisor() else { return };
        // It may have gone just now.
        let _ = kill(pid, Signal::SIGTERM);
        let begun = Instant::now();
        while kill(pid, None).is_ok() && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Waits for it.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_restart_that_is_interrupted_leaves_a_supervisor_there() {
    let kept = Kept::new();
    let quiet = |line: &str| {
        let mut command = program(kept.home(), line);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut first = quiet("server supervise");
    let before = until("a supervisor", || kept.supervisor());
    let mut restart = quiet("server restart daemon");
    let ended = until("the one before is told to end", || first.try_wait().unwrap());
    kill(Pid::from_raw(restart.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert!(ended.success(), "the one before came to a good end");
    assert_eq!(restart.wait().unwrap().code(), Some(130));
    until("another supervisor", || kept.supervisor().filter(|pid| *pid != before));
}

/// Somebody holds the lock of an upgrade for as long as this is there.
fn upgrading(home: &Path) -> nix::fcntl::Flock<std::fs::File> {
    let lock = std::fs::File::create(home.join("upgrade.lock")).unwrap();
    nix::fcntl::Flock::lock(lock, nix::fcntl::FlockArg::LockExclusive).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_upgrades_is_told_of_the_first() {
    let kept = Kept::new();
    // As far as anybody knows a supervisor was set up here.
    std::fs::write(kept.lock(), "").unwrap();
    std::fs::write(kept.home().join("new"), "#!/bin/sh\n").unwrap();
    let line = format!("server swap {home}/new --program {home}/mypaas", home = kept.home().display());
    let first = upgrading(kept.home());
    let told = ["another upgrade of this server goes on"];
    Ended::of(&line, &mut program(kept.home(), &line)).failed(1, &told);
    drop(first);
}
