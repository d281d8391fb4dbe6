//! Takes the terminal and gives it back, whatever happens: at the end, on a panic, and while the console is suspended.

use std::io::{self, IsTerminal, Write, stdin, stdout};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::queue;
use crossterm::style::Print;
use crossterm::terminal::{self, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::getpgrp;
use ratatui::layout::Size;
use tokio::sync::Notify;

/// The terminal is ours.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal tells clicks and the wheel, in the form that knows no largest column. Not where the pointer is: that
/// would be much, and of no use.
const TAKE_MOUSE: &str = "\u{1b}[?1000h\u{1b}[?1006h";
const LEAVE_MOUSE: &str = "\u{1b}[?1006l\u{1b}[?1000l";

/// Told when a panic anywhere gave the terminal back.
static LOST: Notify = Notify::const_new();

/// Held as long as the terminal is ours.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// The mouse is ours, too.
    mouse: bool,
}

/// There is nobody to talk to.
#[derive(Debug, thiserror::Error)]
#[error("the console needs a terminal; `mypaas status --json` and the other commands do without one")]
pub(crate) struct NoTerminal;

impl Terminal {
    pub(crate) fn take(mouse: bool) -> anyhow::Result<Self> {
        if !stdin().is_terminal() || !stdout().is_terminal() {
            return Err(NoTerminal.into());
        }
        give_back_on_panic();
        take(mouse)?;
        Ok(Self { mouse })
    }

    pub(crate) fn size(&self) -> io::Result<Size> {
        terminal::size().map(Size::from)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut out = stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    /// Clicks are ours from now on, or the terminal's own.
    pub(crate) fn take_mouse(&mut self, wanted: bool) -> io::Result<()> {
        self.mouse = wanted;
        self.write(if wanted { TAKE_MOUSE } else { LEAVE_MOUSE }.as_bytes())
    }

    /// For a program whose output is written through: its screen is the one from before, keys still come one by one.
    pub(crate) fn lend(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        queue!(bytes, Print(LEAVE_MOUSE), EndSynchronizedUpdate, DisableBracketedPaste, LeaveAlternateScreen, Show)?;
        self.write(&bytes)
    }

    /// As it was before, for a program that takes it for itself.
    pub(crate) fn give_back(&mut self) {
        give_back();
    }

    /// Ours again, after either of the two.
    pub(crate) fn take_back(&mut self) -> io::Result<()> {
        take(self.mouse)
    }

    /// Stops what runs in the foreground as ctrl-z does, and not this process alone: a script that started it would wait
    /// for its end, and the shell for the script's. Returns when it goes on.
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        killpg(getpgrp(), Signal::SIGTSTP)?;
        take(self.mouse)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

/// Waits until the terminal was given back because of a panic.
pub(crate) async fn lost() {
    LOST.notified().await;
}

fn take(mouse: bool) -> io::Result<()> {
    terminal::enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut bytes = Vec::new();
    queue!(bytes, EnterAlternateScreen, EnableBracketedPaste, Hide)?;
    if mouse {
        bytes.extend_from_slice(TAKE_MOUSE.as_bytes());
    }
    let mut out = stdout().lock();
    out.write_all(&bytes)?;
    out.flush()
}

/// As it was before. A terminal that is gone cannot be helped, so errors are of no interest.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut bytes = Vec::new();

    let queued =
        queue!(bytes, Print(LEAVE_MOUSE), EndSynchronizedUpdate, DisableBracketedPaste, LeaveAlternateScreen, Show);
    let mut out = stdout().lock();
    let _ = queued.and_then(|()| out.write_all(&bytes)).and_then(|()| out.flush());
    let _ = terminal::disable_raw_mode();
}

/// A panic's message is only readable on a terminal that is as it was before.
fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let was_taken = TAKEN.load(Ordering::SeqCst);
            give_back();
            before(panic);
            if was_taken {
                LOST.notify_one();
            }
        }));
    });
}
