//! The original's daemon, as a service of systemd.

use std::path::PathBuf;

use anyhow::{Context, bail};
use tokio::process::Command;

const UNIT: &str = "mypaasd";
const UNIT_FILE: &str = "/etc/systemd/system/mypaasd.service";

#[derive(Debug)]
pub(super) struct Daemon {
    unit_file: PathBuf,
    systemctl: PathBuf,
}

/// What it was before it was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stopped {
    /// It started with the machine.
    enabled: bool,
    active: bool,
}

impl Daemon {
    pub(super) fn of_this_machine() -> Self {
        Self { unit_file: UNIT_FILE.into(), systemctl: "systemctl".into() }
    }

    /// Stops it, and has it start no more. None: it is not there, or did neither run nor start with the machine.
    pub(super) async fn stop(&self) -> anyhow::Result<Option<Stopped>> {
        if !self.unit_file.exists() {
            return Ok(None);
        }
        let stopped = Stopped { enabled: self.says("is-enabled").await?, active: self.says("is-active").await? };
        // In any case: between two attempts to start it is not active either.
        self.systemctl(&["disable", "--now"]).await.context("the original's daemon could not be stopped")?;
        Ok(Some(stopped).filter(|stopped| stopped.enabled || stopped.active))
    }

    /// Undoes that; what it came to, for people to be told.
    pub(super) async fn start_again(&self, stopped: Stopped) -> String {
        let arguments: &[&str] = match stopped {
            Stopped { enabled: true, active: true } => &["enable", "--now"],
            Stopped { enabled: true, .. } => &["enable"],
            Stopped { .. } => &["start"],
        };
        match self.systemctl(arguments).await {
            Ok(()) => format!("{UNIT}, the original's daemon, is again what it was\n"),
            Err(error) => format!(
                "{UNIT}, the original's daemon, could not be started again ({error:#}): \
                 `systemctl enable --now {UNIT}` does it\n"
            ),
        }
    }

    async fn says(&self, question: &str) -> anyhow::Result<bool> {
        let asked = Command::new(&self.systemctl).args([question, "--quiet", UNIT]).output().await;
        Ok(asked.with_context(|| format!("`systemctl {question} {UNIT}` did not work"))?.status.success())
    }

    async fn systemctl(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let ended = Command::new(&self.systemctl).args(arguments).arg(UNIT).output().await?;
        if !ended.status.success() {
            bail!("{}", String::from_utf8_lossy(&ended.stderr).trim());
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod fake {
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use super::Daemon;

    /// A daemon of a systemctl that writes down what it is told, and fails where that is like the pattern.
    pub(in super::super) fn daemon(folder: &Path, fails: &str) -> Daemon {
        let (unit_file, systemctl) = (folder.join("mypaasd.service"), folder.join("systemctl"));
        fs::write(&unit_file, "").unwrap();
        let told = folder.join("told");
        let script = format!(
            "#!/bin/sh\necho \"$@\" >> {}\ncase \"$*\" in {fails}) echo no >&2; exit 1;; esac\n",
            told.display()
        );
        let text = folder.join("text");
        fs::write(&text, script).unwrap();
        // Another program makes it: a file that this one has open to write, in whatever thread, cannot be run.
        assert!(Command::new("install").args(["-m", "755"]).args([&text, &systemctl]).status().unwrap().success());
        Daemon { unit_file, systemctl }
    }

    /// What it was told to change.
    pub(in super::super) fn changes(folder: &Path) -> Vec<String> {
        let told = fs::read_to_string(folder.join("told")).unwrap_or_default();
        told.lines().filter(|line| !line.starts_with("is-")).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::fake::{changes, daemon};

    #[tokio::test]
    async fn it_is_again_what_it_was() {
        let cases =
            [("nothing", "enable --now mypaasd"), ("is-active*", "enable mypaasd"), ("is-enabled*", "start mypaasd")];
        for (fails, again) in cases {
            let folder = tempfile::tempdir().unwrap();
            let daemon = daemon(folder.path(), fails);
            let stopped = daemon.stop().await.unwrap().unwrap();
            assert_eq!(changes(folder.path()), ["disable --now mypaasd"]);
            let told = daemon.start_again(stopped).await;
            assert!(told.contains("again what it was"), "{told}");
            assert_eq!(changes(folder.path()), ["disable --now mypaasd", again]);
        }
    }

    #[tokio::test]
    async fn one_that_did_not_run_is_not_started_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(daemon(folder.path(), "is-*").stop().await.unwrap(), None);
        let folder = tempfile::tempdir().unwrap();
        let missing = daemon(folder.path(), "nothing");
        std::fs::remove_file(&missing.unit_file).unwrap();
        assert_eq!(missing.stop().await.unwrap(), None);
        assert!(changes(folder.path()).is_empty());
    }

    #[tokio::test]
    async fn what_systemctl_refuses_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = daemon(folder.path(), "disable*").stop().await.unwrap_err();
        assert_eq!(format!("{error:#}"), "the original's daemon could not be stopped: no");
        let daemon = daemon(folder.path(), "enable*");
        let stopped = daemon.stop().await.unwrap().unwrap();
        let told = daemon.start_again(stopped).await;
        assert!(told.contains("could not be started again (no): `systemctl enable --now mypaasd` does it"), "{told}");
    }
}
