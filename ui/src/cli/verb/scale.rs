//! `mypaas scale`: so many containers of the release that is live.

use clap::Args;
use mypaas::api::Action;

use super::act::{How, OnEach, act_on_each};
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: OnEach,
    /// How many containers
    #[arg(value_name = "N", value_parser = count)]
    count: u32,
    #[command(flatten)]
    how: How,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    act_on_each(session, &arguments.on, &Action::Scale { count: arguments.count }, arguments.how).await
}

fn count(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(0) => Err("a service with no container is stopped: use `mypaas stop SERVER SERVICE`".to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Err("it takes a whole number of containers, 1 or more".to_owned()),
    }
}
