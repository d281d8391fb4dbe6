//! `mypaas server swap`: the server's part of an upgrade. It is done by a process of its own, which nobody needs to wait
//! for; this one waits, and tells.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use jiff::Timestamp;
use mypaas::install::manager::Daemon;
use mypaas::install::upgrade::{self, Record, Stage, Upgrade, UpgradeError};
use nix::unistd::setsid;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use super::daemon;
use crate::cli::session::Session;
use crate::cli::set_up::SetUpError;
use crate::cli::steps::Steps;

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The new program
    new: PathBuf,
    /// The program that it replaces
    #[arg(long, value_name = "FILE")]
    program: PathBuf,
    /// Of the server of this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// How long the new program may take to come up, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    limit: u64,
    /// Do it in this very process, under this name
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

pub(super) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let daemon = daemon::of(arguments.user.as_deref(), &session.environment)?;
    let daemon = Daemon { program: arguments.program.clone(), ..daemon };
    let manager = daemon::manager(&daemon, &session.environment)?;
    if let Some(id) = &arguments.id {
        // Away from the session of whoever asked for it.
        let _ = setsid();
        let (new, limit) = (arguments.new.clone(), Duration::from_secs(arguments.limit));
        return ended(Upgrade { id: id.clone(), new, daemon, manager, limit }.carry_out().await);
    }
    let id = format!("{}-{}", std::process::id(), Timestamp::now().as_millisecond());
    let child = begin(arguments, &id)?;
    ended(follow(child, &id, &daemon, session).await?)
}

fn begin(arguments: &Arguments, id: &str) -> anyhow::Result<Child> {
    let Arguments { new, program, user, limit, .. } = arguments;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["server", "swap"]).arg(new).arg("--program").arg(program);
    command.args(["--limit", &limit.to_string(), "--id", id]);
    if let Some(user) = user {
        command.args(["--user", user]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().context("the upgrade could not be begun")
}

/// Tells how it goes, until it has ended.
async fn follow(mut child: Child, id: &str, daemon: &Daemon, session: &Session) -> anyhow::Result<Record> {
    let mut steps = Steps::begin(&session.screen);
    let mut told: Option<Stage> = None;
    loop {
        // Looked at before the record: what it wrote last is not missed.
        let is_over = child.try_wait()?.is_some();
        let record = upgrade::read(&daemon.home).filter(|record| record.id == id);
        if let Some(record) = record {
            if told.as_ref() != Some(&record.stage) {
                tell(&record, &mut steps)?;
                told = Some(record.stage.clone());
            }
            if record.ended.is_some() {
                return Ok(record);
            }
        }
        if is_over {
            return Err(match upgrade::goes_on(&daemon.home) {
                // It was refused, and the record is the other one's.
                true => SetUpError::Refused { reason: UpgradeError::GoesOn.to_string() }.into(),
                false => SetUpError::Unknown.into(),
            });
        }
        sleep(BETWEEN_LOOKS).await;
    }
}

fn tell(record: &Record, steps: &mut Steps<'_>) -> anyhow::Result<()> {
    let to = record.to.as_deref().unwrap_or("it");
    match &record.stage {
        Stage::Trying => Ok(()),
        Stage::Swapping => steps.done("tried", &format!("mypaas {to} runs on this machine")),
        Stage::Restarting => steps.done("swapped", "the program before is kept beside it; the server restarts"),
        Stage::Done => {
            steps.done("answers", &format!("mypaas {to} is well"))?;
            record.unit.as_ref().map_or(Ok(()), |told| steps.done("unit", told))
        }
        Stage::Reverting { .. } => steps.would("reverting", "it does not come up; back to the program before"),
        Stage::Reverted { .. } => steps.done("reverted", "the program before is well again"),
        Stage::Refused { .. } | Stage::Down { .. } => Ok(()),
    }
}

fn ended(record: Record) -> anyhow::Result<()> {
    Err(match record.stage {
        Stage::Done => return Ok(()),
        Stage::Refused { reason } => SetUpError::Refused { reason },
        Stage::Reverted { reason } => SetUpError::Reverted { reason },
        Stage::Down { reason, then } => SetUpError::Down { reason, then },
        Stage::Trying | Stage::Swapping | Stage::Restarting | Stage::Reverting { .. } => SetUpError::Unknown,
    }
    .into())
}
