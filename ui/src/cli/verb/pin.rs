//! `mypaas pin`: a release is kept whatever its age, so that one can always go back to it.

use clap::Args;
use mypaas::api::{PinRequest, ReleaseView};
use mypaas::name::ReleaseId;

use super::act::{On, detail};
use super::rollback;
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) on: On,
    /// The release, as in r12
    pub(super) release: ReleaseId,
    /// Print the release as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { on, release, .. } = arguments;
    let told =
        format!("{release} of {} is pinned: it is kept until `mypaas unpin {} {0} {release}`\n", on.service, on.server);
    set(arguments, session, true, &told).await
}

/// Pins the release or unpins it, and says so.
pub(super) async fn set(arguments: &Arguments, session: &Session, pinned: bool, told: &str) -> anyhow::Result<()> {
    let Arguments { on, release, json } = arguments;
    rollback::known(&detail(session, on).await?, *release, on)?;
    let request = PinRequest { pinned };
    let view: ReleaseView =
        session.change(&on.server, async |client| client.pin(&on.service, *release, request).await).await?;
    if *json { session.screen.print_json(&view) } else { session.screen.print(told) }
}
