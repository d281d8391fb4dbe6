//! Programs of the system, run to their end within a limit. What they say is kept for the error.

use std::ffi::OsStr;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// Of what a program says, its last lines tell why it failed.
const LINES_TOLD: usize = 12;

/// Why a program of the system did not do what it was for.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("`{command}` could not be started")]
    Start { command: String, source: io::Error },
    #[error("`{command}` failed{}", told(complaint))]
    Failed { command: String, complaint: String },
    #[error("`{command}` took longer than {limit:?}")]
    TimedOut { command: String, limit: Duration },
}

fn told(complaint: &str) -> String {
    if complaint.is_empty() { String::new() } else { format!(": {complaint}") }
}

/// Runs it; what it wrote to its standard output.
pub(super) async fn run<A: AsRef<OsStr>>(
    program: &str,
    arguments: &[A],
    limit: Duration,
) -> Result<String, CommandError> {
    let mut command = Command::new(program);
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    let shown = shown(program, arguments);
    // Its children may outlive it and keep the pipes: a service that it starts, for one.
    let (out, err) = match (tempfile::tempfile(), tempfile::tempfile()) {
        (Ok(out), Ok(err)) => (out, err),
        (Err(source), _) | (_, Err(source)) => return Err(CommandError::Start { command: shown, source }),
    };
    let failed = |source| CommandError::Start { command: shown.clone(), source };
    command.stdin(Stdio::null()).stdout(out.try_clone().map_err(failed)?).stderr(err.try_clone().map_err(failed)?);
    let mut child = command.kill_on_drop(true).spawn().map_err(failed)?;
    let status = match timeout(limit, child.wait()).await {
        Ok(status) => status.map_err(failed)?,
        Err(_) => return Err(CommandError::TimedOut { command: shown, limit }),
    };
    let (out, err) = (read(out).map_err(failed)?, read(err).map_err(failed)?);
    match status.success() {
        true => Ok(out),
        false => Err(CommandError::Failed {
            command: shown,
            complaint: last_lines(if err.trim().is_empty() { &out } else { &err }),
        }),
    }
}

fn shown<A: AsRef<OsStr>>(program: &str, arguments: &[A]) -> String {
    let words = arguments.iter().map(|argument| argument.as_ref().to_string_lossy().into_owned());
    std::iter::once(program.to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

fn read(mut file: std::fs::File) -> io::Result<String> {
    use std::io::{Read, Seek};
    const MOST: u64 = 256 * 1024;
    let length = file.seek(io::SeekFrom::End(0))?;
    file.seek(io::SeekFrom::Start(length.saturating_sub(MOST)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The end of a text, as one tells why something failed.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LINES_TOLD)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_program_says_is_its_answer_or_the_reason() {
        let limit = Duration::from_secs(30);
        assert_eq!(run("sh", &["-c", "echo one; echo two >&2"], limit).await.unwrap(), "one\n");
        let error = run("sh", &["-c", "echo one; echo two >&2; exit 3"], limit).await.unwrap_err();
        assert_eq!(error.to_string(), "`sh -c echo one; echo two >&2; exit 3` failed: two");
        let error = run("no-such-program", &["x"], limit).await.unwrap_err();
        assert_eq!(error.to_string(), "`no-such-program x` could not be started");
        let error = run("sleep", &["60"], Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(error.to_string(), "`sleep 60` took longer than 20ms");
    }

    #[tokio::test]
    async fn a_child_that_stays_is_not_waited_for() {
        let limit = Duration::from_secs(20);
        let told = run("sh", &["-c", "sleep 30 & echo $!"], limit).await.unwrap();
        let pid = nix::unistd::Pid::from_raw(told.trim().parse().unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    }
}
