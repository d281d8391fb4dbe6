//! mypaas as it is typed.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::Stage;

const PROGRAM: &str = env!("CARGO_BIN_EXE_mypaas");

/// No command takes longer with the short times of the tests' servers, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(90);

/// How a command ended, and what it printed.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    typed: String,
}

impl Told {
    /// What it printed, given that it succeeded and complained about nothing.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{self}");
        self.out
    }

    /// Its complaint, given that it failed in the world: not by a wrong command line.
    #[track_caller]
    pub(crate) fn failed(self) -> String {
        assert_eq!(self.code, 1, "{self}");
        assert!(self.err.starts_with("error: "), "{self}");
        self.err
    }

    /// Its complaint, given that the command line was at fault.
    #[track_caller]
    pub(crate) fn misused(self) -> String {
        assert_eq!(self.code, 2, "{self}");
        assert!(self.err.starts_with("error: "), "{self}");
        self.err
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "$ mypaas {}\n{}{}[exit code {}]", self.typed, self.out, self.err, self.code)
    }
}

/// A command that runs.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    err: JoinHandle<String>,
    told: Told,
}

impl Stage {
    /// With nothing of the environment but what a test means it to have.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.prepare(Command::new(PROGRAM), arguments)
    }

    /// The same. Whatever ends the test ends it too.
    pub(super) fn bound_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", PROGRAM]);
        self.prepare(command, arguments)
    }

    fn prepare(&self, mut command: Command, arguments: &[&str]) -> Command {
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.user_home())
            .env("MYPAAS_HOME", self.home())
            .envs(self.docker_host.iter().map(|host| ("DOCKER_HOST", host)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs it to its end.
    pub(crate) async fn mypaas(&self, arguments: &[&str]) -> Told {
        self.begin(arguments).end().await
    }

    pub(crate) fn begin(&self, arguments: &[&str]) -> Running {
        Running::of(self.command(arguments), arguments.join(" "))
    }
}

impl Running {
    pub(crate) fn of(mut command: Command, typed: String) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let err = tokio::spawn(async move {
            let mut text = String::new();
            stderr.read_to_string(&mut text).await.unwrap();
            text
        });
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, err, told: Told { code: 0, out: String::new(), err: String::new(), typed } }
    }

    /// Reads until it prints a line with this text.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        loop {
            match self.line().await {
                Some(line) if line.contains(text) => return line,
                Some(_) => {}
                None => panic!("it never said {text:?}: {}", self.told),
            }
        }
    }

    pub(crate) fn interrupt(&self) {
        kill(Pid::from_raw(self.child.id().unwrap().try_into().unwrap()), Signal::SIGINT).unwrap();
    }

    pub(crate) async fn end(mut self) -> Told {
        while self.line().await.is_some() {}
        let status = timeout(LIMIT, self.child.wait()).await;
        self.told.err = self.err.await.unwrap();
        let status = status.unwrap_or_else(|_| panic!("it does not end: {}", self.told)).unwrap();
        self.told.code = status.code().unwrap_or(-1);
        self.told
    }

    async fn line(&mut self) -> Option<String> {
        let next = timeout(LIMIT, self.lines.next_line()).await;
        let line = next.unwrap_or_else(|_| panic!("nothing more is said: {}", self.told)).unwrap()?;
        self.told.out += &line;
        self.told.out.push('\n');
        Some(line)
    }
}
