//! `mypaas server status`: what runs how on this machine.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use jiff::Timestamp;
use mypaas::api::{Part, ServerView, Unreplaced};
use mypaas::client::ClientError;
use mypaas::install::manager::{Daemon, Running};
use mypaas::install::upgrade::{self, Record, Stage};
use mypaas::install::{Manager, health, reboot};
use mypaas::server::config::Config;
use mypaas::server::socket_path;
use serde::Serialize;

use super::daemon;
use crate::cli::output::paint::Style;
use crate::cli::output::{foreign, units};
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Of the server of this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// The JSON output.
#[derive(Debug, Serialize)]
struct Status {
    home: PathBuf,
    program: PathBuf,
    user: String,
    socket: PathBuf,
    /// None: nothing keeps it running.
    manager: Option<String>,
    pid: Option<u32>,
    starts_at_boot: bool,
    /// None when it does not answer.
    server: Option<ServerView>,
    /// Why it does not.
    silence: Option<String>,
    domain: Option<String>,
    free_bytes: Option<u64>,
    upgrade: Option<Record>,
    reboot: Option<Timestamp>,
}

pub(super) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let daemon = daemon::of(arguments.user.as_deref(), &session.environment)?;
    let (status, silence) = look(daemon).await;
    match arguments.json {
        true => session.screen.print_json(&status)?,
        false => session.screen.print(&status.text(session))?,
    }
    // What else there is to know was told; that a server is silent is a failure all the same, for whoever watches it.
    let home = session.environment.shown(&status.home);
    silence.map_or(Ok(()), |why| Err(why).context(format!("the server of {home} does not answer")))
}

async fn look(daemon: Daemon) -> (Status, Option<ClientError>) {
    let manager = Manager::found(daemon.clone());
    let running = match &manager {
        Some(manager) => manager.running().await,
        None => Running { pid: None, at_boot: false },
    };
    let (server, silence) = match health::look(&daemon.home).await {
        Ok(view) => (Some(view), None),
        Err(why) => (None, Some(why)),
    };
    let status = Status {
        socket: socket_path(&daemon.home),
        manager: manager.map(|manager| manager.describe()),
        pid: running.pid,
        starts_at_boot: running.at_boot,
        silence: silence.as_ref().map(ToString::to_string),
        server,
        domain: Config::read(&daemon.home).ok().and_then(|config| config.init.domain),
        free_bytes: free(&daemon),
        upgrade: upgrade::read(&daemon.home),
        reboot: reboot::scheduled(),
        user: daemon.account.name,
        home: daemon.home,
        program: daemon.program,
    };
    (status, silence)
}

fn free(daemon: &Daemon) -> Option<u64> {
    let found = nix::sys::statvfs::statvfs(&daemon.home).ok()?;
    Some(found.blocks_available().saturating_mul(found.fragment_size()))
}

impl Status {
    fn text(&self, session: &Session) -> String {
        let paint = session.screen.paint();
        let now = Timestamp::now();
        let line = |name: &str, style: Style, text: &str| {
            format!("{name:<9} {}\n", paint.apply(style, &foreign::line(text, false)))
        };
        let plain = |name: &str, text: &str| line(name, Style::Plain, text);
        let pid = self.pid.map(|pid| format!(", process {pid}")).unwrap_or_default();
        let boot = if self.starts_at_boot { ", starts with the machine" } else { "" };
        let mut text = match &self.server {
            Some(view) => line(
                "server",
                Style::Good,
                &format!("mypaas {}, runs for {}{pid}", view.version, units::age(view.started, now)),
            ),
            None => line("server", Style::Bad, &format!("does not answer{pid}")),
        };
        text += &match &self.manager {
            Some(manager) => plain("kept by", &format!("{manager}, as {}{boot}", self.user)),
            None => line("kept by", Style::Warning, "nothing; `mypaas server init` changes that"),
        };
        text += &plain("program", &session.environment.shown(&self.program));
        text += &plain("folder", &session.environment.shown(&self.home));
        text += &plain("socket", &session.environment.shown(&self.socket));
        text += &plain("domain", self.domain.as_deref().unwrap_or("none; it is reached by ssh only"));
        if let Some(problem) = self.server.as_ref().and_then(|view| view.unreached.as_ref()) {
            text += &line("", Style::Warning, &problem.message);
            text += &problem.hint.as_deref().map(|hint| plain("", hint)).unwrap_or_default();
        }
        if let Some(view) = &self.server {
            text += &part("engine", &view.engine, |info| format!("{} {}", info.name, info.version), &line);
            let ports = |info: &mypaas::api::RouterInfo| {
                format!("{} {} on ports {} and {}", info.name, info.version, info.http_port, info.https_port)
            };
            text += &part("router", &view.router, ports, &line);
            if let Some(why) = view.router.up().and_then(|info| info.unreplaced.as_ref()) {
                text += &line("", Style::Warning, &why.headline());
                text += &why.log.iter().map(|said| plain("", &format!("| {said}"))).collect::<String>();
                text += &plain("", Unreplaced::hint());
            }
        }
        text += &self.free_bytes.map(|free| plain("disk", &format!("{} free", units::bytes(free)))).unwrap_or_default();
        text += &self
            .upgrade
            .as_ref()
            .map(|record| plain("upgrade", &upgraded(record, &self.home, now)))
            .unwrap_or_default();
        text += &self.reboot.map(|at| line("reboot", Style::Warning, &format!("planned at {at}"))).unwrap_or_default();
        text
    }
}

fn part<T>(
    name: &str,
    part: &Part<T>,
    up: impl Fn(&T) -> String,
    line: &impl Fn(&str, Style, &str) -> String,
) -> String {
    match part {
        Part::Up { info } => line(name, Style::Good, &up(info)),
        Part::Down { problem } => line(name, Style::Bad, &problem.message),
    }
}

fn upgraded(record: &Record, home: &Path, now: Timestamp) -> String {
    let to = record.to.as_deref().map(|to| format!(" to {to}")).unwrap_or_default();
    let ago = units::age(record.begun, now);
    let first = |reason: &str| reason.lines().next().unwrap_or_default().to_owned();
    match &record.stage {
        Stage::Done => format!("the last one{to}, {ago} ago, succeeded"),
        Stage::Refused { reason } => format!("the last one{to}, {ago} ago, was refused: {}", first(reason)),
        Stage::Reverted { reason } => format!("the last one{to}, {ago} ago, was reverted: {}", first(reason)),
        Stage::Down { reason, .. } => format!("the last one{to}, {ago} ago, failed: {}", first(reason)),
        Stage::Trying | Stage::Swapping | Stage::Restarting | Stage::Reverting { .. } if upgrade::goes_on(home) => {
            format!("one{to} goes on since {ago}")
        }
        Stage::Trying | Stage::Swapping | Stage::Restarting | Stage::Reverting { .. } => {
            format!("one{to}, {ago} ago, was cut off; the next start of the server completes it, or takes it back")
        }
    }
}
