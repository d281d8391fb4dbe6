//! Commands on a terminal in a container.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use mypaas::engine::{Exec, ExecInput, ExecOutput, ExecSession, TerminalSize};
use mypaas::name::ContainerName;

use crate::fixture::{App, Fixture};

pub(crate) fn shell() -> Exec {
    let size = TerminalSize { columns: 100, rows: 30 };
    Exec { command: vec!["/app".into(), "shell".into()], env: BTreeMap::new(), size }
}

/// Reads until this was written; or until the end: then the exit code.
pub(crate) async fn read_until(session: &mut ExecSession, wanted: &str) -> Result<String, i64> {
    let mut read = String::new();
    let reading = async {
        while let Some(output) = session.output.next().await {
            match output.unwrap() {
                ExecOutput::Bytes(bytes) => read.push_str(&String::from_utf8_lossy(&bytes)),
                ExecOutput::Exited { code } => return Err(code),
            }
            if read.contains(wanted) {
                return Ok(std::mem::take(&mut read));
            }
        }
        panic!("the output ended without an end");
    };
    tokio::time::timeout(Duration::from_secs(30), reading).await.unwrap_or_else(|_| panic!("never: {wanted:?}"))
}

pub(crate) async fn type_in(session: &ExecSession, text: &'static str) {
    session.input.send(ExecInput::Bytes(Bytes::from_static(text.as_bytes()))).await.unwrap();
}

pub(crate) async fn a_command_runs_on_a_terminal_until_it_exits(on: &impl Fixture) {
    let container = on.run_until_it_listens("web", App::Serves).await;
    let mut session = on.engine().exec(&container.name, &shell()).await.unwrap();
    read_until(&mut session, "$ ").await.unwrap();
    type_in(&session, "hello\r").await;
    let read = read_until(&mut session, "you said hello").await.unwrap();
    assert!(read.contains("hello\r\n"), "a terminal echoes what is typed: {read:?}");
    type_in(&session, "exit 7\r").await;
    assert_eq!(read_until(&mut session, "never written").await, Err(7));
    assert!(session.output.next().await.is_none());
    assert!(on.engine().inspect(&container.name).await.unwrap().is_running(), "the container goes on");
}

pub(crate) async fn a_terminal_has_the_size_that_it_is_given_and_takes_another(on: &impl Fixture) {
    let container = on.run_until_it_listens("web", App::Serves).await;
    let mut session = on.engine().exec(&container.name, &shell()).await.unwrap();
    read_until(&mut session, "$ ").await.unwrap();
    type_in(&session, "size\r").await;
    read_until(&mut session, "100x30").await.unwrap();
    session.input.send(ExecInput::Resize(TerminalSize { columns: 20, rows: 6 })).await.unwrap();
    type_in(&session, "size\r").await;
    read_until(&mut session, "20x6").await.unwrap();
}

pub(crate) async fn a_command_needs_a_container_of_ours_that_runs_and_a_program(on: &impl Fixture) {
    let container = on.run_until_it_listens("web", App::Serves).await;
    let told = async |name: &ContainerName, exec: &Exec| on.engine().exec(name, exec).await.unwrap_err().to_string();
    let nowhere = Exec { command: vec!["/nowhere/shell".into()], ..shell() };
    let error = on.engine().exec(&container.name, &nowhere).await.unwrap_err();
    assert_eq!(error.to_string(), format!("could not run a command in the container {}", container.name));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("no such file or directory"), "{cause}");

    on.engine().stop(&container.name, Duration::from_secs(10)).await.unwrap();
    assert!(told(&container.name, &shell()).await.starts_with("could not run a command in"));
    let gone = ContainerName::from_engine(&format!("{}.gone", on.instance()));
    assert_eq!(told(&gone, &shell()).await, format!("there is no container {gone}"));
    let stranger = ContainerName::from_engine(&format!("{}.stranger", on.instance()));
    on.make_stranger(&stranger).await;
    assert!(told(&stranger, &shell()).await.contains("was not made by this server"));
}
