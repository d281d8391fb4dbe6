//! Where no systemd is: starts the server, and starts it again when it ends or hangs, with longer and longer pauses.
//!
//! The server tells it what it tells systemd: that it is well, once in a while, by a datagram to a socket.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, setsid};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::UnixDatagram;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::log_file::LogFile;
use super::supervised::{lock_path, log_path};

/// What a server says that is well.
const WELL: &[u8] = b"WATCHDOG=1";

/// A line longer than this is cut into pieces.
const PIECE: usize = 8 * 1024;

const LOCK_ATTEMPTS: u32 = 20;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(25);

#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    #[error("another supervisor already looks after {}", home.display())]
    AlreadyRuns { home: PathBuf },
    #[error("could not set up {}", path.display())]
    File { path: PathBuf, source: io::Error },
}

/// How patient it is.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Before the first start after an end; it doubles with each that follows soon.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// One that ran for so long was well: the pauses begin anew.
    pub steady: Duration,
    /// One that says nothing for so long hangs; it has more time for its start.
    pub silence: Duration,
    /// Between asking it to stop and killing it.
    pub stop: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            steady: Duration::from_secs(60),
            silence: Duration::from_secs(60),
            stop: Duration::from_secs(100),
        }
    }
}

/// What is looked after.
#[derive(Debug, Clone)]
pub struct Supervisor {
    /// The server folder; lock, socket and log lie in it.
    pub home: PathBuf,
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub patience: Patience,
}

/// Why a server has to be started again, or not.
enum End {
    Exited(io::Result<ExitStatus>),
    Hung,
    Told,
}

impl Supervisor {
    /// Goes on until told to stop; then the server has ended too. What is done before each start tells what to note of it.
    pub async fn run(
        &self,
        before_start: impl Fn() -> Option<String>,
        shutdown: CancellationToken,
    ) -> Result<(), SupervisorError> {
        // Away from the session that it was started from; fails only where it leads one already.
        let _ = setsid();
        let mut lock = self.lock().await?;
        let log = self.log()?;
        let socket = self.home.join("supervisor.sock");
        let _ = fs::remove_file(&socket);
        let failed = |source| SupervisorError::File { path: socket.clone(), source };
        let messages = UnixDatagram::bind(&socket).map_err(failed)?;
        let mut pause = self.patience.first_pause;
        while !shutdown.is_cancelled() {
            if let Some(told) = before_start() {
                say(&log, &told);
            }
            let start = Instant::now();
            let end = self.once(&mut lock, &log, &messages, &socket, &shutdown).await;
            if start.elapsed() >= self.patience.steady {
                pause = self.patience.first_pause;
            }
            match end {
                End::Told => break,
                End::Exited(Ok(status)) => say(&log, &format!("the server ended ({status}); starting it in {pause:?}")),
                End::Exited(Err(error)) => {
                    say(&log, &format!("the server could not be run: {error}; again in {pause:?}"));
                }
                End::Hung => say(&log, &format!("the server hung and was killed; starting it in {pause:?}")),
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = shutdown.cancelled() => {}
            }
            pause = (pause * 2).min(self.patience.longest_pause);
        }
        let _ = fs::remove_file(&socket);
        Ok(())
    }

    /// One life of the server.
    async fn once(
        &self,
        lock: &mut Flock<File>,
        log: &Log,
        messages: &UnixDatagram,
        socket: &Path,
        shutdown: &CancellationToken,
    ) -> End {
        let spawned = Command::new(&self.program)
            .args(&self.arguments)
            .env("MYPAAS_HOME", &self.home)
            .env("NOTIFY_SOCKET", socket)
            .env("WATCHDOG_USEC", self.patience.silence.as_micros().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => return End::Exited(Err(error)),
        };
        let pid = child.id().unwrap_or_default();
        note(lock, &format!("{} {pid}\n", std::process::id()));
        if let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) {
            tokio::spawn(keep(out, Arc::clone(log)));
            tokio::spawn(keep(err, Arc::clone(log)));
        }
        let end = tokio::select! {
            status = child.wait() => return End::Exited(status),
            () = self.silence(messages) => End::Hung,
            () = shutdown.cancelled() => End::Told,
        };
        self.end(child, matches!(end, End::Hung)).await;
        note(lock, &format!("{}\n", std::process::id()));
        end
    }

    /// Returns when the server has not said for too long that it is well. It has more time until it says so first.
    async fn silence(&self, messages: &UnixDatagram) {
        let mut deadline = Instant::now() + self.patience.silence * 3;
        let mut message = [0; 1024];
        loop {
            tokio::select! {
                () = sleep_until(deadline) => return,
                received = messages.recv(&mut message) => {
                    let said = &message[..received.unwrap_or_default()];
                    if said.split(|byte| *byte == b'\n').any(|line| line == WELL) {
                        deadline = Instant::now() + self.patience.silence;
                    }
                }
            }
        }
    }

    async fn end(&self, mut child: Child, hangs: bool) {
        if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()).filter(|_| !hangs) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
            let _ = timeout(self.patience.stop, child.wait()).await;
        }
        let _ = child.kill().await;
    }

    async fn lock(&self) -> Result<Flock<File>, SupervisorError> {
        let path = lock_path(&self.home);
        let file = OpenOptions::new().create(true).read(true).write(true).truncate(false).mode(0o600).open(&path);
        let failed = |source| SupervisorError::File { path: path.clone(), source };
        let mut lock = take(file.map_err(failed)?)
            .await
            .ok_or_else(|| SupervisorError::AlreadyRuns { home: self.home.clone() })?;
        note(&mut lock, &format!("{}\n", std::process::id()));
        Ok(lock)
    }

    fn log(&self) -> Result<Log, SupervisorError> {
        let path = log_path(&self.home);
        let failed = |source| SupervisorError::File { path: path.clone(), source };
        let folder = path.parent().unwrap_or(&self.home);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        Ok(Arc::new(Mutex::new(LogFile::open(path.clone()).map_err(failed)?)))
    }
}

type Log = Arc<Mutex<LogFile>>;

/// Whoever looks whether the lock is held has it for a moment.
async fn take(mut file: File) -> Option<Flock<File>> {
    for _ in 0..LOCK_ATTEMPTS {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Some(lock),
            Err((unlocked, _)) => file = unlocked,
        }
        sleep(BETWEEN_ATTEMPTS).await;
    }
    None
}

/// Says in the lock's file who holds it. Without it the lock still tells that somebody does.
fn note(lock: &mut Flock<File>, text: &str) {
    let _ = lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| lock.write_all(text.as_bytes()));
}

fn say(log: &Log, line: &str) {
    let line =
        format!("{} supervisor: {line}\n", jiff::Timestamp::now().round(jiff::Unit::Millisecond).unwrap_or_default());
    write(log, line.as_bytes());
}

/// A full disk must not end what keeps the server running.
fn write(log: &Log, piece: &[u8]) {
    let _ = log.lock().unwrap_or_else(PoisonError::into_inner).write(piece);
}

/// Keeps what the server says, until it has no more to say.
async fn keep(mut said: impl AsyncRead + Unpin, log: Log) {
    let mut piece = [0; PIECE];
    while let Ok(count @ 1..) = said.read(&mut piece).await {
        write(&log, &piece[..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    struct Stage {
        folder: tempfile::TempDir,
        shutdown: CancellationToken,
        task: tokio::task::JoinHandle<Result<(), SupervisorError>>,
    }

    /// Looks after a shell script; `$N` in it is how often it was started.
    fn stage(script: &str, patience: Patience) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let script = format!("cd \"$MYPAAS_HOME\"; echo >>starts; N=$(wc -l <starts); {script}");
        let supervisor = Supervisor {
            home: folder.path().to_owned(),
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            patience,
        };
        let shutdown = CancellationToken::new();
        let told = shutdown.clone();
        Stage {
            folder,
            shutdown,
            task: tokio::spawn(async move { supervisor.run(|| Some("a start".to_owned()), told).await }),
        }
    }

    fn quick() -> Patience {
        Patience {
            first_pause: Duration::from_millis(1),
            longest_pause: Duration::from_millis(20),
            ..Patience::default()
        }
    }

    impl Stage {
        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        async fn until(&self, what: impl Fn(&Self) -> bool) {
            let start = Instant::now();
            while !what(self) {
                assert!(start.elapsed() < LIMIT && !self.task.is_finished(), "{}", self.log());
                sleep(Duration::from_millis(5)).await;
            }
        }

        fn log(&self) -> String {
            fs::read_to_string(log_path(self.folder.path())).unwrap_or_default()
        }

        async fn stop(self) -> tempfile::TempDir {
            self.shutdown.cancel();
            timeout(LIMIT, self.task).await.unwrap().unwrap().unwrap();
            self.folder
        }
    }

    #[tokio::test]
    async fn a_server_that_ends_is_started_again_and_its_words_are_kept() {
        let stage = stage("echo life $N; [ $N = 3 ] && exec sleep 600; exit 7", quick());
        stage.until(|stage| stage.log().contains("life 3")).await;
        let log = stage.log();
        assert_eq!(log.matches("the server ended (exit status: 7)").count(), 2, "{log}");
        assert_eq!(log.matches("supervisor: a start").count(), 3, "{log}");
        let folder = stage.stop().await;
        assert!(!folder.path().join("supervisor.sock").exists());
    }

    #[tokio::test]
    async fn pauses_grow_up_to_a_limit() {
        let stage = stage("exit 1", quick());
        stage.until(|stage| stage.log().matches("in 20ms").count() >= 2).await;
        let log = stage.log();
        let pauses: Vec<_> = log.lines().filter_map(|line| line.rsplit_once("in ")).map(|(_, pause)| pause).collect();
        assert_eq!(pauses[..7], ["1ms", "2ms", "4ms", "8ms", "16ms", "20ms", "20ms"]);
        stage.stop().await;
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_for_too_long_is_killed() {
        let patience = Patience { silence: Duration::from_millis(200), ..quick() };
        let stage = stage("[ $N = 2 ] && echo again; trap '' TERM; while :; do sleep 600; done", patience);
        stage.until(|stage| stage.log().contains("again")).await;
        assert!(stage.log().contains("the server hung and was killed"), "{}", stage.log());
        let Stage { shutdown, task, .. } = stage;
        shutdown.cancel();
        // What ignores SIGTERM has its time; the test does not wait for it.
        task.abort();
    }

    #[tokio::test]
    async fn told_to_stop_it_asks_the_server_first() {
        let stage = stage("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done", quick());
        stage.until(|stage| stage.log().contains("up\n")).await;
        let folder = stage.stop().await;
        let log = fs::read_to_string(log_path(folder.path())).unwrap();
        assert!(log.ends_with("bye\n"), "{log}");
    }

    #[tokio::test]
    async fn one_looks_after_a_folder_and_says_who_it_is() {
        let stage = stage("echo up; exec sleep 600", quick());
        stage.until(|stage| stage.log().contains("up\n")).await;
        let other = Supervisor {
            home: stage.folder.path().to_owned(),
            program: "/bin/true".into(),
            arguments: vec![],
            patience: quick(),
        };
        let refused = other.run(|| None, CancellationToken::new()).await;
        assert!(matches!(refused, Err(SupervisorError::AlreadyRuns { .. })), "{refused:?}");
        let noted = fs::read_to_string(stage.path("supervisor.lock")).unwrap();
        let pids: Vec<u32> = noted.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
        assert_eq!((pids.len(), pids[0]), (2, std::process::id()));
        stage.stop().await;
    }
}
