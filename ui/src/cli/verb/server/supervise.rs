//! `mypaas server supervise`: keeps `mypaas serve` running, where no systemd is. Started by `mypaas server init`.

use anyhow::Context;
use mypaas::install::manager::supervisor::{Patience, Supervisor};
use tokio_util::sync::CancellationToken;

use super::daemon;
use crate::cli::session::Session;
use crate::cli::signal::Signals;

/// Until it is told to stop; then the server has come to its end too.
pub(super) async fn run(session: &Session) -> anyhow::Result<()> {
    let daemon = daemon::of(None, &session.environment)?;
    let supervisor = Supervisor {
        home: daemon.home,
        program: daemon.program,
        arguments: vec!["serve".into()],
        patience: Patience::default(),
    };
    let shutdown = CancellationToken::new();
    let mut signals = Signals::listen()?;
    let told = shutdown.clone();
    tokio::spawn(async move {
        signals.next().await;
        told.cancel();
    });
    supervisor.run(shutdown).await.context("the server is not looked after")
}
