//! `mypaas releases`: what a service was, and can be again.

use clap::Args;
use jiff::Timestamp;

use super::act::{On, detail};
use crate::cli::output::history;
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: On,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let releases = detail(session, &arguments.on).await?.releases;
    if arguments.json {
        return session.screen.print_json(&releases);
    }
    if releases.is_empty() {
        return session.screen.print(&format!("{} has no release yet\n", arguments.on.service));
    }
    let table = history::releases(&releases, Timestamp::now());
    session.screen.print(&table.render(session.screen.paint(), session.screen.width()))
}
