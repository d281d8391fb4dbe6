//! Programs that keep logins (Docker's credential helpers): `docker-credential-NAME get` reads a registry from its standard
//! input and answers with a login, or fails.

use std::ffi::OsStr;
use std::io;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::Login;
use crate::engine::{Registry, Secret};

/// Some ask a cloud first.
const LIMIT: Duration = Duration::from_secs(20);

/// How one says that it has no login for the registry.
const NONE: &str = "credentials not found";

/// The user's name of a login that is a token.
const TOKEN: &str = "<token>";

/// So much of a complaint is worth telling.
const TOLD: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// The login that the program has for the registry, or why that is not known.
pub(super) async fn ask(name: &str, folders: Option<&OsStr>, registry: &Registry) -> Result<Option<Login>, String> {
    ask_within(LIMIT, name, folders, registry).await
}

pub(super) async fn ask_within(
    limit: Duration,
    name: &str,
    folders: Option<&OsStr>,
    registry: &Registry,
) -> Result<Option<Login>, String> {
    let program = format!("docker-credential-{name}");
    if name.contains('/') {
        return Err(format!("Docker's config.json names a program {program}, which is a path"));
    }
    match timeout(limit, run(&program, folders, registry.key())).await {
        Ok(Ok(output)) => login(&program, &output),
        Ok(Err(error)) => Err(format!("the program {program}, which keeps it, could not be run ({error})")),
        Err(_) => Err(format!("the program {program}, which keeps it, took longer than {limit:?}")),
    }
}

async fn run(program: &str, folders: Option<&OsStr>, registry: &str) -> io::Result<Output> {
    let mut command = Command::new(program);
    if let Some(folders) = folders {
        command.env("PATH", folders);
    }
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // One that does not read it says itself what is wrong.
        let _ = input.write_all(registry.as_bytes()).await;
    }
    child.wait_with_output().await
}

fn login(program: &str, output: &Output) -> Result<Option<Login>, String> {
    if !output.status.success() {
        let complaint = complaint(output);
        return match complaint.contains(NONE) {
            true => Ok(None),
            false => Err(format!("the program {program}, which keeps it, failed: {complaint}")),
        };
    }
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|_| format!("what the program {program} answered is no login"))?;
    let (user, secret) = (answer.username, Secret::new(answer.secret));
    let login = match user == TOKEN {
        true => Login { identity_token: secret, ..Login::default() },
        false => Login { user, password: secret, ..Login::default() },
    };
    Ok((!login.is_empty()).then_some(login))
}

/// They complain on their standard output. A login, even half of one, is not told.
fn complaint(output: &Output) -> String {
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let mut lines = said.iter().flat_map(|text| text.lines()).map(str::trim);
    match lines.find(|line| !line.is_empty() && !line.contains("Secret")) {
        Some(line) => line.chars().take(TOLD).collect(),
        None => output.status.to_string(),
    }
}
