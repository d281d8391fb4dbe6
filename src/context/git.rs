//! Which commit a folder is at, by the system's `git`. Where there is no git or no repository there is no answer, and
//! that is fine: it is told beside a release and decides nothing.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::process::Command;

/// A folder on a slow disk is not waited for.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// More of an answer is not read.
const ANSWER_LIMIT: u64 = 64 * 1024;

/// A subject may be as long as its author liked.
const SUBJECT_LIMIT: usize = 200;

/// Set where a hook of git runs this; they would win over the folder.
const OF_ANOTHER_REPOSITORY: [&str; 3] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Short form.
    pub id: String,
    /// First line of its message.
    pub subject: String,
    /// The folder had changes that are not in the commit.
    pub dirty: bool,
}

/// The commit that the folder's repository is at; none without git, without a repository, without a commit, or when
/// git takes longer than 2 seconds.
pub async fn commit_of(folder: &Path) -> Option<Commit> {
    tokio::time::timeout(TIME_LIMIT, ask(folder)).await.ok().flatten()
}

async fn ask(folder: &Path) -> Option<Commit> {
    let log = git(folder, &["-c", "log.showSignature=false", "log", "-1", "--format=%h%n%s"]).await?;
    let changes = git(folder, &["status", "--porcelain", "--", "."]).await?;
    let (id, subject) = log.trim_end().split_once('\n').unwrap_or((log.trim_end(), ""));
    Some(Commit {
        id: id.to_owned(),
        subject: subject.chars().take(SUBJECT_LIMIT).collect(),
        dirty: !changes.is_empty(),
    })
}

/// What git printed; none when it failed.
async fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    for variable in OF_ANOTHER_REPOSITORY {
        command.env_remove(variable);
    }
    let mut child = command
        .arg("-C")
        .arg(folder)
        // Neither locks the repository, nor starts a program that the repository names, nor asks anything.
        .args(["--no-optional-locks", "-c", "core.fsmonitor=false"])
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let mut answer = Vec::new();
    child.stdout.take()?.take(ANSWER_LIMIT).read_to_end(&mut answer).await.ok()?;
    let is_cut = answer.len() as u64 == ANSWER_LIMIT;
    let succeeded = is_cut || child.wait().await.ok()?.success();
    succeeded.then(|| String::from_utf8_lossy(&answer).into_owned())
}
