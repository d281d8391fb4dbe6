//! `mypaas stop`: no container runs until it is started.

use clap::Args;
use mypaas::api::Action;

use super::act::{How, OnEach, act_on_each};
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: OnEach,
    #[command(flatten)]
    how: How,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    act_on_each(session, &arguments.on, &Action::Stop, arguments.how).await
}
