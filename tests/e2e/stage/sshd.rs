//! An sshd of the test's own on the loopback, and an `ssh` for operators that knows it.

use std::fs::{self, File, Permissions};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::operator::Operator;

const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct Sshd {
    process: Child,
    pub(crate) port: u16,
    folder: TempDir,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Sshd {
    /// Commands that it runs find this folder's programs first.
    pub(crate) fn start(programs: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        keygen(&folder.path().join("host"));
        File::create(file("authorized")).unwrap();
        fs::create_dir_all("/run/sshd").unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
             StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nSetEnv PATH={}:/usr/bin:/bin\n",
            file("host"),
            file("authorized"),
            programs.display()
        );
        fs::write(file("config"), config).unwrap();
        let log = File::create(file("log")).unwrap();
        // Whatever ends the test ends it too.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "/usr/sbin/sshd", "-D", "-e", "-f", &file("config")]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let sshd = Self { process: command.spawn().unwrap(), port, folder };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let log = || fs::read_to_string(sshd.folder.path().join("log")).unwrap();
            assert!(begun.elapsed() < LIMIT, "sshd does not listen: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        sshd
    }

    /// Lets the operator in, by a key that their ssh is told of.
    pub(crate) fn let_in(&self, operator: &Operator) {
        let key = operator.home().join("for_ssh");
        keygen(&key);
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        fs::write(self.folder.path().join("authorized"), public).unwrap();
        let config = operator.home().join("ssh_config");
        let known = operator.home().join("known_hosts");
        let text = format!(
            "Host *\n IdentityFile {}\n IdentitiesOnly yes\n StrictHostKeyChecking accept-new\n UserKnownHostsFile {}\n",
            key.display(),
            known.display()
        );
        fs::write(&config, text).unwrap();
        let ssh = operator.programs().join("ssh");
        fs::write(&ssh, format!("#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n", config.display())).unwrap();
        fs::set_permissions(&ssh, Permissions::from_mode(0o755)).unwrap();
    }
}

fn keygen(file: &Path) {
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file).status().unwrap();
    assert!(made.success());
}
