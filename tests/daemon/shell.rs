//! A shell in a container, over the wire.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use mypaas::api::{Action, ProblemCode, TerminalSize};
use mypaas::client::{Client, ClientError, Shell, ShellOutput, TerminalKind};
use mypaas::name::ContainerName;
use mypaas::server;
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use crate::stage::{ROLLING, Stage};

/// A server on a socket, and somebody who talks to it.
struct Wire {
    stage: Stage,
    client: Client,
    shutdown: CancellationToken,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
    _folder: TempDir,
}

impl Wire {
    async fn new() -> Self {
        let stage = Stage::new().await;
        stage.push(ROLLING).await.assert_succeeded();
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("mypaas.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let shutdown = CancellationToken::new();
        let served = tokio::spawn(server::serve(listener, Arc::clone(&stage.core), || {}, shutdown.clone()));
        Self { stage, client: Client::unix(&socket).unwrap(), shutdown, served, _folder: folder }
    }

    async fn shell(&self, container: Option<&str>) -> Result<Shell, ClientError> {
        let container = container.map(ContainerName::from_engine);
        let kind = TerminalKind { size: TerminalSize { columns: 100, rows: 30 }, term: Some("dumb".into()) };
        self.client.shell(&"web".parse().unwrap(), container.as_ref(), &kind).await
    }

    /// What the engine was asked for.
    fn opened(&self) -> Vec<String> {
        let calls = self.stage.engine.calls().into_iter().filter(|call| call.action == "exec");
        calls.map(|call| call.to_string()).collect()
    }

    async fn refused(&self, container: Option<&str>) -> (ProblemCode, String) {
        match self.shell(container).await {
            Err(ClientError::Refused(problem)) => (problem.code, problem.message),
            other => panic!("{other:?}"),
        }
    }
}

/// Reads until this was written; or until the end: then the exit code.
pub(crate) async fn read_until(shell: &mut Shell, wanted: &str) -> Result<String, i64> {
    let mut read = String::new();
    let reading = async {
        while let Some(output) = shell.output.next().await {
            match output.unwrap() {
                ShellOutput::Bytes(bytes) => read.push_str(&String::from_utf8_lossy(&bytes)),
                ShellOutput::Exited { code } => return Err(code),
            }
            if read.contains(wanted) {
                return Ok(std::mem::take(&mut read));
            }
        }
        panic!("the output ended without an end");
    };
    tokio::time::timeout(Duration::from_secs(30), reading).await.unwrap_or_else(|_| panic!("never: {wanted:?}"))
}

pub(crate) async fn type_in(shell: &mut Shell, text: &'static str) {
    shell.input.send(Bytes::from_static(text.as_bytes())).await.unwrap();
}

#[tokio::test]
async fn a_shell_is_typed_into_resized_and_exited() {
    let wire = Wire::new().await;
    let mut shell = wire.shell(None).await.unwrap();
    read_until(&mut shell, "$ ").await.unwrap();
    type_in(&mut shell, "hello\rsize\r").await;
    read_until(&mut shell, "you said hello").await.unwrap();
    read_until(&mut shell, "100x30").await.unwrap();
    shell.input.resize(TerminalSize { columns: 20, rows: 6 }).await.unwrap();
    type_in(&mut shell, "size\r").await;
    read_until(&mut shell, "20x6").await.unwrap();
    type_in(&mut shell, "exit 3\r").await;
    assert_eq!(read_until(&mut shell, "never written").await, Err(3));
    assert!(shell.output.next().await.is_none());
    assert_eq!(wire.opened(), ["exec web.r1.1"]);
}

#[tokio::test]
async fn a_shell_goes_to_the_container_that_is_named_and_to_no_other_service_s() {
    let wire = Wire::new().await;
    wire.shell(Some("web.r1.2")).await.unwrap();
    assert_eq!(wire.opened(), ["exec web.r1.2"]);
    assert_eq!(wire.refused(Some("shop.r1.1")).await, (ProblemCode::NotFound, "web has no container shop.r1.1".into()));
    wire.stage.act("web", Action::Stop).await.assert_succeeded();
    assert_eq!(wire.refused(None).await, (ProblemCode::Conflict, "no container of web runs".into()));
}

#[tokio::test]
async fn a_server_that_stops_ends_its_shells() {
    let wire = Wire::new().await;
    let mut shell = wire.shell(None).await.unwrap();
    read_until(&mut shell, "$ ").await.unwrap();
    wire.shutdown.cancel();
    let end = async { while shell.output.next().await.is_some_and(|output| output.is_ok()) {} };
    tokio::time::timeout(Duration::from_secs(30), end).await.expect("the shell ends");
    tokio::time::timeout(Duration::from_secs(30), wire.served).await.expect("the server ends").unwrap().unwrap();
}
