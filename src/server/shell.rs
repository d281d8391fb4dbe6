//! A shell in a container, for an operator at the other end of a connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;

use super::core::Core;
use super::gate::Stay;
use crate::api::terminal::{Frame, FrameError, Frames, Note, PROTOCOL, frames};
use crate::api::{Problem, ProblemCode, TerminalSize};
use crate::engine::{Container, EngineError, Exec, ExecInput, ExecOutput, ExecSession, Role};
use crate::name::{ContainerName, ServiceName};

/// The best shell that is there.
const SHELL: [&str; 3] = ["/bin/sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash; exec sh"];

/// What terminals are called where nobody says what the terminal is.
const USUAL_TERMINAL: &str = "xterm-256color";

type Connection = Frames<TokioIo<Upgraded>>;

/// What is asked for.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) service: ServiceName,
    /// None: one that takes requests.
    pub(super) container: Option<ContainerName>,
    pub(super) size: TerminalSize,
    /// As in the variable `TERM`.
    pub(super) term: Option<String>,
}

/// Starts the shell, and answers with the connection that leads to it. It ends with the stay of whoever asked for it.
pub(super) async fn open(
    core: Arc<Core>,
    stay: Stay,
    wanted: Wanted,
    mut request: Request<Body>,
) -> Result<Response, Problem> {
    let upgrade = request.extensions_mut().remove::<OnUpgrade>().filter(|_| asks_for_terminal(&request));
    let Some(upgrade) = upgrade else {
        let hint = format!("The request has to ask for an upgrade to {PROTOCOL}.");
        return Err(Problem::new(ProblemCode::BadRequest, "a shell needs a connection of its own").hint(hint));
    };
    let container = choose(&core, &wanted).await?;
    let session = core.engine.exec(&container, &shell(&wanted)).await.map_err(|error| explain(error, &container))?;
    tracing::info!(service = %wanted.service, %container, "a shell was opened");
    tokio::spawn(async move {
        match upgrade.await {
            Ok(connection) => attend(&core, &stay, session, frames(TokioIo::new(connection))).await,
            Err(error) => tracing::debug!(%error, "a connection for a shell was not upgraded"),
        }
        tracing::info!(service = %wanted.service, %container, "a shell was left");
    });
    let headers = [(header::CONNECTION, "upgrade"), (header::UPGRADE, PROTOCOL)];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
}

fn asks_for_terminal(request: &Request<Body>) -> bool {
    let asked = request.headers().get(header::UPGRADE).map(HeaderValue::as_bytes);
    asked.is_some_and(|protocol| protocol.eq_ignore_ascii_case(PROTOCOL.as_bytes()))
}

/// The container that is named, or one that runs: of the live release, if it can be.
async fn choose(core: &Core, wanted: &Wanted) -> Result<ContainerName, Problem> {
    let Wanted { service, container, .. } = wanted;
    let record = core.known(service)?;
    let all = core.engine.containers(Some(service)).await?;
    if let Some(name) = container {
        let known = all.iter().any(|found| found.name == *name);
        let unknown = || Problem::new(ProblemCode::NotFound, format!("{service} has no container {name}"));
        return known.then(|| name.clone()).ok_or_else(unknown);
    }
    let is_live = |container: &&Container| match &container.role {
        Role::Service { release, .. } => record.live == Some(*release),
        Role::Router => false,
    };
    let mut running = all.iter().filter(|container| container.is_running());
    let first = running.clone().find(is_live).or_else(|| running.next());
    first.map(|container| container.name.clone()).ok_or_else(|| {
        Problem::new(ProblemCode::Conflict, format!("no container of {service} runs"))
            .hint("Start it, or look at its logs for why it ended.")
    })
}

fn shell(wanted: &Wanted) -> Exec {
    let plain = |term: &String| term.chars().all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c));
    let term = wanted.term.clone().filter(|term| !term.is_empty() && plain(term));
    Exec {
        command: SHELL.map(str::to_owned).to_vec(),
        env: BTreeMap::from([("TERM".to_owned(), term.unwrap_or_else(|| USUAL_TERMINAL.to_owned()))]),
        size: wanted.size,
    }
}

/// Images from scratch have no shell, and whoever wants one there wants to know just that.
fn explain(error: EngineError, container: &ContainerName) -> Problem {
    let missing = ["no such file or directory", "executable file not found"];
    match &error {
        EngineError::Refused { source, .. } if missing.iter().any(|words| source.to_string().contains(words)) => {
            Problem::new(ProblemCode::Conflict, format!("{container} has no shell: there is no /bin/sh in its image"))
                .hint("An image with a shell can have one; this one has its logs.")
        }
        _ => error.into(),
    }
}

/// Carries bytes both ways until the shell ends, the operator leaves or is not let in any more, or the server stops.
async fn attend(core: &Core, stay: &Stay, session: ExecSession, connection: Connection) {
    let (sink, stream) = connection.split();
    let ExecSession { input, output } = session;
    let result = tokio::select! {
        result = listen(stream, input) => result,
        result = speak(output, sink) => result,
        () = core.stopped.cancelled() => Ok(()),
        () = stay.end() => Ok(()),
    };
    if let Err(error) = result {
        tracing::debug!(%error, "the connection to a shell ended");
    }
}

/// From the operator to the shell.
async fn listen(mut from: SplitStream<Connection>, to: mpsc::Sender<ExecInput>) -> Result<(), FrameError> {
    while let Some(frame) = from.next().await {
        let input = match Frame::decode(frame?)? {
            Frame::Bytes(bytes) => ExecInput::Bytes(bytes),
            Frame::Note(Note::Resize(size)) => ExecInput::Resize(size),
            Frame::Note(Note::Exited(_) | Note::Broken(_)) => return Ok(()),
        };
        if to.send(input).await.is_err() {
            // It does not read any more; what it still says matters.
            return std::future::pending().await;
        }
    }
    Ok(())
}

/// From the shell to the operator.
async fn speak(
    mut from: futures_util::stream::BoxStream<'static, crate::engine::Result<ExecOutput>>,
    mut to: SplitSink<Connection, bytes::Bytes>,
) -> Result<(), FrameError> {
    while let Some(output) = from.next().await {
        let frame = match output {
            Ok(ExecOutput::Bytes(bytes)) => Frame::Bytes(bytes),
            Ok(ExecOutput::Exited { code }) => Frame::Note(Note::Exited(code)),
            Err(error) => Frame::Note(Note::Broken(error.into())),
        };
        to.send(frame.encode()?).await?;
    }
    to.close().await?;
    Ok(())
}
