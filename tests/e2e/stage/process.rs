//! `mypaas serve` as a child process.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{fs, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::UnixDatagram;
use tokio::process::Child;
use tokio::time::timeout;

use super::Stage;

/// The server itself gives up its start, or waits for a deploy at its stop, sooner.
const LIMIT: Duration = Duration::from_secs(120);

/// It dies when it is dropped; its log is shown when that is by a panic.
pub(crate) struct Process {
    child: Child,
    notices: UnixDatagram,
    log: PathBuf,
}

impl Process {
    pub(super) fn spawn(stage: &Stage) -> Self {
        let log = stage.path().join("server.log");
        let socket = stage.path().join("notify");
        let _ = fs::remove_file(&socket);
        let notices = UnixDatagram::bind(&socket).unwrap();
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let child = stage
            .bound_command(&["serve"])
            .env("NOTIFY_SOCKET", socket)
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .stdin(Stdio::null())
            .spawn();
        Self { child: child.unwrap(), notices, log }
    }

    /// Waits until it notifies its service manager so.
    pub(crate) async fn until_told(&mut self, notice: &str) {
        let mut buffer = [0; 4096];
        let told = async {
            loop {
                tokio::select! {
                    got = self.notices.recv(&mut buffer) => {
                        let text = String::from_utf8_lossy(&buffer[..got.unwrap()]).into_owned();
                        if text.lines().any(|line| line == notice) {
                            return;
                        }
                    }
                    status = self.child.wait() => panic!("the server ended with {status:?} before it told {notice}"),
                }
            }
        };
        assert!(timeout(LIMIT, told).await.is_ok(), "the server did not tell {notice}");
    }

    pub(crate) fn terminate(&self) {
        kill(self.pid(), Signal::SIGTERM).unwrap();
    }

    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Its exit code; none when a signal ended it.
    pub(crate) async fn end(&mut self) -> Option<i32> {
        timeout(LIMIT, self.child.wait()).await.expect("the server does not end").unwrap().code()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().unwrap().try_into().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself. What it holds in Docker is swept next, so it must be gone.
        let _ = self.child.start_kill();
        let start = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && start.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(5));
        }
        if thread::panicking() {
            eprintln!("the server's log:\n{}", fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}
