//! While another program has the terminal: a shell in a container, an editor. The console goes on listening to its
//! servers, and draws everything anew when it is back.

use std::path::Path;
use std::process::ExitStatus;

use mypaas::api::{Problem, ProblemCode};
use tokio::process::Command;

use super::effect::{Opened, problem_of_client};
use super::input::Input;
use super::message::Message;
use super::run::Console;
use super::shell::{self, End, ShellError};
use super::terminal;

/// What edits where neither VISUAL nor EDITOR says so.
const USUAL_EDITOR: &str = "vi";

/// Editors that take `+LINE` before a file.
const TAKE_A_LINE: [&str; 9] = ["vi", "vim", "nvim", "nano", "emacs", "kak", "micro", "joe", "mg"];

/// What the other program came to.
enum Outcome<T> {
    Ended(T),
    /// The process was told to end meanwhile.
    Told,
}

impl Console {
    pub(super) async fn attend(&mut self, opened: Opened) -> anyhow::Result<()> {
        let Opened { at, container, shell } = opened;
        if self.model.shell.as_ref() != Some(&at) {
            return Ok(());
        }
        if self.model.is_asked_something() {
            let problem = Problem::new(ProblemCode::Conflict, "it opened while you were at something else; ask again");
            return self.take(Message::ShellEnded { at, result: Err(problem) }).await;
        }
        let place = container.map_or_else(|| at.to_string(), |container| format!("{container} on {}", at.server));
        self.input = None;
        self.terminal.lend()?;
        self.terminal.write(shell::greeting(&place).as_bytes())?;
        let outcome = self.meanwhile(shell::attend(shell)).await?;
        self.come_back()?;
        if let Outcome::Ended(result) = outcome {
            let result = result.map_err(problem_of).map(exit_code);
            self.take(Message::ShellEnded { at, result }).await?;
        }
        Ok(())
    }

    /// Opens the editor at a line of the file, and waits until it is closed.
    pub(super) async fn edit(&mut self, file: &Path, line: u32) -> anyhow::Result<()> {
        let editor = editor();
        self.input = None;
        self.terminal.give_back();
        let outcome = self.meanwhile(open(&editor, file, line)).await?;
        self.come_back()?;
        if let Outcome::Ended(result) = outcome {
            let result = explain(&editor, result);
            self.take(Message::Edited { result }).await?;
        }
        Ok(())
    }

    /// Listens to the servers while something else has the terminal.
    async fn meanwhile<T>(&mut self, other: impl Future<Output = T>) -> anyhow::Result<Outcome<T>> {
        let mut other = std::pin::pin!(other);
        loop {
            tokio::select! {
                biased;
                () = terminal::lost() => anyhow::bail!("the console ended because of a fault of its own"),
                () = self.signals.next_but_interrupt() => {
                    self.take(Message::Told).await?;
                    return Ok(Outcome::Told);
                }
                ended = &mut other => return Ok(Outcome::Ended(ended)),
                Some(message) = self.inbox.recv() => self.take(message).await?,
                Some(message) = self.log_inbox.recv() => self.take(message).await?,
            }
        }
    }

    fn come_back(&mut self) -> anyhow::Result<()> {
        self.terminal.take_back()?;
        self.model.size = self.terminal.size()?;
        self.canvas.forget();
        self.input = Some(Input::listen());
        self.draw()
    }
}

/// None when the operator left it.
fn exit_code(end: End) -> Option<i64> {
    match end {
        End::Exited { code } => Some(code),
        End::Left => None,
    }
}

fn problem_of(error: ShellError) -> Problem {
    match error {
        ShellError::Connection(error) => problem_of_client(error),
        ShellError::Terminal(error) => Problem::of(ProblemCode::Internal, &ShellError::Terminal(error)),
    }
}

/// As in `vim`, or `code --wait`.
fn editor() -> String {
    let set = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| USUAL_EDITOR.to_owned())
}

async fn open(editor: &str, file: &Path, line: u32) -> std::io::Result<ExitStatus> {
    // The variable may hold arguments, and is a line of the shell by custom.
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{editor} \"$@\"")).arg("sh");
    if line > 0 && takes_a_line(editor) {
        command.arg(format!("+{line}"));
    }
    command.arg(file).status().await
}

fn takes_a_line(editor: &str) -> bool {
    let program = editor.split_whitespace().next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    TAKE_A_LINE.contains(&name)
}

fn explain(editor: &str, result: std::io::Result<ExitStatus>) -> Result<(), Problem> {
    let hint = "EDITOR says which editor is opened.";
    match result {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let message = format!("the editor {editor:?} ended with {}", status.code().unwrap_or(-1));
            Err(Problem::new(ProblemCode::Internal, message).hint(hint))
        }
        Err(error) => {
            let message = format!("the editor {editor:?} could not be opened");
            Err(Problem::new(ProblemCode::Internal, message).because(&error).hint(hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_editors_that_know_it_get_a_line() {
        assert!(takes_a_line("vim") && takes_a_line("/usr/bin/nano -w"));
        assert!(!takes_a_line("code --wait") && !takes_a_line("hx"));
    }

    #[tokio::test]
    async fn an_editor_with_arguments_gets_its_file_and_its_end_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("with blank");
        let result = open("touch -m", &file, 3).await;
        assert!(explain("touch -m", result).is_ok() && file.exists());
        let problem = explain("false", open("false", &file, 1).await).unwrap_err();
        assert_eq!(problem.message, "the editor \"false\" ended with 1");
    }
}
