//! A shell of a container on the operator's own terminal: what is typed goes there as it is, what comes back is
//! written as it is. The terminal has to be in raw mode.

use std::io::{self, PipeReader, PipeWriter, Write, stdin, stdout};
use std::os::fd::AsFd;
use std::thread::JoinHandle;

use bytes::Bytes;
use crossterm::terminal;
use futures_util::StreamExt;
use mypaas::api::TerminalSize;
use mypaas::client::{ClientError, Shell, ShellInput, ShellOutput, TerminalKind};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Typed twice, it leaves a shell that does not answer: ctrl-].
const LEAVE: u8 = 0x1d;

/// So many bursts of typing may wait.
const WAITING: usize = 64;

/// How a shell was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Exited {
        code: i64,
    },
    /// By the operator, while it ran.
    Left,
}

/// Why a shell ended that should not have.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShellError {
    #[error("this terminal cannot be read or written")]
    Terminal(#[from] io::Error),
    #[error(transparent)]
    Connection(#[from] ClientError),
}

/// What the operator's terminal is.
pub(crate) fn kind() -> TerminalKind {
    let term = std::env::var("TERM").ok().filter(|term| !term.is_empty());
    TerminalKind { size: size().unwrap_or(TerminalSize { columns: 80, rows: 24 }), term }
}

/// What is to be known before one is in it.
pub(crate) fn greeting(place: &str) -> String {
    format!("\u{1b}[2mshell in {place}; `exit` comes back, ctrl-] twice leaves it at once\u{1b}[0m\r\n")
}

/// Until the shell ends, or is left.
pub(crate) async fn attend(shell: Shell) -> Result<End, ShellError> {
    let Shell { input, mut output } = shell;
    let mut listening = std::pin::pin!(listen(Keys::open()?, input));
    let mut listens = true;
    loop {
        tokio::select! {
            heard = &mut listening, if listens => match heard {
                Ok(()) => return Ok(End::Left),
                // It may have a last word.
                Err(ShellError::Connection(_)) => listens = false,
                Err(error) => return Err(error),
            },
            said = output.next() => match said.transpose()? {
                Some(ShellOutput::Bytes(bytes)) => write(&bytes)?,
                Some(ShellOutput::Exited { code }) => return Ok(End::Exited { code }),
                None => return Err(ClientError::Broken("the server ended the connection".into()).into()),
            },
        }
    }
}

/// Hands on what is typed, and how large the terminal is; returns when the operator leaves.
async fn listen(mut keys: Keys, mut shell: ShellInput) -> Result<(), ShellError> {
    let mut resized = signal(SignalKind::window_change())?;
    let mut leaving = Leaving::default();
    loop {
        tokio::select! {
            typed = keys.next() => {
                let typed = typed?;
                if typed.is_empty() || leaving.is_wanted(&typed) {
                    return Ok(());
                }
                shell.send(typed).await?;
            }
            _ = resized.recv() => shell.resize(size()?).await?,
        }
    }
}

/// Looks for the key that leaves.
#[derive(Debug, Default)]
struct Leaving {
    once: bool,
}

impl Leaving {
    fn is_wanted(&mut self, typed: &[u8]) -> bool {
        for byte in typed {
            let again = std::mem::replace(&mut self.once, *byte == LEAVE);
            if again && self.once {
                return true;
            }
        }
        false
    }
}

fn size() -> io::Result<TerminalSize> {
    terminal::size().map(|(columns, rows)| TerminalSize { columns, rows })
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// The keyboard as bytes, read by a thread that ends with this.
#[derive(Debug)]
struct Keys {
    typed: mpsc::Receiver<io::Result<Bytes>>,
    /// Closed when this is dropped, which the thread sees.
    stop: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Keys {
    fn open() -> io::Result<Self> {
        let (told, stop) = io::pipe()?;
        let (sender, typed) = mpsc::channel(WAITING);
        let thread = std::thread::Builder::new().name("keys".into()).spawn(move || read(&told, &sender))?;
        Ok(Self { typed, stop: Some(stop), thread: Some(thread) })
    }

    /// What was typed; nothing at the end.
    async fn next(&mut self) -> io::Result<Bytes> {
        self.typed.recv().await.unwrap_or_else(|| Ok(Bytes::new()))
    }
}

impl Drop for Keys {
    /// Returns once nothing reads the keyboard any more: whoever comes next must miss no key.
    fn drop(&mut self) {
        self.typed.close();
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked reads nothing either.
            let _ = thread.join();
        }
    }
}

/// Until told to stop, by the other end of the pipe being closed.
fn read(told: &PipeReader, typed: &mpsc::Sender<io::Result<Bytes>>) {
    let keyboard = stdin();
    let mut buffer = [0; 4096];
    loop {
        let mut asked =
            [PollFd::new(told.as_fd(), PollFlags::POLLIN), PollFd::new(keyboard.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut asked, PollTimeout::NONE);
        let stops = asked[0].any().unwrap_or(true);
        let read = match ready {
            Err(Errno::EINTR) => continue,
            Ok(_) if stops => return,
            Ok(_) => nix::unistd::read(keyboard.as_fd(), &mut buffer),
            Err(error) => Err(error),
        };
        let read = read.map(|count| Bytes::copy_from_slice(&buffer[..count])).map_err(io::Error::from);
        let over = read.as_ref().map_or(true, Bytes::is_empty);
        if typed.blocking_send(read).is_err() || over {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_left_by_the_same_key_twice_in_a_row() {
        let leaves = |typed: &[&[u8]]| {
            let mut leaving = Leaving::default();
            typed.iter().any(|typed| leaving.is_wanted(typed))
        };
        assert!(leaves(&[b"\x1d\x1d"]) && leaves(&[b"a\x1d", b"\x1db"]));
        assert!(!leaves(&[b"\x1d", b"a", b"\x1d"]) && !leaves(&[b"\x1da\x1d"]));
    }
}
