//! `mypaas serve`, also `mypaas --serve`: the headless server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use mypaas::install::upgrade;
use mypaas::server;
use sd_notify::NotifyState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;
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
    let place = environment.place();
    let (socket, home) = (server::socket_path(&place.home), place.home.clone());
    let ready = || {
        notify(NotifyState::Ready);
        tokio::spawn(async move { upgrade::confirm(&home, env!("CARGO_PKG_VERSION")).await });
        if let Some(period) = sd_notify::watchdog_enabled() {
            tokio::spawn(show_life(socket, period / 3));
        }
    };
    server::run(place, ready, shutdown).await?;
    Ok(())
}

/// Tells the service manager again and again that the server answers; one that does not is restarted by it.
async fn show_life(socket: PathBuf, period: Duration) {
    loop {
        if matches!(timeout(period, answers(&socket)).await, Ok(Ok(()))) {
            notify(NotifyState::Watchdog);
        }
        tokio::time::sleep(period).await;
    }
}

/// Asks for nothing that needs the engine: whether that answers is not for the service manager to decide.
async fn answers(socket: &Path) -> std::io::Result<()> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: mypaas\r\nConnection: close\r\n\r\n").await?;
    stream.read_u8().await.map(drop)
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
