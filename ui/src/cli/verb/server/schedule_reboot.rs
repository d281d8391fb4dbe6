//! `mypaas server schedule-reboot`: a reboot of this machine at a time.

use clap::Args;
use jiff::tz::TimeZone;
use mypaas::install::reboot::{self, When};

use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A time of day by this machine's clock, as in 03:00, or a while, as in +2h or +30m; without it: what is planned
    #[arg(conflicts_with = "cancel")]
    when: Option<When>,
    /// Plan none any more
    #[arg(long)]
    cancel: bool,
}

pub(super) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    if arguments.cancel {
        reboot::cancel().await?;
    }
    if let Some(when) = arguments.when {
        reboot::schedule(when).await?;
    }
    let planned = reboot::scheduled().map(|at| at.to_zoned_datetime(TimeZone::system()));
    session.screen.print(&match planned {
        Some(at) => format!(
            "this machine reboots at {}; services and mypaas start with it\ncancel it with mypaas server \
             schedule-reboot --cancel\n",
            at.strftime("%Y-%m-%d %H:%M %Z")
        ),
        None => "no reboot is planned\n".to_owned(),
    })
}
