//! `mypaas remove`: a service and all that belongs to it is gone for good, so it asks first.

use clap::Args;
use mypaas::api::Action;

use super::act::{How, On, act, known};
use crate::cli::confirm;
use crate::cli::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    on: On,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    how: How,
}

pub(crate) async fn run(arguments: &Arguments, session: &Session) -> anyhow::Result<()> {
    let Arguments { on, yes, how } = arguments;
    if !yes && !how.dry_run {
        let On { server, service } = on;
        confirm::check_asks(&format!("removing {service}"))?;
        known(session, on).await?;
        let told = format!(
            "This removes {service} from {server}: its containers, its routes, its releases and their images, also \
             pinned ones.\nIts volumes stay."
        );
        confirm::ask(session, &told, service.as_str()).await?;
    }
    act(session, on, Action::Remove, *how).await
}
