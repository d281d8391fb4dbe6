//! The server as a unit of systemd.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Daemon, ManagerError, Renewal, Running};
use crate::atomic_file::{self, Access};
use crate::install::{command, upgrade};

const UNITS: &str = "/etc/systemd/system";
const TEMPLATE: &str = include_str!("../../../assets/install/mypaas.service");

/// More than the unit's own limits for start and stop together.
const LIMIT: Duration = Duration::from_secs(260);
const QUESTION_LIMIT: Duration = Duration::from_secs(20);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// How the line begins that says where the engine listens.
const ENGINE: &str = "Environment=\"DOCKER_HOST=";

#[derive(Debug, Clone)]
pub struct Systemd {
    daemon: Daemon,
}

impl Systemd {
    pub fn new(daemon: Daemon) -> Self {
        Self { daemon }
    }

    /// As in `mypaas.service`.
    pub fn unit(&self) -> String {
        format!("{}.service", self.daemon.name)
    }

    pub(super) fn is_installed(&self) -> bool {
        self.path().exists()
    }

    fn path(&self) -> PathBuf {
        Path::new(UNITS).join(self.unit())
    }

    /// The unit's text. Where the engine listens stays as it is in the one before, unless it is said anew.
    fn text(&self, before: &str) -> String {
        let Daemon { home, program, account, docker_host, .. } = &self.daemon;
        let (groups, ambient) = match account.is_root() {
            true => ("", ""),
            false => ("SupplementaryGroups=docker\n", "AmbientCapabilities=CAP_KILL CAP_SYS_ADMIN CAP_SYS_PTRACE\n"),
        };
        let engine = match docker_host {
            Some(endpoint) => format!("{ENGINE}{}\"\n", escaped(endpoint)),
            None => before.split_inclusive('\n').filter(|line| line.starts_with(ENGINE)).collect(),
        };
        let mut writable = quoted(&account.home);
        if !home.starts_with(&account.home) {
            writable += &format!(" {}", quoted(home));
        }
        TEMPLATE
            .replace("{user}", &escaped(&account.name))
            .replace("{groups}", groups)
            .replace("{ambient}", ambient)
            .replace("{home}", &format!("\"MYPAAS_HOME={}\"", escaped(&home.display().to_string())))
            .replace("{previous}", &quoted(&upgrade::kept(program)))
            .replace("{program}", &quoted(program))
            .replace("{writable}", &writable)
            .replace("{engine}", &engine)
    }

    pub(super) async fn install(&self) -> Result<bool, ManagerError> {
        let before = fs::read_to_string(self.path()).unwrap_or_default();
        let text = self.text(&before);
        let is_new = before != text;
        if is_new {
            self.write(&text).await?;
        }
        command::run("systemctl", &["enable", "--quiet", &self.unit()], LIMIT).await?;
        Ok(is_new)
    }

    /// The text that this program wants, in the place of the one that is there.
    pub fn wanted(&self) -> String {
        self.text(&fs::read_to_string(self.path()).unwrap_or_default())
    }

    /// Asks the program that lies there now; one that knows no answer is content. What is not as this program would write it
    /// is somebody's own, or another server's.
    pub(super) async fn renew(&self) -> Result<Renewal, ManagerError> {
        let Daemon { program, account, .. } = &self.daemon;
        let program = program.display().to_string();
        let question = ["server", "unit", "--program", &program, "--user", &account.name];
        let wanted = command::run(&program, &question, QUESTION_LIMIT).await.unwrap_or_default();
        let failed = |source| ManagerError::File { action: "read", path: self.path(), source };
        let before = fs::read_to_string(self.path()).map_err(failed)?;
        if before == wanted || !wanted.contains("\n[Service]\n") {
            return Ok(Renewal::AsBefore);
        }
        if before != self.text(&before) {
            return Ok(Renewal::Own { unit: self.unit() });
        }
        if let Err(error) = self.write(&wanted).await {
            // Half of it would hold from the next boot on.
            let _ = self.write(&before).await;
            return Err(error);
        }
        Ok(Renewal::Renewed { before })
    }

    pub(super) async fn write(&self, text: &str) -> Result<(), ManagerError> {
        let failed = |source| ManagerError::File { action: "write", path: self.path(), source };
        atomic_file::write_beside(&self.path(), text.as_bytes(), Access::Everyone).map_err(failed)?;
        command::run("systemctl", &["daemon-reload"], LIMIT).await?;
        Ok(())
    }

    pub(super) async fn start(&self) -> Result<(), ManagerError> {
        self.begin("start").await
    }

    /// Returns once the old one has ended, not when the new one has come up: one that cannot is for the caller to find out.
    /// All of it is systemd's to do, so whoever asked may be interrupted.
    pub(super) async fn restart(&self) -> Result<(), ManagerError> {
        let (old, start) = (self.pid().await, Instant::now());
        self.begin("restart").await?;
        while old.is_some() && self.pid().await == old && start.elapsed() < LIMIT {
            sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    pub(super) async fn stop(&self) -> Result<(), ManagerError> {
        Ok(command::run("systemctl", &["stop", &self.unit()], LIMIT).await.map(drop)?)
    }

    /// What does not start is seen by asking the server, with its own words for the reason.
    async fn begin(&self, verb: &str) -> Result<(), ManagerError> {
        // It may have been given up on before.
        let _ = command::run("systemctl", &["reset-failed", &self.unit()], QUESTION_LIMIT).await;
        Ok(command::run("systemctl", &[verb, "--no-block", &self.unit()], LIMIT).await.map(drop)?)
    }

    pub(super) async fn running(&self) -> Running {
        let at_boot = command::run("systemctl", &["is-enabled", &self.unit()], QUESTION_LIMIT).await.is_ok();
        Running { pid: self.pid().await, at_boot }
    }

    async fn pid(&self) -> Option<u32> {
        let arguments = ["show", "--property=MainPID", "--value", &self.unit()];
        let text = command::run("systemctl", &arguments, QUESTION_LIMIT).await.ok()?;
        text.trim().parse().ok().filter(|pid| *pid != 0)
    }

    pub(super) async fn last_lines(&self) -> String {
        let arguments = ["--unit", &self.unit(), "--lines=12", "--output=cat", "--no-pager"];
        let told = command::run("journalctl", &arguments, QUESTION_LIMIT).await;
        command::last_lines(&told.unwrap_or_default())
    }
}

/// A word in a unit file.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", escaped(&path.display().to_string()))
}

/// `%` begins a specifier there, and a backslash an escape.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::Account;

    fn systemd(user: &str, uid: u32, home: &str, docker_host: Option<&str>) -> Systemd {
        let account = Account { name: user.into(), uid, gid: uid, home: format!("/home/{user}").into() };
        let (program, docker_host) = ("/usr/local/bin/mypaas".into(), docker_host.map(str::to_owned));
        Systemd::new(Daemon { home: home.into(), program, account, name: "mypaas".into(), docker_host })
    }

    #[test]
    fn the_unit_of_an_ordinary_server_is_as_reviewed() {
        insta::assert_snapshot!(systemd("ada", 1000, "/home/ada/_mypaas", None).text(""));
    }

    #[test]
    fn root_needs_no_group_and_a_folder_elsewhere_is_writable_too() {
        let unit = systemd("root", 0, "/srv/my 100% paas", None).text("");
        assert!(!unit.contains("SupplementaryGroups") && !unit.contains("Ambient"), "{unit}");
        assert!(unit.contains("Environment=\"MYPAAS_HOME=/srv/my 100%% paas\"\n"), "{unit}");
        assert!(unit.contains("ReadWritePaths=\"/home/root\" \"/srv/my 100%% paas\"\n"), "{unit}");
    }

    /// What the server does itself to its containers, as an announcement does and the end of a shell.
    #[test]
    fn the_unit_leaves_what_the_server_does_to_containers() {
        for (user, uid) in [("root", 0), ("ada", 1000)] {
            let unit = systemd(user, uid, "/srv/paas", None).text("");
            let told = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
            let wanted = if uid == 0 { "CapabilityBoundingSet=" } else { "AmbientCapabilities=" };
            for capability in ["CAP_KILL", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE"] {
                assert!(told(wanted).split(' ').any(|one| one == capability), "{user}: {capability}");
                assert!(told("CapabilityBoundingSet=").split(' ').any(|one| one == capability), "{capability}");
            }
            assert_eq!(told("RestrictNamespaces="), "net");
        }
    }

    #[test]
    fn where_the_engine_listens_is_written_down_and_kept() {
        let line = "Environment=\"DOCKER_HOST=unix:///run/100%% own.sock\"\n";
        let first = systemd("ada", 1000, "/home/ada/_mypaas", Some("unix:///run/100% own.sock")).text("");
        assert!(first.contains(&format!("/_mypaas\"\n{line}#")), "{first}");
        assert_eq!(systemd("ada", 1000, "/home/ada/_mypaas", None).text(&first), first, "not said anew");
        let other = systemd("ada", 1000, "/home/ada/_mypaas", Some("unix:///run/other.sock")).text(&first);
        assert!(other.contains("DOCKER_HOST=unix:///run/other.sock\"") && !other.contains("own.sock"), "{other}");
    }
}
