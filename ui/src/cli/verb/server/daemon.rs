//! Which server of this machine is meant, and what keeps it running.

use anyhow::Context;
use mypaas::install::manager::Daemon;
use mypaas::install::{Account, Manager};
use mypaas::server::config::Config;

use crate::cli::environment::Environment;
use crate::cli::set_up::SetUpError;

/// What the kernel adds to the path of a program that was replaced.
const REPLACED: &str = " (deleted)";

/// The server of this user, or of another one.
pub(super) fn of(user: Option<&str>, environment: &Environment) -> anyhow::Result<Daemon> {
    let account = match user {
        Some(name) => Account::named(name)?,
        None => Account { home: environment.user_home.clone(), ..Account::current()? },
    };
    let home = match environment.has_usual_home() {
        true => Environment::usual_home(&account.home),
        false => environment.home.clone(),
    };
    let program = std::env::current_exe().context("it is not known where this program lies")?;
    let program = program.to_string_lossy().trim_end_matches(REPLACED).into();
    let name = Config::read(&home).unwrap_or_default().server.instance.to_string();
    Ok(Daemon { home, program, account, name, docker_host: environment.docker_host.clone() })
}

/// What keeps it running now.
pub(super) fn manager(daemon: &Daemon, environment: &Environment) -> Result<Manager, SetUpError> {
    let missing = || SetUpError::NotSetUp { home: environment.shown(&daemon.home) };
    Manager::found(daemon.clone()).ok_or_else(missing)
}
