//! A shell in a container of a server.

use bytes::Bytes;
use futures_util::stream::{BoxStream, SplitSink, StreamExt};
use futures_util::{SinkExt, future};
use reqwest::{Method, StatusCode, Upgraded};

use super::limits::DECISION_LIMIT;
use super::{Client, ClientError, Result, encoded};
use crate::api::TerminalSize;
use crate::api::terminal::{Frame, FrameError, Frames, Note, PROTOCOL, frames};
use crate::name::{ContainerName, ServiceName};

/// Both directions. Dropping it leaves the shell, which is then hung up on.
pub struct Shell {
    pub input: ShellInput,
    pub output: BoxStream<'static, Result<ShellOutput>>,
}

/// What goes to the shell.
#[derive(Debug)]
pub struct ShellInput(SplitSink<Frames<Upgraded>, Bytes>);

/// What comes from the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShellOutput {
    Bytes(Bytes),
    /// Nothing follows.
    Exited {
        code: i64,
    },
}

/// What the operator's terminal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalKind {
    pub size: TerminalSize,
    /// As in the variable `TERM`; none: the server takes what is usual.
    pub term: Option<String>,
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell").finish_non_exhaustive()
    }
}

impl Client {
    /// Opens a shell in a container of the service; none: in one that takes requests.
    pub async fn shell(
        &self,
        service: &ServiceName,
        container: Option<&ContainerName>,
        terminal: &TerminalKind,
    ) -> Result<Shell> {
        let path = format!("/services/{}/shell", encoded(service));
        let TerminalSize { columns, rows } = terminal.size;
        let mut query = vec![("columns", columns.to_string()), ("rows", rows.to_string())];
        query.extend(container.map(|name| ("container", name.to_string())));
        query.extend(terminal.term.clone().map(|term| ("term", term)));
        let request = self.transport.request(Method::GET, &path).query(&query);
        let request = request.header("connection", "upgrade").header("upgrade", PROTOCOL);
        let response = self.transport.send(request, DECISION_LIMIT).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let source = format!("it answered {} and no terminal", response.status()).into();
            return Err(ClientError::Unreadable { request: path, source });
        }
        let connection = response.upgrade().await.map_err(|error| ClientError::Broken(Box::new(error)))?;
        let (sink, stream) = frames(connection).split();
        let read = stream.map(|frame| Frame::decode(frame.map_err(FrameError::Connection)?));
        Ok(Shell { input: ShellInput(sink), output: read.filter_map(|frame| future::ready(output(frame))).boxed() })
    }
}

impl ShellInput {
    pub async fn send(&mut self, bytes: Bytes) -> Result<()> {
        self.say(&Frame::Bytes(bytes)).await
    }

    pub async fn resize(&mut self, size: TerminalSize) -> Result<()> {
        self.say(&Frame::Note(Note::Resize(size))).await
    }

    async fn say(&mut self, frame: &Frame) -> Result<()> {
        let broken = |error: FrameError| ClientError::Broken(Box::new(error));
        let frame = frame.encode().map_err(broken)?;
        self.0.send(frame).await.map_err(|error| broken(error.into()))
    }
}

/// None for what a server does not say.
fn output(frame: Result<Frame, FrameError>) -> Option<Result<ShellOutput>> {
    Some(match frame {
        Ok(Frame::Bytes(bytes)) => Ok(ShellOutput::Bytes(bytes)),
        Ok(Frame::Note(Note::Exited(code))) => Ok(ShellOutput::Exited { code }),
        Ok(Frame::Note(Note::Broken(problem))) => Err(ClientError::Refused(Box::new(problem))),
        Ok(Frame::Note(Note::Resize(_))) => return None,
        Err(error) => Err(ClientError::Broken(Box::new(error))),
    })
}
