//! Somebody at a machine of their own: with keys, a list of servers, and nothing of the server's but what the network
//! gives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

use super::Told;
use super::command::Running;

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

    /// In a mount namespace of its own, where the domain is this machine's.
    fn command(&self, arguments: &[&str]) -> Command {
        const IN_NAMESPACE: &str = "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"";
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", IN_NAMESPACE, "sh"])
            .arg(self.folder.path().join("hosts"))
            .arg(env!("CARGO_BIN_EXE_mypaas"))
            .args(arguments)
            .env_clear()
            .env("PATH", format!("{}:{path}", self.programs().display()))
            .env("HOME", self.home())
            .env("SSL_CERT_FILE", self.folder.path().join("authority.crt"))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }
}
