//! A console on a terminal of its own, in a home of its own.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::CommandBuilder;
use tempfile::TempDir;

use crate::fleet::Fleet;
use crate::terminal::{Terminal, size};

const PATIENCE: Duration = Duration::from_secs(30);

/// Set for a process that another test starts; the tests that are meant to be such a process do nothing else.
pub(crate) const OWN_PROCESS: &str = "MYPAAS_TEST_OWN_PROCESS";

/// Where an operator's settings lie, and what the console keeps.
#[derive(Clone)]
pub(crate) struct Home(Rc<TempDir>);

impl Home {
    /// With these servers, and keys of the operator's own.
    pub(crate) fn new(fleet: &str, keymap: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("config/mypaas");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(config.join("fleet.toml"), fleet).unwrap();
        std::fs::write(config.join("keymap.toml"), keymap).unwrap();
        Self(Rc::new(home))
    }

    /// With the servers of a simulated fleet.
    pub(crate) fn of(fleet: &Fleet) -> Self {
        Self::new(&fleet.listed(), "")
    }

    /// With one server that nobody runs.
    pub(crate) fn of_nobody(keymap: &str) -> Self {
        Self::new("[servers.attic]\naddress = \"unix:///nonexistent/nobody.sock\"\n", keymap)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The console with these arguments, on a terminal of so many columns and rows.
    pub(crate) fn console(&self, arguments: &[&str], (columns, rows): (u16, u16)) -> Session {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mypaas"));
        command.args(arguments);
        self.start(command, (columns, rows))
    }

    pub(crate) fn start(&self, mut command: CommandBuilder, (columns, rows): (u16, u16)) -> Session {
        set_environment(&mut command, self.path());
        Session { terminal: Terminal::start(command, size(columns, rows), PATIENCE), _home: self.clone() }
    }
}

pub(crate) struct Session {
    terminal: Terminal,
    _home: Home,
}

impl std::ops::Deref for Session {
    type Target = Terminal;

    fn deref(&self) -> &Terminal {
        &self.terminal
    }
}

impl std::ops::DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Terminal {
        &mut self.terminal
    }
}

impl Session {
    /// The console of `mypaas`, with one server that nobody runs.
    pub(crate) fn console(arguments: &[&str], no_color: bool) -> Self {
        Self::with_keymap("", arguments, no_color)
    }

    /// The same with keys of the operator's own.
    pub(crate) fn with_keymap(keymap: &str, arguments: &[&str], no_color: bool) -> Self {
        let session = Self::begin(keymap, arguments, no_color);
        session.wait_for("attic");
        session
    }

    pub(crate) fn begin(keymap: &str, arguments: &[&str], no_color: bool) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mypaas"));
        command.args(arguments);
        command.env("NO_COLOR", if no_color { "1" } else { "" });
        Home::of_nobody(keymap).start(command, (80, 24))
    }

    /// A shell with job control, in which `$CONSOLE` is the console.
    pub(crate) fn of_a_shell() -> Self {
        let mut command = CommandBuilder::new("bash");
        command.args(["--norc", "--noprofile", "-i"]);
        command.env("CONSOLE", env!("CARGO_BIN_EXE_mypaas"));
        command.env("PS1", "shell> ");
        Home::of_nobody("").start(command, (80, 24))
    }

    /// A test that is meant to be a process of its own.
    pub(crate) fn own(test: &str) -> Self {
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
        command.env(OWN_PROCESS, "1");
        Home::of_nobody("").start(command, (80, 24))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = self.child.process_id().unwrap();
        kill(Pid::from_raw(i32::try_from(id).unwrap()), signal).unwrap();
    }

    /// Presses, and waits for what follows.
    pub(crate) fn press_for(&mut self, keys: &str, text: &str) {
        self.press(keys);
        self.wait_for(text);
    }

    pub(crate) fn wait_while(&self, text: &str) {
        self.wait_until(&format!("end of {text:?}"), || !self.screen().contains(text));
    }

    /// The screen from before is back, with its cursor, and keys are echoed and read by lines again.
    pub(crate) fn assert_given_back(&self, after: &str) {
        self.wait_until(&format!("end of the alternate screen after {after}"), || self.wrote("\u{1b}[?1049l"));
        self.wait_until(&format!("cursor after {after}"), || self.wrote("\u{1b}[?25h"));
        assert!(self.wrote("\u{1b}[?2004l"), "pasting is as before after {after}");
        assert!(self.wrote("\u{1b}[?1000l"), "the mouse is as before after {after}");
        assert!(!self.screen().contains("SERVICE"), "the console is gone after {after}");
        let flags = self.master.get_termios().unwrap().local_flags.bits();
        let (line_by_line, echo) = (nix::libc::ICANON, nix::libc::ECHO);
        assert_eq!(flags & (line_by_line | echo), line_by_line | echo, "keys work as before after {after}");
    }
}

/// Nothing of the machine's own settings is seen.
fn set_environment(command: &mut CommandBuilder, home: &Path) {
    for (name, folder) in [("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state"), ("MYPAAS_HOME", "mypaas")] {
        command.env(name, home.join(folder));
    }
    for name in ["COLORFGBG", "HISTFILE", "LC_ALL", "LC_CTYPE", "VISUAL"] {
        command.env_remove(name);
    }
    // A shell writes its history there when it ends.
    command.env("HOME", home);
    command.env("TERM", "xterm-256color");
    command.env("COLORTERM", "truecolor");
    command.env("LANG", "C.UTF-8");
    // A panic's message must not scroll away.
    command.env("RUST_BACKTRACE", "0");
}
