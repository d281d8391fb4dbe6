//! Getting to a machine by ssh, and this program onto it.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use jiff::Timestamp;
use mypaas::fleet::{Address, SshAddress};
use mypaas::install::probe::{Findings, Privilege, Wanted};
use mypaas::install::remote::{Manner, Remote, Told};
use mypaas::install::{PROGRAM, binary, probe};

use crate::cli::set_up::SetUpError;

/// Where programs are put before they are known to run there, each with an ending of its own: somebody else may be at it
/// too.
const UPLOADS: &str = "/usr/local/bin/.mypaas.upload";

/// One that is so old was left over.
const LEFT_OVER_MINUTES: u32 = 24 * 60;

const QUESTION_LIMIT: Duration = Duration::from_secs(60);
const UPLOAD_LIMIT: Duration = Duration::from_secs(15 * 60);

/// How the machine is reached, and what is brought there.
#[derive(Debug, Args)]
pub(crate) struct Way {
    /// The program that is brought there [default: this very one]
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Believe a machine that ssh does not know yet
    #[arg(long)]
    accept_new_host_key: bool,
}

/// A machine that was looked at.
pub(super) struct There {
    pub(super) remote: Remote,
    pub(super) findings: Findings,
    pub(super) program: PathBuf,
    /// Where it is put there at first.
    pub(super) upload: String,
}

/// As in `ada@shop.example.com`, perhaps with `:port` and `/server/folder`.
pub(crate) fn destination(text: &str) -> Result<SshAddress, String> {
    let text = if text.starts_with("ssh://") { text.to_owned() } else { format!("ssh://{text}") };
    match text.parse::<Address>() {
        Ok(Address::Ssh(address)) => Ok(address),
        Ok(_) => Err("use user@host".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl Way {
    /// Connects, and looks at the machine; nothing is changed there. `wanted` says what it is to become.
    pub(super) async fn open(&self, address: SshAddress, mut wanted: Wanted<'_>) -> anyhow::Result<There> {
        let program = match &self.binary {
            Some(path) => path.clone(),
            None => std::env::current_exe().context("it is not known where this program lies")?,
        };
        let unreadable = || format!("the program {} cannot be read", program.display());
        wanted.architecture = binary::architecture(&program).with_context(unreadable)?;
        let manner = Manner { may_ask: std::io::stdin().is_terminal(), accept_new_host_key: self.accept_new_host_key };
        let home = address.home.clone();
        let remote = Remote::connect(address, manner).await?;
        let home = home.map(|home| format!("MYPAAS_HOME='{home}'\n")).unwrap_or_default();
        let script = home + probe::SCRIPT;
        let told = remote.run("looking at the machine", &script, &[], QUESTION_LIMIT).await?;
        let findings = Findings::parse(&told.out).with_context(|| remote.destination())?;
        let obstacles = findings.obstacles(&wanted);
        if !obstacles.is_empty() {
            return Err(SetUpError::Obstacles { host: remote.destination(), obstacles }.into());
        }
        let upload = format!("{UPLOADS}.{}-{}", std::process::id(), Timestamp::now().as_millisecond());
        Ok(There { remote, findings, program, upload })
    }
}

impl There {
    /// The beginning of a command that only root may run.
    pub(super) fn sudo(&self) -> &'static str {
        if self.findings.privilege == Privilege::Root { "" } else { "sudo -n " }
    }

    /// Whether the program there is this one, to the byte.
    pub(super) fn is_same(&self) -> anyhow::Result<bool> {
        let sha256 = binary::sha256(&self.program)?;
        Ok(self.findings.program.as_ref().is_some_and(|there| there.sha256 == sha256))
    }

    /// Brings the program there; whole, or not at all, also when the line is cut meanwhile.
    pub(super) async fn upload(&self) -> anyhow::Result<()> {
        let (sudo, upload, sha256) = (self.sudo(), &self.upload, binary::sha256(&self.program)?);
        let script = format!(
            "{sudo}sh -c 'umask 022; mkdir -p /usr/local/bin && rm -f $(find {UPLOADS}* -mmin +{LEFT_OVER_MINUTES} \
             2>/dev/null); {{ cat >{upload} && chmod 755 {upload} && sync {upload} && \
             sha256sum <{upload} | grep -q ^{sha256}; }} || {{ rm -f {upload}; echo it did not arrive whole >&2; exit 1; }}'"
        );
        let told = self.remote.send(&self.program, &script, UPLOAD_LIMIT).await?;
        self.succeeded(told, "bringing the program there", "is there room, and may it be written there?")?;
        Ok(())
    }

    /// Has the program that was brought there run, and puts it where it belongs.
    pub(super) async fn settle(&self) -> anyhow::Result<String> {
        let upload = &self.upload;
        let told = self.remote.run("trying the program", &format!("{upload} --version"), &[], QUESTION_LIMIT).await?;
        let hint = "it was linked against a newer C library than there is: use one that is linked statically, or built \
                    on a system as old (--binary)";
        let told = match self.succeeded(told, "running the program", hint) {
            Ok(told) => told,
            Err(error) => return Err(self.after_removal(error.into()).await),
        };
        let script = format!("{}mv -f {upload} {PROGRAM}", self.sudo());
        let moved = self.remote.run("installing the program", &script, &[], QUESTION_LIMIT).await?;
        self.succeeded(moved, "installing the program", "may it be written there?")?;
        Ok(told.out.trim().to_owned())
    }

    /// Nothing half done stays there.
    pub(super) async fn after_removal(&self, error: anyhow::Error) -> anyhow::Error {
        let script = format!("{}rm -f {}", self.sudo(), self.upload);
        match self.remote.run("cleaning up", &script, &[], QUESTION_LIMIT).await {
            Ok(_) => error,
            Err(_) => error.context(format!("{} was left on {}", self.upload, self.remote.destination())),
        }
    }

    pub(super) fn succeeded(&self, told: Told, step: &'static str, hint: &'static str) -> Result<Told, SetUpError> {
        if told.code == 0 {
            return Ok(told);
        }
        let complaint = if told.err.trim().is_empty() { told.out } else { told.err };
        Err(SetUpError::There { step, host: self.remote.destination(), complaint, hint })
    }
}

/// The beginning of a command that is about the server of this folder.
pub(super) fn with_home(address: &SshAddress, sudo: &str) -> String {
    match &address.home {
        Some(home) => format!("{sudo}env MYPAAS_HOME='{home}' {PROGRAM}"),
        None => format!("{sudo}{PROGRAM}"),
    }
}
