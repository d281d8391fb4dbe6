//! `mypaas server restart`: this machine's mypaas, its router, or both.

use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use mypaas::install::docker;
use mypaas::install::health::{self, Demand};
use mypaas::server::config::Config;

use super::daemon;
use crate::cli::session::Session;
use crate::cli::set_up::SetUpError;
use crate::cli::steps::Steps;

pub(super) const HELP: &str = "\
Restarting the daemon touches no service: their containers and the router run on, and deploys that run come to their end
first. While the router restarts, for about a second, no request is taken.";

/// Its start, and the router's.
const LIMIT: Duration = Duration::from_secs(120);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    what: What,
    /// Of the server of this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Both
    All,
    /// mypaas itself
    Daemon,
    /// Traefik
    Router,
}

pub(super) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { what, user } = arguments;
    let daemon = daemon::of(user.as_deref(), &session.environment)?;
    let manager = daemon::manager(&daemon, &session.environment)?;
    let mut steps = Steps::begin(&session.screen);
    if matches!(what, What::All | What::Router) {
        let instance = Config::read(&daemon.home)?.server.instance;
        docker::restart_router(instance, session.environment.docker_host.as_deref()).await?;
        steps.done("router", "was restarted")?;
    }
    let since = match what {
        What::Router => None,
        What::All | What::Daemon => Some(Timestamp::now()),
    };
    if since.is_some() {
        manager.restart().await?;
        steps.done("daemon", &format!("was restarted by {}", manager.describe()))?;
    }
    match health::wait(&daemon.home, Demand { since, parts: true, limit: LIMIT }).await {
        Ok(view) => steps.done("answers", &format!("mypaas {}, engine and router are well", view.version)),
        Err(source) => {
            let (manager, last_lines) = (manager.describe(), manager.last_lines().await);
            Err(SetUpError::NotUp { manager, last_lines, source }.into())
        }
    }
}
