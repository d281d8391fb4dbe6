//! Simulated servers, as `mypaas demo` runs them, in a process of their own.

#![allow(dead_code, reason = "not everybody who starts a fleet needs all of it")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// When dropped, also by a panic, the servers end.
#[derive(Debug)]
pub(crate) struct Fleet {
    child: Child,
    folder: PathBuf,
    /// Between the two all of its services were deployed.
    pub(crate) began: Instant,
    pub(crate) ready: Instant,
}

impl Fleet {
    /// `extent` as in `20x50`; what is given besides is told to `mypaas demo`. They live in a folder of their own.
    pub(crate) fn start(extent: &str, options: &[&str], folder: &Path) -> Self {
        let began = Instant::now();
        // Whatever ends the test ends them too.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", env!("CARGO_BIN_EXE_mypaas")]);
        command.args(["demo", "--fleet", extent, "--serve"]).arg(folder).args(options);
        for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "MYPAAS_HOME"] {
            command.env(name, folder.join("none"));
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let fleet = Self { child, folder: folder.to_owned(), began, ready: Instant::now() };
        assert!(said.contains(" servers in "), "the simulated servers did not start: {said:?}");
        fleet
    }

    /// Its servers, as a `fleet.toml` lists them.
    pub(crate) fn listed(&self) -> String {
        fs::read_to_string(self.folder.join("config/mypaas/fleet.toml")).unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // One that was stopped hears nothing else before it goes on.
        self.signal(Signal::SIGCONT);
        self.signal(Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
