//! `mypaas server init`: makes this machine a server. Safe to repeat.

use std::time::Duration;

use anyhow::Context;
use clap::Args;
use mypaas::install::answers::{Answers, Change, Domain};
use mypaas::install::health::{self, Demand};
use mypaas::install::manager::Daemon;
use mypaas::install::probe::{Findings, Wanted};
use mypaas::install::{Manager, docker, probe};
use mypaas::server;
use mypaas::server::config::{Config, FILE_NAME};

use super::files::{Files, read};
use super::{daemon, question};
use crate::cli::session::Session;
use crate::cli::set_up::SetUpError;
use crate::cli::steps::Steps;
use crate::cli::verb::adopt;

pub(super) const HELP: &str = "\
It checks the machine, installs Docker by apt where it is missing, writes config.toml and authorized_keys into the server
folder, and has systemd keep mypaas running; where there is no systemd, a supervisor process does. What is not given is
asked for, on a terminal. Repeating it changes only what is given anew.

  mypaas server init --domain paas.example.com --email ada@example.com --authorize ~/.ssh/id_ed25519.pub";

/// The first start gets the router's image.
const UP_LIMIT: Duration = Duration::from_secs(300);

const SAYS_ITS_END: &str = "the server is ready";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Under which the server itself is reached, as in paas.example.com
    #[arg(long, conflicts_with = "no_domain")]
    domain: Option<Domain>,
    /// The server is reached by ssh only
    #[arg(long)]
    no_domain: bool,
    /// For certificates: where the authority may write to
    #[arg(long)]
    email: Option<String>,
    /// Let a key in: a line as in authorized_keys, or a file of such lines; repeatable
    #[arg(long, value_name = "KEY")]
    authorize: Vec<String>,
    /// Where the router takes http requests [default: 80]
    #[arg(long, value_name = "PORT")]
    http_port: Option<u16>,
    /// Where the router takes https requests [default: 443]
    #[arg(long, value_name = "PORT")]
    https_port: Option<u16>,
    /// Take requests to the server itself over plain http, although whoever is on the way reads along
    #[arg(long)]
    plain_http: bool,
    /// The user that it runs as [default: who runs this]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Keep it running by a process of our own, also where systemd is
    #[arg(long)]
    supervise: bool,
    /// Once all that is known to work, take over what the Python original (MyPaas 0.5.9) runs here; `server adopt --help` tells how
    #[arg(long, conflicts_with_all = ["user", "dry_run"])]
    adopt: bool,
    /// Ask nothing: what is not given stays as it is, and what is given replaces what is there
    #[arg(long, short)]
    yes: bool,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let of_this_user = || daemon::of(arguments.user.as_deref(), &session.environment);
    let mut daemon = of_this_user()?;
    let answers = answer(arguments, &read(&daemon.home.join(FILE_NAME))?, session).await?;
    let mut files = Files::of(&daemon, &answers, &arguments.authorize)?;
    if !arguments.yes && !arguments.dry_run {
        agree(&files.changes, session).await?;
    }
    let endpoint = session.environment.docker_host.as_deref();
    let mut manager = Manager::choose(daemon.clone(), arguments.supervise);
    let findings = check(&daemon, &files.config, endpoint).await?;
    let has_engine = docker::info(endpoint).await.is_ok();
    let needs_root = !has_engine || matches!(manager, Manager::Systemd(_)) || daemon.account.is_another();
    if needs_root && findings.privilege != probe::Privilege::Root {
        let deed = if has_engine { "setting up a service of systemd" } else { "installing and starting Docker" };
        return Err(SetUpError::NotRoot { deed, user: findings.user }.into());
    }
    if arguments.dry_run {
        return preview(&Steps::begin(&session.screen), &findings, &files, &manager, &daemon);
    }
    if arguments.adopt {
        take_over(&daemon, session).await?;
        // It may have given the server another name, and says so in config.toml.
        daemon = of_this_user()?;
        files = Files::of(&daemon, &answers, &arguments.authorize)?;
        manager = Manager::choose(daemon.clone(), arguments.supervise);
    }
    let mut steps = Steps::begin(&session.screen);
    steps.done("machine", &describe(&findings))?;
    engine(&findings, endpoint, &mut steps).await?;
    let files = files.anew(&daemon, &answers, &arguments.authorize)?;
    files.write(&daemon)?;
    steps.done("config", &files.told_config(&daemon, session))?;
    steps.done("keys", &files.told_keys())?;
    start(&manager, &daemon, &files, &mut steps, session).await?;
    session.screen.print(&format!("{SAYS_ITS_END}: mypaas server status\n"))
}

/// A server that runs already has all that was taken over, so that the command can be repeated.
async fn take_over(daemon: &Daemon, session: &Session) -> anyhow::Result<()> {
    if server::has_adopted(&daemon.home) && health::look(&daemon.home).await.is_ok() {
        return session.screen.print("what the original had was taken over before\n");
    }
    adopt::run(session).await
}

/// What is asked: what was neither given nor answered before.
async fn answer(arguments: &Arguments, before: &str, session: &Session) -> anyhow::Result<Answers> {
    let Arguments { domain, no_domain, email, http_port, https_port, plain_http, yes, dry_run, .. } = arguments;
    let known = toml::from_str::<Config>(before).unwrap_or_default().init;
    let mut answers = Answers {
        domain: domain.clone(),
        email: email.clone(),
        http_port: *http_port,
        https_port: *https_port,
        plain_http: plain_http.then_some(true),
    };
    let wants_domain = domain.is_none() && !no_domain && known.domain.is_none();
    let wants_email = email.is_none() && known.email.is_none() && !no_domain && !plain_http;
    if *yes || *dry_run || !(wants_domain || wants_email) {
        return Ok(answers);
    }
    if !question::can_ask() {
        let wanted = [(wants_domain, "--domain NAME or --no-domain"), (wants_email, "--email ADDRESS")];
        let flags = wanted.into_iter().filter_map(|(wanted, flag)| wanted.then_some(flag)).collect();
        return Err(SetUpError::Missing { flags }.into());
    }
    if wants_domain {
        let told = "The server's own domain, as in paas.example.com (nothing: it is reached by ssh only)";
        answers.domain = question::ask_for(session, told).await?;
    }
    if wants_email && (answers.domain.is_some() || known.domain.is_some()) {
        let told = "Your email address, for the certificate authority (nothing: there will be no certificates)";
        answers.email = question::ask(session, told).await?;
    }
    Ok(answers)
}

/// What stands in the file already is not replaced without a word.
async fn agree(changes: &[Change], session: &Session) -> anyhow::Result<()> {
    let replaced = changes.iter().filter_map(|change| {
        let before = change.before.as_ref()?;
        Some(format!("{}: {before} becomes {}", change.key, change.after))
    });
    let replaced: Vec<String> = replaced.collect();
    if replaced.is_empty() {
        return Ok(());
    }
    if !question::can_ask() {
        return Err(SetUpError::WouldChange { changes: replaced }.into());
    }
    session.screen.tell(&format!("In config.toml:\n  {}\n", replaced.join("\n  ")));
    if question::agree(session, "Change it?").await? { Ok(()) } else { Err(SetUpError::NotAgreed.into()) }
}

/// Whether this machine can become a server.
async fn check(daemon: &Daemon, config: &str, endpoint: Option<&str>) -> anyhow::Result<Findings> {
    let script = tokio::process::Command::new("sh")
        .args(["-c", probe::SCRIPT])
        .env("MYPAAS_HOME", &daemon.home)
        .output()
        .await
        .context("this machine could not be looked at")?;
    let mut findings = Findings::parse(&String::from_utf8_lossy(&script.stdout))?;
    if let Ok(info) = docker::info(endpoint).await {
        findings.docker = Some(info.version);
    }
    let router = toml::from_str::<Config>(config)?.router;
    let wanted =
        Wanted { http_port: router.http_port, https_port: router.https_port, architecture: None, privileged: false };
    let obstacles = findings.obstacles(&wanted);
    if obstacles.is_empty() {
        return Ok(findings);
    }
    Err(SetUpError::Obstacles { host: "this machine".to_owned(), obstacles }.into())
}

async fn engine(findings: &Findings, endpoint: Option<&str>, steps: &mut Steps<'_>) -> anyhow::Result<()> {
    if let Ok(info) = docker::info(endpoint).await {
        return steps.done("docker", &format!("{} answers", info.version));
    }
    if findings.docker.is_none() {
        docker::install().await?;
        steps.done("docker", "was installed by apt")?;
    }
    let info = docker::start().await?;
    steps.done("docker", &format!("{} was started", info.version))
}

/// Leaves a server alone that runs already, with all that it was told.
async fn start(
    manager: &Manager,
    daemon: &Daemon,
    files: &Files,
    steps: &mut Steps<'_>,
    session: &Session,
) -> anyhow::Result<()> {
    let runs = health::look(&daemon.home).await.is_ok();
    if runs && Manager::found(daemon.clone()).is_none() {
        return Err(SetUpError::Unmanaged { home: session.environment.shown(&daemon.home) }.into());
    }
    let is_new = manager.install().await?;
    let since = jiff::Timestamp::now();
    let is_restart = runs && (is_new || !files.changes.is_empty());
    let told = match (runs, is_restart) {
        (true, false) => "runs already",
        (true, true) => "was restarted",
        (false, _) => "was started",
    };
    if is_restart {
        manager.restart().await?;
    } else {
        manager.start().await?;
    }
    steps.done("daemon", &format!("{told} by {}", manager.describe()))?;
    let since = (!runs || is_restart).then_some(since);
    match health::wait(&daemon.home, Demand { since, parts: true, limit: UP_LIMIT }).await {
        Ok(view) => {
            let router = view.router.up();
            let ports = router.map(|info| format!(" on ports {} and {}", info.http_port, info.https_port));
            steps.done("answers", &format!("mypaas {}, router{}", view.version, ports.unwrap_or_default()))
        }
        Err(source) => {
            let (manager, last_lines) = (manager.describe(), manager.last_lines().await);
            Err(SetUpError::NotUp { manager, last_lines, source }.into())
        }
    }
}

fn preview(
    steps: &Steps<'_>,
    findings: &Findings,
    files: &Files,
    manager: &Manager,
    daemon: &Daemon,
) -> anyhow::Result<()> {
    steps.would("machine", &describe(findings))?;
    let docker = match &findings.docker {
        Some(version) => format!("{version} is there"),
        None => "would be installed by apt".to_owned(),
    };
    steps.would("docker", &docker)?;
    let config = daemon.home.join(FILE_NAME);
    for change in &files.changes {
        steps.would("config", &format!("{}: {} = {}", config.display(), change.key, change.after))?;
    }
    steps.would("keys", &files.told_keys())?;
    steps.would("daemon", &format!("would be kept running by {}, as {}", manager.describe(), daemon.account.name))?;
    steps.would("", "nothing was changed")
}

pub(super) fn describe(findings: &Findings) -> String {
    let Findings { os, architecture, user, memory_mib, disk_free_mib, .. } = findings;
    format!("{os}, {architecture}, {user}, {memory_mib} MiB memory, {} GiB free", disk_free_mib / 1024)
}
