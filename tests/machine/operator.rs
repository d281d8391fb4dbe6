//! The operator's workstation: a home of its own, with an ssh that knows nothing of this machine's real users.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// Docker and the router's image are unpacked in it, perhaps on a busy machine.
const LIMIT: Duration = Duration::from_secs(600);

pub(crate) struct Operator {
    folder: tempfile::TempDir,
}

/// How a command ended, and what it printed.
pub(crate) struct Told {
    code: i32,
    out: String,
    err: String,
    typed: String,
}

impl Told {
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{}", self.text());
        self.out
    }

    /// What it printed, whether or not it failed.
    pub(crate) fn shown(&self) -> &str {
        &self.out
    }

    /// Its complaint, given that it failed in the world: not by a wrong command line.
    #[track_caller]
    pub(crate) fn failed(self) -> String {
        assert_eq!(self.code, 1, "{}", self.text());
        self.err
    }

    /// Its complaint, given that the command line was at fault.
    #[track_caller]
    pub(crate) fn misused(self) -> String {
        assert_eq!(self.code, 2, "{}", self.text());
        self.err
    }

    fn text(&self) -> String {
        let Self { code, out, err, typed } = self;
        format!("$ mypaas {typed}\n{out}{err}[exit code {code}]")
    }
}

impl Operator {
    pub(crate) fn new() -> Self {
        let operator = Self { folder: tempfile::tempdir().unwrap() };
        let folder = operator.folder.path();
        fs::create_dir_all(folder.join("home/.ssh")).unwrap();
        fs::create_dir(folder.join("bin")).unwrap();
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "ada@laptop", "-f"])
            .arg(operator.key())
            .status();
        assert!(made.unwrap().success());
        operator.configure("accept-new");
        operator.know("localhost", Ipv4Addr::LOCALHOST.into());
        // The user's home, where ssh looks for its configuration, is not HOME's to say.
        let config = folder.join("ssh_config");
        operator.script("bin/ssh", &format!("#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n", config.display()));
        operator
    }

    fn configure(&self, new_hosts: &str) {
        let known = self.folder.path().join("known_hosts");
        let config = format!(
            "Host *\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking {new_hosts}\n  \
             IdentityFile {}\n  IdentitiesOnly yes\n  IdentityAgent none\n  LogLevel ERROR\n",
            known.display(),
            self.key().display()
        );
        fs::write(self.folder.path().join("ssh_config"), config).unwrap();
    }

    /// Their machine has this address for the name from now on, beside what it had.
    pub(crate) fn know(&self, name: &str, address: IpAddr) {
        let path = self.folder.path().join("hosts");
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, format!("{before}{address} {name}\n")).unwrap();
    }

    /// Where the authority lies that their machine trusts, and no other one.
    pub(crate) fn authority(&self) -> PathBuf {
        self.home().join("authority.crt")
    }

    pub(crate) fn forget_hosts(&self) {
        fs::remove_file(self.folder.path().join("known_hosts")).unwrap();
    }

    pub(crate) fn trust_no_new_hosts(&self) {
        self.configure("yes");
    }

    fn key(&self) -> PathBuf {
        self.home().join(".ssh/mypaas_ed25519")
    }

    pub(crate) fn public_key(&self) -> String {
        fs::read_to_string(self.key().with_extension("pub")).unwrap().trim().to_owned()
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn fleet(&self) -> PathBuf {
        self.home().join(".config/mypaas/fleet.toml")
    }

    /// A file that can be run.
    pub(crate) fn program(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(name);
        write(&path, content);
        path.display().to_string()
    }

    fn script(&self, name: &str, text: &str) {
        write(&self.folder.path().join(name), text.as_bytes());
    }

    /// Runs it to its end, in a mount namespace of its own, where the machine knows the names that it is to know.
    pub(crate) async fn mypaas(&self, arguments: &[&str]) -> Told {
        const IN_NAMESPACE: &str = "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"";
        let path = std::env::var("PATH").unwrap_or_default();
        let running = Command::new("unshare")
            .args(["--mount", "sh", "-c", IN_NAMESPACE, "sh"])
            .arg(self.folder.path().join("hosts"))
            .arg(env!("CARGO_BIN_EXE_mypaas"))
            .args(arguments)
            .env_clear()
            .env("PATH", format!("{}:{path}", self.folder.path().join("bin").display()))
            .env("HOME", self.home())
            .envs(self.authority().exists().then(|| ("SSL_CERT_FILE", self.authority())))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = timeout(LIMIT, running).await.expect("it does not end").unwrap();
        Told {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            typed: arguments.join(" "),
        }
    }
}

fn write(path: &Path, content: &[u8]) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
