//! `mypaas serve`, also `mypaas --serve`: the headless server.

use clap::Args;
use mypaas::server;
use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

use crate::cli::environment::Environment;
use crate::cli::logging::{self, LogFormat};
use crate::cli::output::Screen;
use crate::cli::signal::{self, Signals};

/// What surrounds it, for its help.
pub(crate) const HELP: &str = "\
It takes requests on MYPAAS_HOME/mypaas.sock, until SIGTERM or ctrl-c; a second one ends it at once.
MYPAAS_LOG says what is logged: error, warn, info (the default), debug or trace.";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How the log on the standard error is written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    log_format: LogFormat,
}

pub(crate) async fn run(arguments: &Arguments, environment: &Environment, screen: &Screen) -> anyhow::Result<()> {
    logging::to_stderr(environment, arguments.log_format, screen.tell_paint().colour)?;
    let shutdown = CancellationToken::new();
    tokio::spawn(stop_when_told(Signals::listen()?, shutdown.clone()));
    server::run(environment.place(), || notify(NotifyState::Ready), shutdown).await?;
    Ok(())
}

/// The first signal stops the server in good order, the second one at once.
async fn stop_when_told(mut signals: Signals, shutdown: CancellationToken) {
    signals.next().await;
    notify(NotifyState::Stopping);
    shutdown.cancel();
    signals.next().await;
    tracing::warn!("stopping at once");
    signal::exit_at_once();
}

/// Tells the service manager, where there is one.
fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager could not be notified");
    }
}
