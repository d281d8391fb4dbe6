//! Commands on a terminal in a container.
//!
//! Docker says in the output that a program is not there, and it leaves a command running whose terminal nobody holds
//! any more; ours is told as an error, and is hung up on.

use std::time::Duration;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error as DockerError;
use bollard::exec::{CreateExecOptions, ResizeExecOptions, StartExecOptions, StartExecResults};
use futures_util::future;
use futures_util::stream::{self, BoxStream, StreamExt};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::pin::Pin;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use super::error::Asked;
use super::{DockerEngine, QUICK};
use crate::engine::{Exec, ExecInput, ExecOutput, ExecSession, Result, TerminalSize};
use crate::name::ContainerName;

/// A program that is not there is told by then.
const FIRST_WORDS: Duration = Duration::from_millis(500);

/// How Docker begins to tell that a program could not be started.
const NOT_STARTED: &[u8] = b"OCI runtime exec failed";

/// How often, and how many times, is looked for how a command ended whose output has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const LOOKS: u32 = 250;

/// So many inputs may wait for a command that does not read.
const WAITING: usize = 64;

type Output = BoxStream<'static, Result<LogOutput, DockerError>>;

impl DockerEngine {
    pub(super) async fn run_exec(&self, name: &ContainerName, exec: &Exec) -> Result<ExecSession> {
        self.own(name).await?;
        let asked = Asked::container("run a command in", name.as_str());
        let created = self.call(asked, QUICK, self.docker.create_exec(name.as_str(), options(exec))).await?;
        let start = StartExecOptions { tty: true, ..StartExecOptions::default() };
        let started = self.call(asked, QUICK, self.docker.start_exec(&created.id, Some(start))).await?;
        let StartExecResults::Attached { output, input } = started else {
            return Err(asked.refused("Docker did not hand over the terminal"));
        };
        let command = Command { docker: self.docker.clone(), id: created.id };
        command.resize(exec.size).await;
        let mut output: Output = output.boxed();
        // A command that is silent at first has been started.
        let first = tokio::time::timeout(FIRST_WORDS, output.next()).await.ok().flatten();
        if let Some(Ok(words)) = &first
            && words.as_ref().starts_with(NOT_STARTED)
        {
            return Err(asked.refused(String::from_utf8_lossy(words.as_ref()).trim().to_owned()));
        }
        let (sender, inputs) = mpsc::channel(WAITING);
        tokio::spawn(command.clone().feed(input, inputs));
        let output = stream::iter(first).chain(output).boxed();
        Ok(ExecSession { input: sender, output: command.read(output, name.clone(), self.endpoint.clone()) })
    }
}

fn options(exec: &Exec) -> CreateExecOptions<String> {
    CreateExecOptions {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(true),
        env: Some(exec.env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        cmd: Some(exec.command.clone()),
        ..CreateExecOptions::default()
    }
}

/// A command that was started.
#[derive(Clone)]
struct Command {
    docker: Docker,
    id: String,
}

impl Command {
    /// Hands on what is typed, until nobody types any more; then the command is hung up on.
    async fn feed(self, mut input: Pin<Box<dyn AsyncWrite + Send>>, mut inputs: mpsc::Receiver<ExecInput>) {
        while let Some(next) = inputs.recv().await {
            match next {
                ExecInput::Resize(size) => self.resize(size).await,
                ExecInput::Bytes(bytes) => {
                    let written = async {
                        input.write_all(&bytes).await?;
                        input.flush().await
                    };
                    if let Err(error) = written.await {
                        tracing::debug!(%error, "a command does not read any more");
                        break;
                    }
                }
            }
        }
        self.hang_up().await;
    }

    /// A terminal that keeps its old size is better than none.
    async fn resize(&self, size: TerminalSize) {
        let options = ResizeExecOptions { height: size.rows, width: size.columns };
        if let Err(error) = self.docker.resize_exec(&self.id, options).await {
            tracing::debug!(%error, "the terminal of a command could not be resized");
        }
    }

    async fn hang_up(&self) {
        let running = self.docker.inspect_exec(&self.id).await.ok().filter(|found| found.running == Some(true));
        let pid = running.and_then(|found| found.pid).and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0);
        if let Some(pid) = pid
            && let Err(error) = kill(Pid::from_raw(pid), Signal::SIGHUP)
        {
            tracing::warn!(%error, "a command whose terminal was left runs on");
        }
    }

    /// What it writes, and how it ended.
    fn read(self, output: Output, name: ContainerName, endpoint: String) -> BoxStream<'static, Result<ExecOutput>> {
        let written = output.map(move |piece| match piece {
            Ok(piece) => Ok(ExecOutput::Bytes(piece.into_bytes())),
            Err(error) => Err(Asked::container("read a command's output in", name.as_str()).explain(error, &endpoint)),
        });
        let ended = stream::once(async move { self.exit().await.map(|code| Ok(ExecOutput::Exited { code })) });
        written.chain(ended.filter_map(future::ready)).boxed()
    }

    /// None when Docker does not tell.
    async fn exit(&self) -> Option<i64> {
        for _ in 0..LOOKS {
            let found = self.docker.inspect_exec(&self.id).await.ok()?;
            if found.running == Some(false) {
                return found.exit_code;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        None
    }
}
