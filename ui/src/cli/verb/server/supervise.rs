//! `mypaas server supervise`: keeps `mypaas serve` running, where no systemd is. Started by `mypaas server init`.

use anyhow::Context;
use clap::Args;
use mypaas::install::manager::Supervised;
use mypaas::install::manager::supervisor::{Patience, Supervisor};
use mypaas::install::upgrade;
use nix::unistd::setsid;
use tokio_util::sync::CancellationToken;

use super::daemon;
use crate::cli::session::Session;
use crate::cli::signal::Signals;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// End the one that looks after the server now
    #[arg(long)]
    replace: bool,
}

/// Until it is told to stop; then the server has come to its end too.
pub(super) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let daemon = daemon::of(None, &session.environment)?;
    let mut signals = Signals::listen()?;
    if arguments.replace {
        // Away from the session of whoever asked for it; fails only where it leads one already.
        let _ = setsid();
        Supervised::new(daemon.clone()).stop().await.context("the supervisor before this one is still there")?;
    }
    let supervisor = Supervisor {
        home: daemon.home.clone(),
        program: daemon.program.clone(),
        arguments: vec!["serve".into()],
        patience: Patience::default(),
    };
    let shutdown = CancellationToken::new();
    let told = shutdown.clone();
    tokio::spawn(async move {
        signals.next().await;
        told.cancel();
    });
    supervisor.run(|| upgrade::before_start(&daemon), shutdown).await.context("the server is not looked after")
}
