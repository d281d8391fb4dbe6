//! Another machine, by way of the system's `ssh`, with all that the operator has configured there. One connection
//! carries everything, so that a passphrase is asked for once; ssh asks on the terminal itself.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::fleet::SshAddress;

/// How long a person may take to find a passphrase.
const CONNECT_LIMIT: Duration = Duration::from_secs(180);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
const LAST_WORDS: Duration = Duration::from_secs(1);

/// No answer is longer.
const MOST_TOLD: u64 = 256 * 1024;

/// A line that is passed on as it comes.
const LONGEST_LINE: usize = 8 * 1024;

/// What a shell and ssh end with when there was no way to the machine.
const NO_WAY: i32 = 255;

const OPTIONS: [&str; 7] = [
    "ConnectTimeout=15",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=6",
    "ControlPersist=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
];

#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    #[error("`ssh` could not be started")]
    Start(#[source] io::Error),
    #[error("ssh does not get to {destination}: {complaint}")]
    Connect { destination: String, complaint: String },
    #[error("the connection to {destination} broke: {complaint}")]
    Broken { destination: String, complaint: String },
    #[error("{} could not be read", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{what} took longer than {limit:?} on {destination}")]
    TimedOut { what: &'static str, destination: String, limit: Duration },
}

impl RemoteError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Start(_) => "install an ssh client",
            Self::Connect { complaint, .. } if complaint.contains("Host key verification failed") => {
                "log in once by hand and compare its key, or say --accept-new-host-key"
            }
            Self::Connect { .. } => "does `ssh` get there by itself?",
            Self::Broken { .. } | Self::TimedOut { .. } => {
                "what was done stays; repeat the command to go on from there"
            }
            Self::File { .. } => "is it there, and may you read it?",
        }
    }
}

/// How to connect.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// ssh may ask a person on the terminal.
    pub may_ask: bool,
    /// A machine that is not known yet is believed to be the one.
    pub accept_new_host_key: bool,
}

/// What a command there said, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A machine that is connected to. The connection ends when this is dropped.
#[derive(Debug)]
pub struct Remote {
    address: SshAddress,
    _master: Child,
    folder: TempDir,
}

impl Remote {
    /// Connects; returns once the machine has let the operator in.
    pub async fn connect(address: SshAddress, manner: Manner) -> Result<Self, RemoteError> {
        let folder = tempfile::Builder::new().prefix("mypaas-").tempdir().map_err(RemoteError::Start)?;
        let mut command = ssh(&address, folder.path());
        command.arg("-M").arg("-N");
        if !manner.may_ask {
            command.args(["-o", "BatchMode=yes"]);
        }
        if manner.accept_new_host_key {
            command.args(["-o", "StrictHostKeyChecking=accept-new"]);
        }
        command.arg(address.destination()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut master = command.spawn().map_err(RemoteError::Start)?;
        let complaint = collect(master.stderr.take());
        let failed = |complaint| RemoteError::Connect { destination: address.destination(), complaint };
        let start = Instant::now();
        while !control(folder.path()).exists() {
            if let Ok(Some(_)) = master.try_wait() {
                return Err(failed(words(complaint).await));
            }
            if start.elapsed() >= CONNECT_LIMIT {
                return Err(failed(format!("nothing within {CONNECT_LIMIT:?}")));
            }
            sleep(BETWEEN_LOOKS).await;
        }
        Ok(Self { address, _master: master, folder })
    }

    pub fn destination(&self) -> String {
        self.address.destination()
    }

    /// Has a shell there run a script, with this on its standard input.
    pub async fn run(
        &self,
        what: &'static str,
        script: &str,
        input: &[u8],
        limit: Duration,
    ) -> Result<Told, RemoteError> {
        let mut child = self.spawn(script, Stdio::piped())?;
        let (out, err) = (collect(child.stdout.take()), collect(child.stderr.take()));
        let stdin = child.stdin.take();
        let running = async {
            if let Some(mut stdin) = stdin {
                // That it did not want all of it is told by its end.
                let _ = stdin.write_all(input).await;
            }
            child.wait().await
        };
        let status = timeout(limit, running).await.map_err(|_| self.timed_out(what, limit))?;
        let code = status.map_err(RemoteError::Start)?.code().unwrap_or(NO_WAY);
        let told = Told { code, out: out.await.unwrap_or_default(), err: err.await.unwrap_or_default() };
        self.unless_broken(told)
    }

    /// Writes a file of this machine to the standard input of a script there.
    pub async fn send(&self, file: &Path, script: &str, limit: Duration) -> Result<Told, RemoteError> {
        let failed = |source| RemoteError::File { path: file.to_owned(), source };
        let opened = std::fs::File::open(file).map_err(failed)?;
        let mut child = self.spawn(script, opened.into())?;
        let (out, err) = (collect(child.stdout.take()), collect(child.stderr.take()));
        let status = timeout(limit, child.wait()).await.map_err(|_| self.timed_out("the upload", limit))?;
        let code = status.map_err(RemoteError::Start)?.code().unwrap_or(NO_WAY);
        let told = Told { code, out: out.await.unwrap_or_default(), err: err.await.unwrap_or_default() };
        self.unless_broken(told)
    }

    /// Runs a command there; its lines are passed on as they come.
    pub async fn follow(
        &self,
        what: &'static str,
        script: &str,
        limit: Duration,
        mut line: impl FnMut(&str),
    ) -> Result<Told, RemoteError> {
        let mut child = self.spawn(script, Stdio::null())?;
        let err = collect(child.stderr.take());
        let out = child.stdout.take();
        let following = async {
            let Some(out) = out else { return child.wait().await };
            let mut lines = BufReader::new(out);
            let mut bytes = Vec::new();
            while let Ok(1..) = (&mut lines).take(LONGEST_LINE as u64).read_until(b'\n', &mut bytes).await {
                line(String::from_utf8_lossy(&bytes).trim_end_matches('\n'));
                bytes.clear();
            }
            child.wait().await
        };
        let status = timeout(limit, following).await.map_err(|_| self.timed_out(what, limit))?;
        let code = status.map_err(RemoteError::Start)?.code().unwrap_or(NO_WAY);
        self.unless_broken(Told { code, out: String::new(), err: err.await.unwrap_or_default() })
    }

    fn spawn(&self, script: &str, input: Stdio) -> Result<Child, RemoteError> {
        let mut command = ssh(&self.address, self.folder.path());
        // Never a connection of its own: that would ask again.
        command.args(["-o", "BatchMode=yes"]).arg("-T").arg(self.address.destination());
        command.arg(format!("sh -c {}", quoted(script)));
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(RemoteError::Start)
    }

    fn unless_broken(&self, told: Told) -> Result<Told, RemoteError> {
        if told.code != NO_WAY {
            return Ok(told);
        }
        Err(RemoteError::Broken { destination: self.destination(), complaint: one_line(&told.err) })
    }

    fn timed_out(&self, what: &'static str, limit: Duration) -> RemoteError {
        RemoteError::TimedOut { what, destination: self.destination(), limit }
    }
}

/// One word for a POSIX shell.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn control(folder: &Path) -> PathBuf {
    folder.join("c")
}

fn ssh(address: &SshAddress, folder: &Path) -> Command {
    let mut command = Command::new("ssh");
    command.args(OPTIONS.iter().flat_map(|option| ["-o", option])).arg("-S").arg(control(folder));
    if let Some(port) = address.port {
        command.arg("-p").arg(port.to_string());
    }
    command.kill_on_drop(true);
    command
}

/// Read to its end, so that the process never waits for a reader; its first part is kept.
fn collect(stream: Option<impl AsyncRead + Unpin + Send + 'static>) -> JoinHandle<String> {
    tokio::spawn(async move {
        let Some(mut stream) = stream else { return String::new() };
        let mut kept = Vec::new();
        let _ = (&mut stream).take(MOST_TOLD).read_to_end(&mut kept).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        String::from_utf8_lossy(&kept).into_owned()
    })
}

async fn words(complaint: JoinHandle<String>) -> String {
    let text = timeout(LAST_WORDS, complaint).await.ok().and_then(Result::ok).unwrap_or_default();
    one_line(&text)
}

fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { "ssh ended without a word".to_owned() } else { lines.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_a_word() {
        for text in ["plain", "it's", "a b; rm -rf $HOME `x` \"y\"\n", "''"] {
            let script = format!("printf %s {}", quoted(text));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
