//! A simulated shell: it shows a prompt, echoes what is typed, says a line again, tells its size, and ends when told.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use tokio::sync::mpsc;

use super::container::Simulated;
use crate::engine::{EngineError, Exec, ExecInput, ExecOutput, ExecSession, Result, TerminalSize};

const PROMPT: &str = "$ ";

const WAITING: usize = 64;

/// Programs that are anywhere but `/nowhere…` are there.
pub(super) fn start(container: &mut Simulated, exec: &Exec) -> Result<ExecSession> {
    let refused = |why: String| EngineError::Refused {
        action: format!("run a command in the container {}", container.spec.name),
        source: why.into(),
    };
    if !container.seen().is_running() {
        return Err(refused("it does not run".to_owned()));
    }
    if let Some(program) = exec.command.first().filter(|program| program.starts_with("/nowhere")) {
        return Err(refused(format!("{program}: no such file or directory")));
    }
    let (input, inputs) = mpsc::channel(WAITING);
    let shell = Shell { inputs, size: exec.size, line: String::new(), said: VecDeque::from([say(PROMPT)]) };
    Ok(ExecSession { input, output: stream::unfold(shell, Shell::step).boxed() })
}

fn say(text: &str) -> ExecOutput {
    ExecOutput::Bytes(Bytes::copy_from_slice(text.as_bytes()))
}

struct Shell {
    inputs: mpsc::Receiver<ExecInput>,
    size: TerminalSize,
    /// What was typed of a line so far.
    line: String,
    said: VecDeque<ExecOutput>,
}

impl Shell {
    /// The next output; none once it has ended, or nobody types any more.
    async fn step(mut self) -> Option<(Result<ExecOutput>, Self)> {
        loop {
            if let Some(output) = self.said.pop_front() {
                if matches!(output, ExecOutput::Exited { .. }) {
                    self.inputs.close();
                }
                return Some((Ok(output), self));
            }
            match self.inputs.recv().await? {
                ExecInput::Resize(size) => self.size = size,
                ExecInput::Bytes(bytes) => String::from_utf8_lossy(&bytes).chars().for_each(|typed| self.take(typed)),
            }
        }
    }

    fn take(&mut self, typed: char) {
        if typed != '\r' && typed != '\n' {
            self.line.push(typed);
            return self.said.push_back(say(typed.encode_utf8(&mut [0; 4])));
        }
        let line = std::mem::take(&mut self.line);
        if let Some(code) = line.strip_prefix("exit") {
            let code = code.trim().parse().unwrap_or(0);
            return self.said.extend([say("\r\n"), ExecOutput::Exited { code }]);
        }
        let answer = match line.as_str() {
            "size" => format!("{}x{}", self.size.columns, self.size.rows),
            other => format!("you said {other}"),
        };
        self.said.push_back(say(&format!("\r\n{answer}\r\n{PROMPT}")));
    }
}
