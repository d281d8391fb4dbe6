//! A way to a server's socket through the system's `ssh`, with all that the operator has configured there.
//!
//! ```text
//! client ─► a socket here ─► ssh … mypaas server dial-stdio ─► the server's socket
//! ```
//!
//! One ssh connection carries all of it. It is made when it is needed first, and again when it broke.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, copy};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, Command};
use tokio::sync::Mutex as Turn;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use crate::fleet::SshAddress;

/// How long ssh may take to connect and to prove who the operator is.
const CONNECT_LIMIT: Duration = Duration::from_secs(20);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Of what ssh has to say about a failure, so much is kept.
const LONGEST_COMPLAINT: usize = 4 * 1024;

/// How long a process may take to say its last words.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// More at once than this are no client's.
const MOST_CONNECTIONS: usize = 32;

/// Settings before the operator's own: nothing asks on the terminal, which shows something else; a dead line is
/// noticed; and what else is set up for this machine is not started once more.
const OPTIONS: [&str; 8] = [
    "BatchMode=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ControlPersist=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
];

/// A socket that leads to the server. It ends, with the ssh processes, when this is dropped.
#[derive(Debug)]
pub(super) struct Tunnel {
    trouble: Trouble,
    serving: AbortHandle,
    folder: TempDir,
}

/// The last failure, in ssh's words.
type Trouble = Arc<Mutex<Option<String>>>;

impl Tunnel {
    /// Starts no ssh yet. Needs a tokio runtime.
    pub(super) fn new(address: SshAddress) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("mypaas-").tempdir()?;
        let listener = UnixListener::bind(socket_in(folder.path()))?;
        let trouble = Trouble::default();
        let (control, master) = (folder.path().join("c"), Turn::default());
        let way = Way { address, control, master, trouble: Arc::clone(&trouble) };
        let serving = tokio::spawn(serve(listener, Arc::new(way))).abort_handle();
        Ok(Self { trouble, serving, folder })
    }

    pub(super) fn socket(&self) -> PathBuf {
        socket_in(self.folder.path())
    }

    /// Why the last connection failed; told once.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn socket_in(folder: &Path) -> PathBuf {
    folder.join("s")
}

async fn serve(listener: UnixListener, way: Arc<Way>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        if connections.len() < MOST_CONNECTIONS {
            connections.spawn(carry(Arc::clone(&way), stream));
        }
    }
}

async fn carry(way: Arc<Way>, stream: UnixStream) {
    if let Err(complaint) = way.carry(stream).await {
        tracing::debug!(address = %way.address, complaint, "no way through ssh");
    }
}

/// The connection to the machine, and what goes over it.
#[derive(Debug)]
struct Way {
    address: SshAddress,
    /// Where further ssh processes find the one that is connected.
    control: PathBuf,
    master: Turn<Option<Child>>,
    trouble: Trouble,
}

impl Way {
    /// Takes one connection to the server, to its end. What failed is known before the client sees the connection end.
    async fn carry(&self, mut stream: UnixStream) -> Result<(), String> {
        let carried = match self.ensure_connected().await {
            Ok(()) => self.dial(&mut stream).await,
            Err(complaint) => Err(complaint),
        };
        if let Err(complaint) = &carried {
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(complaint.clone());
        }
        drop(stream);
        carried
    }

    /// The first caller connects if need be, the others wait for it.
    async fn ensure_connected(&self) -> Result<(), String> {
        let mut master = self.master.lock().await;
        if let Some(child) = &mut *master
            && matches!(child.try_wait(), Ok(None))
        {
            return Ok(());
        }
        // One that was killed may have left it.
        let _ = tokio::fs::remove_file(&self.control).await;
        let mut command = self.ssh(&["-M", "-N"]);
        let (mut child, complaint) = spawn(command.arg(self.address.destination()).stdout(Stdio::null()))?;
        let start = Instant::now();
        while !self.control.exists() {
            if let Ok(Some(_)) = child.try_wait() {
                return Err(last_words(complaint).await);
            }
            if start.elapsed() >= CONNECT_LIMIT {
                return Err(format!("ssh did not connect within {CONNECT_LIMIT:?}"));
            }
            sleep(BETWEEN_LOOKS).await;
        }
        *master = Some(child);
        Ok(())
    }

    async fn dial(&self, stream: &mut UnixStream) -> Result<(), String> {
        let mut command = self.ssh(&[]);
        command.arg(self.address.destination()).arg(remote_command(&self.address));
        let (mut child, complaint) = spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else { return Ok(()) };
        let (mut from_client, mut to_client) = stream.split();
        let up = async {
            // That the other side has ended is seen on the way down.
            let _ = copy(&mut from_client, &mut input).await;
            drop(input);
            std::future::pending().await
        };
        let carried = tokio::select! {
            never = up => never,
            carried = copy(&mut output, &mut to_client) => carried.unwrap_or(1),
        };
        // Who was let through to a server hears from it.
        if carried == 0 { Err(last_words(complaint).await) } else { Ok(()) }
    }

    /// `ssh` with what all calls share; the machine and the command are still to come.
    fn ssh(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("ssh");
        command.args(OPTIONS.iter().flat_map(|option| ["-o", option])).arg("-T").arg("-S").arg(&self.control);
        if let Some(port) = self.address.port {
            command.arg("-p").arg(port.to_string());
        }
        command.args(arguments).stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

/// Any shell understands it.
fn remote_command(address: &SshAddress) -> String {
    let home = address.home.as_ref().map(|home| format!("env MYPAAS_HOME='{home}' ")).unwrap_or_default();
    format!("{home}mypaas server dial-stdio")
}

/// The process, and what it writes to its standard error.
fn spawn(command: &mut Command) -> Result<(Child, JoinHandle<String>), String> {
    let mut child = command.spawn().map_err(|error| format!("`ssh` could not be started: {error}"))?;
    let stderr = child.stderr.take();
    let complaint = tokio::spawn(async move {
        let Some(mut stderr) = stderr else { return String::new() };
        let (mut kept, mut chunk) = (Vec::new(), [0; 1024]);
        // Read to its end, so that the process never waits for a reader.
        while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
            let room = LONGEST_COMPLAINT.saturating_sub(kept.len());
            kept.extend(&chunk[..count.min(room)]);
        }
        String::from_utf8_lossy(&kept).into_owned()
    });
    Ok((child, complaint))
}

async fn last_words(complaint: JoinHandle<String>) -> String {
    let words = timeout(LAST_WORDS, complaint).await.ok().and_then(Result::ok).unwrap_or_default();
    let lines: Vec<&str> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { "ssh ended without a word".to_owned() } else { lines.join("; ") }
}
