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

    /// The supervisor's process, and the server's.
    fn pids(&self) -> Vec<i32> {
        let text = std::fs::read_to_string(self.lock()).unwrap_or_default();
        text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }

    /// Both, once both are others than these and the server answers.
    fn runs(&self, others_than: &[i32]) -> Vec<i32> {
        let begun = Instant::now();
        loop {
            let pids = self.pids();
            let are_new = pids.len() == 2 && pids.iter().all(|pid| !others_than.contains(pid));
            if are_new && std::os::unix::net::UnixStream::connect(self.home().join("mypaas.sock")).is_ok() {
                return pids;
            }
            let log = std::fs::read_to_string(self.home().join("log/server.log")).unwrap_or_default();
            assert!(begun.elapsed() < PATIENCE, "it does not run: {pids:?}\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        for pid in self.pids() {
            // It may be gone already.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

#[test]
fn a_restart_that_is_interrupted_leaves_the_server_running() {
    let kept = Kept::new();
    let quiet = |line: &str| {
        let mut command = program(kept.home(), line);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let mut first = quiet("server supervise");
    let before = kept.runs(&[]);
    let mut restart = quiet("server restart daemon");
    let begun = Instant::now();
    // As soon as the one before is told to end.
    while kept.pids() == before {
        assert!(begun.elapsed() < PATIENCE, "nothing was restarted");
        std::thread::sleep(Duration::from_millis(1));
    }
    kill(Pid::from_raw(restart.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(restart.wait().unwrap().code(), Some(130));
    kept.runs(&before);
    assert!(first.wait().unwrap().success(), "the one before came to a good end");
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
