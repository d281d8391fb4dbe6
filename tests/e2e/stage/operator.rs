//! Somebody at a machine of their own: with keys, a list of servers, and nothing of the server's but what the network
//! gives.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use portable_pty::CommandBuilder;
use tempfile::TempDir;
use tokio::process::Command;

use super::Told;
use super::command::Running;
use crate::terminal::{Terminal, size};

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Operator {
    folder: TempDir,
}

impl Operator {
    /// With a key of their own, and the domain and the authority that their machine knows.
    pub(crate) async fn new(domain: &str, authority: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        fs::write(folder.path().join("hosts"), format!("127.0.0.1 localhost {domain}\n")).unwrap();
        fs::copy(authority, folder.path().join("authority.crt")).unwrap();
        let operator = Self { folder };
        operator.mypaas(&["key", "init", "--no-passphrase"]).await.done();
        operator
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Programs that are found before the machine's own.
    pub(crate) fn programs(&self) -> PathBuf {
        let folder = self.folder.path().join("bin");
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Their line for `authorized_keys`.
    pub(crate) async fn public_key(&self) -> String {
        let told = self.mypaas(&["key", "get"]).await;
        assert_eq!(told.code, 0, "{told}");
        told.out.trim().to_owned()
    }

    pub(crate) async fn mypaas(&self, arguments: &[&str]) -> Told {
        Running::of(self.command(arguments), arguments.join(" ")).end().await
    }

    pub(crate) fn console(&self) -> Terminal {
        let mut command = CommandBuilder::new("unshare");
        command.args(self.in_namespace(&[]));
        command.env_clear();
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        Terminal::start(command, size(120, 40), PATIENCE)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command.args(self.in_namespace(arguments)).env_clear().envs(self.environment());
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// What `unshare` is told: the program, in a mount namespace of its own, where the domain is this machine's.
    fn in_namespace(&self, arguments: &[&str]) -> Vec<OsString> {
        const IN_NAMESPACE: &str = "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"";
        let mut words: Vec<OsString> = ["--mount", "sh", "-c", IN_NAMESPACE, "sh"].map(OsString::from).into();
        words.push(self.folder.path().join("hosts").into());
        words.push(env!("CARGO_BIN_EXE_mypaas").into());
        words.extend(arguments.iter().map(OsString::from));
        words
    }

    fn environment(&self) -> [(&'static str, OsString); 3] {
        let path = std::env::var("PATH").unwrap_or_default();
        [
            ("PATH", format!("{}:{path}", self.programs().display()).into()),
            ("HOME", self.home().into()),
            ("SSL_CERT_FILE", self.folder.path().join("authority.crt").into()),
        ]
    }
}
